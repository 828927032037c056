"""The engine on a Ray cluster: the same queue, with a worker for each device of each node.

The server keeps the queue (``explorer.engine.board``) and one driver for each device
(``crew``). A driver speaks to its worker through an actor on the node (``host``), which is shared
by all servers of the cluster: it holds the worker process, and with it the networks that are
loaded. Ray finds the nodes, starts the actors, carries messages, photos and results, and says when
something is gone; ``connection`` is the only module that imports it.
"""
