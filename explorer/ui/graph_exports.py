"""Downloads of the layer graph: JSON, DOT and ONNX."""

from __future__ import annotations

import streamlit as st

from explorer.graph import LayerGraph
from explorer.graph_exports import to_dot, to_json
from explorer.i18n import _
from explorer.inspection.types import OnnxFile
from explorer.tasks import ExportOnnx
from explorer.ui.jobs import run_task
from explorer.ui.selection import Selection
from explorer.ui.units import memory
from explorer.ui.weights_view import weights_ready


def show_graph_exports(graph: LayerGraph, selection: Selection) -> None:
    """Draws the downloads in a row; the ONNX file is made when it is asked for."""
    name = graph.model.replace("/", "-")
    with st.container(horizontal=True):
        st.download_button(
            _("JSON"), lambda: to_json(graph), f"{name}.json", "application/json",
            on_click="ignore", key="graph-json", icon=":material/download:",
            help=_("The whole graph; its schema is `assets/data/graph.schema.json`."),
        )  # fmt: skip
        st.download_button(
            _("DOT"), lambda: to_dot(graph), f"{name}.dot", "text/vnd.graphviz",
            on_click="ignore", key="graph-dot", icon=":material/download:",
            help=_("For Graphviz: modules are clusters."),
        )  # fmt: skip
        asked = f"_onnx-{selection.ref.model}-{selection.ref.weights}"
        about = _("Made by torch with the chosen weights; opens in Netron.")
        if st.button(_("ONNX"), key="graph-onnx", icon=":material/deployed_code:", help=about):
            st.session_state[asked] = True
    if st.session_state.get(asked):
        _onnx(selection, name)


def _onnx(selection: Selection, name: str) -> None:
    if not weights_ready(selection, slot="onnx"):
        return
    found: OnnxFile | None = run_task(ExportOnnx(selection.ref), _("Writing ONNX"))
    if found is None:
        return
    st.download_button(
        _("Download {name} ({size})").format(
            name=f"{name}.onnx", size=memory(len(found.data))
        ),
        found.data, f"{name}.onnx", "application/octet-stream", on_click="ignore",
        key="graph-onnx-file", icon=":material/download:", type="primary",
    )  # fmt: skip
    st.caption(
        _("ONNX operator set {opset}, input {shape}, written by {producer}.").format(
            opset=found.opset,
            shape="×".join(map(str, found.input_shape)),
            producer=found.producer,
        )
    )
