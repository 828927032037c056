"""The front page's chart: which rows, which axes, what a click does, what the table says."""

from __future__ import annotations

import dataclasses
from typing import Any

import streamlit as st

from explorer.catalog import CATALOG
from explorer.catalog.paper2016 import load_points
from explorer.charts.axes import AXES
from explorer.charts.bubble import PAPER_OPTIONS, TODAY_OPTIONS, BubbleOptions, BubbleRow
from explorer.charts.bubble_rows import rows_2016, rows_today
from explorer.i18n import _
from explorer.ui.banners import show_error
from explorer.ui.params import choice, flag
from explorer.ui.selection import choose_model, curated_ids

# Axes that the published numbers can fill, per data set.
X_AXES = {"2016": ("canziani_ops", "params", "year"), "today": ("macs", "flops", "params", "year")}
NARROW = 600


def rows_and_options(width: int, highlight: str) -> tuple[list[BubbleRow], BubbleOptions]:
    """Draws the controls in one row; gives what they choose.

    Args:
        width: Pixels that the chart will have.
        highlight: Id of the model that is chosen.
    """
    first, second, third, fourth = st.columns([2.2, 1.3, 0.8, 0.8], vertical_alignment="bottom")
    with first:
        data = choice(
            "data",
            _("Networks"),
            {"2016": _("2016: the paper's 14"), "today": _("Today: torchvision's weights")},
            kind="segmented",
        )
    base = PAPER_OPTIONS if data == "2016" else TODAY_OPTIONS
    with second:
        labels = {axis: _(AXES[axis].title) for axis in X_AXES[data]}
        x = choice("x", _("Horizontal axis"), labels)
    with third:
        log_x = flag("log", _("Logarithmic"), default=base.log_x)
    with fourth:
        pareto = flag("pareto", _("Pareto front"), default=base.pareto)
    options = dataclasses.replace(
        base,
        x=x,
        log_x=log_x and x != "year",
        pareto=pareto,
        paper_look=base.paper_look and x == base.x and not log_x,
        legend=base.legend and width >= NARROW,
        highlight=highlight,
        width=width,
        height=520 if width < NARROW else 610,
    )
    return _rows(data), options


def _rows(data: str) -> list[BubbleRow]:
    """The rows of a data set: "2016" or "today"; broken rows of the paper's file are said."""
    if data == "2016":
        points, problems = load_points()
        for problem in problems:
            show_error(problem)
        return rows_2016(points)
    return rows_today(CATALOG[model_id] for model_id in curated_ids())


def choose_clicked(customdata: list[Any]) -> None:
    """Makes the clicked bubble's model the chosen one; networks without an entry stay a picture."""
    model, weights = customdata[0], customdata[1]
    if model:
        choose_model(model, weights or None)


def table_rows(rows: list[BubbleRow]) -> list[dict[str, Any]]:
    """The chart's rows for a table and its downloads, in the units that the axes show."""
    keys = [key for key in AXES if any(key in row.values for row in rows)]
    heads = {key: f"{_(AXES[key].title)} [{_(AXES[key].unit)}]".replace(" []", "") for key in keys}
    return [
        {_("Network"): row.label, _("Family"): row.family, _("Weights"): row.weights}
        | {heads[key]: _shown(row, key) for key in keys}
        for row in rows
    ]


def _shown(row: BubbleRow, key: str) -> float | None:
    value = row.values.get(key)
    return None if value is None else round(AXES[key].show(value), 4)
