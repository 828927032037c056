"""The layer graph as a component: pan, zoom, open, search, select, colour and save.

``graph_view`` mounts it; what the visitor does in it comes back before the next script run, through
``graph_state``. The drawing is SVG made by our own modules in ``js/``; the server lays out.
"""

from explorer.ui.graph_view.component import GraphOptions, graph_view
from explorer.ui.graph_view.metrics import Metric, box_values
from explorer.ui.graph_view.state import GraphViewState, graph_state, set_graph_state

__all__ = [
    "GraphOptions",
    "GraphViewState",
    "Metric",
    "box_values",
    "graph_state",
    "graph_view",
    "set_graph_state",
]
