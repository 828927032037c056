"""A page with nothing but the layer graph, for the browser tests: ``?model=`` names a synthetic
graph or a file with a pickled one, ``?direction=`` and ``?expanded=`` the first view."""

import pickle
from pathlib import Path

import streamlit as st

from explorer.layout import arrange
from explorer.ui.graph_view import (
    GraphOptions,
    GraphViewState,
    Metric,
    box_values,
    graph_state,
    graph_view,
)
from tests.layout.graphs import SYNTHETIC

st.set_page_config(layout="wide")
name = st.query_params.get("model", "residual")


@st.cache_resource
def load(model: str):
    return SYNTHETIC[model]() if model in SYNTHETIC else pickle.loads(Path(model).read_bytes())


graph = load(name)
start = "all" if st.query_params.get("expanded") == "all" else frozenset()
key = f"graph-{name}"
state = graph_state(key, GraphViewState(selected=st.query_params.get("select"), expanded=start))
arrangement = arrange(graph, state.expanded, st.query_params.get("direction", "down"))
place = {op.id: float(at + 1) for at, op in enumerate(graph.ops)}
rank = Metric("rank", "Place in order", "op", box_values(arrangement, place, max))
graph_view(arrangement, key=key, options=GraphOptions((rank,), height=700))
opened = state.expanded if state.expanded == "all" else ",".join(sorted(state.expanded))
st.text(f"selected={state.selected} expanded={opened} colour={state.colour}")
