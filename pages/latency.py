"""Latency: how long a forward pass takes here, watched, kept, and compared."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.i18n import _
from explorer.ui.latency import kept
from explorer.ui.latency.batches import show_batches, show_frames
from explorer.ui.latency.beside import show_modules, show_side_by_side
from explorer.ui.latency.controls import Options, choose_options
from explorer.ui.latency.headline import STYLE
from explorer.ui.latency.history import show_history
from explorer.ui.latency.live import hold_measurement, show_live, start_button
from explorer.ui.latency.loop import show_loop
from explorer.ui.latency.paper import show_paper
from explorer.ui.page import how_computed, page_head
from explorer.ui.params import choice
from explorer.ui.selection import Selection
from explorer.ui.viewport import viewport_width

PHONE = 600


def main(selection: Selection) -> None:
    kept.begin()
    st.html(STYLE)
    page_head(
        _("Latency"),
        _("Press start and watch the forward times of this machine build up; lower is faster."),
        selection,
    )
    width = viewport_width()
    views = _views()
    shown = choice("view", _("View"), views, kind="select" if width < PHONE else "segmented")
    hold_measurement()
    if shown == "modules":
        show_modules(selection)
    elif shown == "loop":
        show_loop(selection)
    elif shown == "paper":
        show_paper(width)
    elif width < PHONE:
        start, options_place, view = st.container(), st.expander(_("Options")), st.container()
        with options_place:
            options = choose_options()
        _with_options(shown, selection, options, (start, view, width))
    else:
        controls, view = st.columns([1, 2.6], gap="medium")
        with controls:
            start = st.container()
            options = choose_options()
        _with_options(shown, selection, options, (start, view, int(width * 0.7)))
    _explain()


def _views() -> dict[str, str]:
    return {
        "live": _("Measure"),
        "batches": _("Batch sizes"),
        "compare": _("Side by side"),
        "modules": _("Modules"),
        "frames": _("Frames per second"),
        "history": _("History"),
        "loop": _("Live loop"),
        "paper": _("The paper, repeated"),
    }


def _with_options(
    shown: str,
    selection: Selection,
    options: Options,
    places: tuple[DeltaGenerator, DeltaGenerator, int],
) -> None:
    start, view, width = places
    if shown == "live":
        start_button(selection, options, start)
    with view:
        if shown == "live":
            show_live(selection, options)
        elif shown == "batches":
            show_batches(selection, options, width)
        elif shown == "compare":
            show_side_by_side(selection, options)
        elif shown == "frames":
            show_frames(selection, options)
        else:
            show_history(selection, options)


def _explain() -> None:
    how_computed(
        _(
            "Each run is one forward pass of random input, timed with `time.perf_counter_ns` "
            "(CUDA: events), after warm-up runs that are thrown away; preparing a mode is timed "
            "apart. All raw times are kept. The interval of the median comes from order "
            "statistics (Hahn and Meeker 1991, section 5.2) and takes runs as independent. A "
            "percentile is shown only when at least ten runs lie beyond it: p95 needs 200 runs, "
            "p99 needs 1,000. Unsteady is said of a drift (Spearman, and 5 % between the first "
            "and the last third), of two groups, of other programs' load and of a moving clock "
            "frequency. Measurements go into the database of the settings, by default a file in "
            "your data folder."
        )
    )


main(st.session_state["_selection"])
