"""Latency: watch the distribution of forward times build up on this machine."""

import streamlit as st

from explorer.i18n import _
from explorer.requests import LatencyRequest
from explorer.ui.latency_view import measure_live
from explorer.ui.page import how_computed, page_head
from explorer.ui.params import choice
from explorer.ui.selection import Selection


def main(selection: Selection) -> None:
    page_head(
        _("Latency"),
        _("Press start and watch the forward times of this machine build up; lower is faster."),
        selection,
    )
    controls, view = st.columns([1, 2.6], gap="medium")
    with controls:
        batch = choice("batch", _("Images per batch"), ["1", "2", "4", "8", "16", "32"])
        seconds = choice("seconds", _("Measure for at least (s)"), ["3", "10", "30"])
        layout = choice(
            "layout",
            _("Memory layout"),
            {"contiguous": _("contiguous (NCHW)"), "channels_last": _("channels last (NHWC)")},
        )
    request = LatencyRequest(
        batch_sizes=(int(batch),), min_seconds=float(seconds), memory_format=layout
    )
    measure_live(selection, request, controls, view)
    how_computed(
        _(
            "Each run is one forward pass of random input under `torch.inference_mode`, timed with "
            "`time.perf_counter_ns` (CUDA: events), after warm-up runs that are thrown "
            "away. All raw "
            "times are kept; the median is seconds per batch. A percentile is shown only when at "
            "least ten runs lie beyond it: p95 needs 200 runs, p99 needs 1,000."
        )
    )


main(st.session_state["_selection"])
