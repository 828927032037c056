"""The roofline: what limits each layer on this device."""

from __future__ import annotations

import streamlit as st

from explorer.charts.roofline import DTYPE_NAMES, bound_text, draw_roofline
from explorer.cost_tasks import MeasureRoofline
from explorer.i18n import _
from explorer.results import RooflineResult
from explorer.ui.charts import show_figure
from explorer.ui.complexity.view import CostView
from explorer.ui.jobs import run_task
from explorer.ui.page import table_downloads

_RENEWED = "_roofline_renewed"


def show_roofline(view: CostView) -> None:
    """The layers under the roof, measured for one image of the network's own size in fp32."""
    renewed = int(st.session_state.get(_RENEWED, 0))
    result = run_task(MeasureRoofline(view.selection.spec.id, renewed), _("Measuring"))
    if result is None:
        return
    st.markdown(_summary(result))
    show_figure(draw_roofline(result, width=view.width), "roofline")
    st.caption(_peaks(result))
    st.button(
        _("Measure again"), icon=":material/refresh:", on_click=_renew,
        help=_("Measures the device's peaks and the layers anew."),
    )  # fmt: skip
    rows = _rows(result, view)
    with st.expander(_("Layers"), icon=":material/table:"):
        st.dataframe(rows, hide_index=True)
    about = {"model": result.model, "device": result.peaks.device, "runs": result.runs}
    table_downloads(f"roofline-{result.model.replace('/', '-')}", rows, about)


def _renew() -> None:
    st.session_state[_RENEWED] = int(st.session_state.get(_RENEWED, 0)) + 1


def _summary(result: RooflineResult) -> str:
    layers = [layer for layer in result.layers if layer.macs]
    memory = [layer for layer in layers if layer.memory_bound(result.peaks)]
    rest = sum(layer.seconds for layer in result.layers if not layer.macs)
    timed = sum(layer.seconds for layer in result.layers)
    return _(
        "A pass takes **{measured:.1f} ms**; the roof allows **{least:.1f} ms** or more. {memory} "
        "of {count} layers that multiply are bound by memory; the others, which only move data, "
        "take {rest:.0f} % of the time."
    ).format(
        measured=1e3 * result.seconds, least=1e3 * result.least_seconds, memory=len(memory),
        count=len(layers), rest=100 * rest / timed if timed else 0,
    )  # fmt: skip


def _peaks(result: RooflineResult) -> str:
    peaks = result.peaks
    reached = ", ".join(
        f"{DTYPE_NAMES.get(name, name)} {flops / 1e9:,.0f} GFLOP/s"
        for name, flops in peaks.flops.items()
    )
    return _(
        "{device}, {threads} threads: {reached}; copying {bandwidth:,.1f} GB/s (measured "
        "{when} UTC). Median of {runs} passes with hooks ({hooked:.1f} ms a pass)."
    ).format(
        device=peaks.device, threads=peaks.threads, reached=reached,
        bandwidth=peaks.bandwidth / 1e9, when=peaks.measured_at[:16].replace("T", " "),
        runs=result.runs, hooked=1e3 * result.hooked_seconds,
    )  # fmt: skip


def _rows(result: RooflineResult, view: CostView) -> list[dict[str, object]]:
    return [
        {
            _("Layer"): layer.name or _("(top level)"),
            _("MACs"): layer.macs,
            _("Bytes moved"): layer.nbytes,
            _("FLOP/byte"): round(layer.intensity, 2),
            _("Measured (ms)"): round(1e3 * layer.seconds, 4),
            _("At least (ms)"): round(1e3 * layer.least_seconds(result.peaks), 4),
            _("GFLOP/s"): round(layer.flops_per_second / 1e9, 2),
            _("Limit"): bound_text(layer, result.peaks),
        }
        for layer in result.layers
    ]
