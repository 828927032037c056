"""The controls above the bubble chart: data set, axes, looks, filters."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import cast

import streamlit as st

from explorer.charts.axes import AXES
from explorer.charts.bubble import PAPER_OPTIONS, TODAY_OPTIONS, BubbleOptions, BubbleRow
from explorer.charts.bubble_traces import COLOURS, ColourBy
from explorer.i18n import N_, _, ngettext
from explorer.ui.bubble.sources import Filters, choose_filters, rows_of, switch
from explorer.ui.folding import folded, in_popover
from explorer.ui.params import choice, complaints_in, flag
from explorer.ui.public import when_opened

NARROW, TIGHT = 600, 820
MANY = 300  # rows from which density says more than circles
_TODAY = ("macs", "flops", "params", "activation_bytes", "canziani_ops", "year")
_TIMM = ("macs", "flops", "params", "conv_activations", "activation_bytes", "canziani_ops",
         "cpu_latency", "gpu_images_per_second", "year")  # fmt: skip
_MEASURED = ("latency", "images_per_second", "peak_bytes", "joules", "macs", "flops", "params",
             "year")  # fmt: skip
_MERITS = ("top1", "top5", "top1_per_mparam", "top1_per_gmac")
# Axes that a data set can fill: (horizontal, vertical), the usual one first.
PLANES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "2016": (
        ("canziani_ops", "params", "year", "top1"),
        ("top1", "top1_per_mparam", "params", "canziani_ops"),
    ),
    "today": ((*_TODAY, *_MERITS), (*_MERITS, *_TODAY)),
    "timm": ((*_TIMM, *_MERITS), (*_MERITS, *_TIMM)),
    "measured": ((*_MEASURED, *_MERITS), (*_MERITS, *_MEASURED)),
}
SIZES = ("params", "macs", "canziani_ops", "activation_bytes", "latency")
LABELS = {"all": N_("all that fit"), "some": N_("front and best of a family"), "none": N_("none")}
MEASURED_OPTIONS = dataclasses.replace(TODAY_OPTIONS, x="latency", labels="all")
_BASES = {"2016": PAPER_OPTIONS, "today": TODAY_OPTIONS, "measured": MEASURED_OPTIONS}
# What "the paper's look" puts back, beside the data set's own filters.
_LOOKS = ("x", "y", "log", "logy", "size", "colour", "labels", "pareto", "trend", "density",
          "ghosts", "play", "arrows")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choices:
    """What the controls say.

    Attributes:
        data: "2016", "today" or "measured".
        rows: After the filters.
        total: Rows before them.
        options: For ``bubble_chart``.
    """

    data: str
    rows: list[BubbleRow]
    total: int
    options: BubbleOptions


def choose(width: int, highlight: str, *, tall: int = 0) -> Choices:
    """Draws the controls in one row; gives what they choose.

    Args:
        width: Pixels that the chart will have.
        highlight: Id of the model that is chosen.
        tall: Pixels of the chart's height; 0 for the page's usual one.
    """
    says = st.container()
    with complaints_in(says):
        # Beside a sidebar on a projector, three buttons need the whole width.
        whole = st.container() if width < TIGHT else None
        shares = [1.4, 1.3, 0.9, 0.9] if whole else [2.5, 1.4, 1.3, 0.9, 0.9]
        columns = st.columns(shares, vertical_alignment="bottom")
        first, second, third, fourth, fifth = [whole, *columns] if whole else columns
        with first:
            data = choice(
                "data", _("Networks"),
                {"2016": _("2016 paper"), "today": _("Today"),
                 "measured": _("Measured here")},
                kind="segmented",
            )  # fmt: skip
        # In public mode what is in a popover is drawn once somebody opens it.
        view = fourth.popover(
            _("View"), icon=":material/tune:", width="stretch", key="view", on_change=when_opened()
        )
        with in_popover(view) if data == "2016" else first:
            rows = rows_of(data, switch)
        plane = "timm" if data == "today" and len(rows) > MANY else data
        base = _BASES[data]
        with second:
            x = _axis("x", _("Horizontal axis"), PLANES[plane][0], base.x)
        with third:
            y = _axis("y", _("Vertical axis"), PLANES[plane][1], base.y)
        chosen = Filters()
        if data != "2016":
            filters = fifth.popover(
                _("Filter"), icon=":material/filter_alt:", width="stretch", key="filters",
                on_change=when_opened(),
            )  # fmt: skip
            with in_popover(filters):
                chosen = choose_filters(rows)
        with in_popover(view):
            options = _looks(base, data, x, y, len(rows))
            if data == "2016" and not folded():
                _paper_button()
    years = (chosen.years[0], 2026) if options.play else chosen.years
    kept = [row for row in rows if dataclasses.replace(chosen, years=years).keep(row)]
    narrow = width < NARROW
    options = dataclasses.replace(
        options,
        until=chosen.years[1],
        legend=base.legend and not narrow,
        highlight=highlight,
        width=width,
        height=tall or (520 if narrow else 610) + (60 if options.play else 0),
        density=options.density and len(kept) > 20,
    )
    return Choices(data, kept, len(rows), options)


def _axis(key: str, label: str, axes: Sequence[str], default: str) -> str:
    return choice(key, label, {axis: _(AXES[axis].title) for axis in axes}, default=default)


def _looks(base: BubbleOptions, data: str, x: str, y: str, count: int) -> BubbleOptions:
    """The popover with what changes the look."""
    left, right = (nullcontext(), nullcontext()) if folded() else st.columns(2)
    with left:
        log_x = flag("log", _("Logarithmic"), default=base.log_x)
        pareto = flag("pareto", _("Pareto front"), default=base.pareto)
        trend = flag("trend", _("Trend with interval"))
    with right:
        log_y = flag("logy", _("Vertical logarithmic"))
        arrows = flag("arrows", _("Arrows to newer weights"), default=data == "2016")
        density = flag("density", _("Density"), default=count > MANY)
    play = flag("play", _("Play the years"))
    sizes = {key: _(AXES[key].title) for key in SIZES} | {"equal": _("all equal")}
    size = choice("size", _("Area of a circle"), sizes, default=base.size)
    colour = choice("colour", _("Colour"), {key: _(word) for key, word in COLOURS.items()})
    labels = choice(
        "labels", _("Names"), {key: _(word) for key, word in LABELS.items()}, default=base.labels
    )
    same = (x, y) == (base.x, base.y) and not log_x and not log_y
    return dataclasses.replace(
        base,
        x=x,
        y=y,
        log_x=log_x and x != "year",
        log_y=log_y and y != "year",
        pareto=pareto,
        trend=trend,
        arrows=arrows,
        density=density,
        play=play,
        size="" if size == "equal" else size,
        colour=cast(ColourBy, colour),
        labels=labels,  # type: ignore[arg-type]
        paper_look=base.paper_look and same,
    )


def _paper_button() -> None:
    """One click back to the figure as it was printed."""
    st.button(
        _("The paper's look"), icon=":material/article:", key="paper-look", on_click=_paper_look,
        width="stretch",
    )  # fmt: skip


def _paper_look() -> None:
    """Every control of the 2016 view to its default, before the widgets are drawn."""
    defaults = {"x": PAPER_OPTIONS.x, "y": PAPER_OPTIONS.y, "size": "params", "colour": "family",
                "labels": "all", "arrows": True}  # fmt: skip
    for key in _LOOKS:
        st.session_state[f"_w_{key}"] = defaults.get(key, False)


def count_sentence(choices: Choices) -> str:
    """How many of how many are left by the filters; "" where none was taken away."""
    kept, total = len(choices.rows), choices.total
    if kept == total:
        return ""
    return ngettext(
        "{kept} of {total} network passes the filters.",
        "{kept} of {total} networks pass the filters.",
        total,
    ).format(kept=kept, total=total)
