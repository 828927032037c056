"""The panel alone on a page, for the tests: ``?m=`` model, ``?s=`` selected, ``?w=0`` untrained."""

import streamlit as st

from explorer.catalog import find
from explorer.tasks import Trace
from explorer.ui import jobs, params
from explorer.ui.graph_exports import show_graph_exports
from explorer.ui.layer_panel import show_layer_panel
from explorer.ui.selection import Selection

jobs.begin_run()
params.begin_page("graph")
spec = find(st.query_params.get("m", "lenet5"))
weights = None if st.query_params.get("w") == "0" else spec.weights[0]
graph = jobs.run_task(Trace(spec.id), "Tracing")
if graph is not None:
    show_graph_exports(graph, Selection(spec, weights))
    show_layer_panel(graph, st.query_params.get("s", ""), Selection(spec, weights))
params.end_page()
jobs.end_run()
