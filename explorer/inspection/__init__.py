"""What is behind a box of the layer graph: weights, feature maps, receptive field, code.

``types``, ``grids``, ``choosing``, ``formulas``, ``snippets`` and ``tiles`` are free of torch; the
rest computes in a worker.
"""
