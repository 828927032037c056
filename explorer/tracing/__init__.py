"""How a module becomes a ``LayerGraph``: exporting, reading, formulas, module tree, disk cache.

``explorer.trace`` is the face; nothing here imports torch at import time except ``exporting``,
``reading`` and ``recording``, which are loaded when something is traced.
"""
