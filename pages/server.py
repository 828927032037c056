"""About this server: versions, device, limits, caches with bound and fill, jobs, uptime."""

import time
from collections.abc import Mapping

import streamlit as st

from explorer.caches import caches
from explorer.engine import get_engine
from explorer.i18n import _
from explorer.serving.metrics import STARTED, server_memory
from explorer.settings import get_settings
from explorer.telemetry import job_totals
from explorer.ui.page import how_computed, page_head
from explorer.ui.server import tables
from explorer.ui.sessions import visitors
from explorer.ui.text import plain


def show_now(totals: Mapping[str, int]) -> None:
    info = get_engine().info()
    with st.container(horizontal=True):
        st.metric(_("Running for"), tables.duration(time.time() - STARTED))
        st.metric(_("Visitors"), visitors())
        st.metric(_("Jobs that wait"), info.queued)
        st.metric(_("Jobs that run"), len(info.running))
        st.metric(_("Jobs done"), totals.get("done", 0) + totals.get("kept", 0))
        st.metric(_("Jobs failed"), totals.get("failed", 0))
        st.metric(_("Jobs cancelled"), totals.get("cancelled", 0))
    with st.container(horizontal=True):
        st.metric(_("Memory of the server"), tables.mebibytes(server_memory()))
        st.metric(_("Memory of the worker"), tables.mebibytes(info.worker_memory_bytes))
        st.metric(_("Worker started again"), info.restarts)
    st.markdown(
        _("Device: {device}").format(device=plain(tables.device_text(info)))
        + "  \n"
        + _("Worker: {state}").format(state=_(tables.STATES[info.worker]))
    )


def show_nodes() -> None:
    rows = tables.node_rows(get_engine().info(), public=get_settings().public)
    if rows:
        st.subheader(_("Nodes of the cluster"), anchor=False)
        st.dataframe(rows, hide_index=True, width="stretch", height="content")


def main() -> None:
    settings = get_settings()
    mode = _("public: limits hold, sweeps and settings are closed.")
    if not settings.public:
        mode = _("open: for people who trust each other.")
    page_head(
        _("About this server"),
        _("What runs here, what it may use, and how full it is. Mode: {mode}").format(mode=mode),
    )
    show_now(job_totals())
    show_nodes()
    st.subheader(_("Caches"), anchor=False)
    fill = st.column_config.ProgressColumn(_("Fill"), format="%.0f %%", min_value=0, max_value=100)
    st.dataframe(
        tables.cache_rows(caches()), hide_index=True, width="stretch", height="content",
        column_config={_("Fill"): fill},
    )  # fmt: skip
    left, right = st.columns([1.7, 1])
    with left:
        st.subheader(_("Limits"), anchor=False)
        st.dataframe(tables.limit_rows(settings), hide_index=True, width="stretch")
    with right:
        st.subheader(_("Versions"), anchor=False)
        st.dataframe(tables.version_rows(), hide_index=True, width="stretch")
    st.button(_("Look again"), icon=":material/refresh:")
    how_computed(
        _(
            "Memory is the resident set of each process, as the system counts it. Finished results "
            "count at their size as sent; loaded networks are counted in the worker, as of the "
            "last job. What was used longest ago makes room first. Numbers begin anew when the "
            "server starts; an operator reads them from /metrics."
        )
    )


main()
