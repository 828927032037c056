"""How ``layout.arrange`` works, in four steps; ``explorer.layout`` is the public face.

* ``words``: what is written on a box, and how large the box must be.
* ``hierarchy``: a ``LayerGraph`` as a tree: wrappers merged, runs of equal siblings folded.
* ``levels``: the edges between what is visible, level by level; which of them are skip edges.
* ``place``: one level at a time, innermost first: positions, ports and routes.
"""
