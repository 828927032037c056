"""Layer graph: the network as it runs."""

import streamlit as st

from explorer.i18n import _
from explorer.tasks import TorchinfoSummary, Trace
from explorer.ui.jobs import run_task
from explorer.ui.outline import show_outline
from explorer.ui.page import how_computed, page_head
from explorer.ui.selection import Selection


def main(selection: Selection) -> None:
    page_head(
        _("Layer graph"),
        _("Every module as it runs: shapes, parameters and multiply–accumulates, level by level."),
        selection,
    )
    graph = run_task(Trace(selection.spec.id), _("Tracing"))
    if graph is None:
        return
    outline, torchinfo = st.tabs([_("Outline"), _("torchinfo")])
    with outline:
        show_outline(graph)
    with torchinfo:
        summary = run_task(TorchinfoSummary(selection.spec.id), _("Summarising"))
        if summary is not None:
            st.caption(
                _("As torchinfo prints it; it sees modules, not functions, and may miss attention.")
            )
            st.code(summary.text, language=None, height=480)
    how_computed(
        _(
            "The network is traced with `torch.export` on fake tensors: shapes and operations are "
            "those of one forward pass, batch 1. Multiply–accumulates follow PyTorch's "
            "flop counter; "
            "normalisation, activation and pooling count as zero."
        )
    )


main(st.session_state["_selection"])
