"""Measurements as files, out and in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from explorer.errors import MeasurementError
from explorer.i18n import _, ngettext
from explorer.measurements import MeasurementStore
from explorer.measurements.files import export, import_file
from explorer.results import LatencyResult
from explorer.settings import get_settings
from explorer.ui.banners import show_error
from explorer.ui.latency.kept import ask

_KINDS = (
    ("csv", "CSV", "csv", "text/csv"),
    ("parquet", "Parquet", "parquet", "application/vnd.apache.parquet"),
    ("json", "JSON", "json", "application/json"),
    ("timm", "timm CSV", "timm.csv", "text/csv"),
)


def result_downloads(
    results: Sequence[LatencyResult] | Callable[[], Sequence[LatencyResult]], name: str
) -> None:
    """Buttons for raw times as CSV, Parquet, JSON, and a line a batch size in timm's layout.

    Args:
        results: Measurements with their raw times, or what fetches them when a button is pressed.
        name: Of the files, without ending.
    """

    def made(kind: str) -> Callable[[], bytes]:
        return lambda: export(list(results() if callable(results) else results), kind)

    with st.container(horizontal=True):
        for kind, label, ending, mime in _KINDS:
            st.download_button(
                label, made(kind), f"{name}.{ending}", mime, icon=":material/download:",
                on_click="ignore", key=f"download-{name}-{kind}",
            )  # fmt: skip


def import_panel() -> None:
    """Takes a file of measurements into the store, all of it or nothing."""
    if get_settings().public:
        st.caption(
            _("Importing measurements is closed on this public server; run the app on your own "
              "machine to import them (README).")
        )  # fmt: skip
        return
    file = st.file_uploader(
        _("Import measurements: CSV, JSON or Parquet of this page, or timm's benchmark table"),
        type=["csv", "json", "parquet"],
        key="_latency_import",
    )
    if file is None:
        return
    data, name = file.getvalue(), file.name

    def into(store: MeasurementStore) -> tuple[int, int] | MeasurementError:
        try:
            return import_file(store, data, name)
        except MeasurementError as error:  # the file's fault as well as the store's
            return error

    # The file stays in its field: it is read once, what came of it is said as long.
    known, counts = st.session_state.get("_imported", ("", None))
    if known != file.file_id:
        counts = ask(into, None)
        st.session_state["_imported"] = (file.file_id, counts)
    if isinstance(counts, MeasurementError):
        show_error(counts)
    elif counts is not None:
        new, old = counts
        sentence = ngettext(
            "{new} measurement imported; {old} were there already.",
            "{new} measurements imported; {old} were there already.",
            new,
        )
        st.success(sentence.format(new=new, old=old), icon=":material/database_upload:")
