"""The sentences below the bubble chart: what is mixed, what an area means, what the trend says."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.charts.axes import AXES
from explorer.charts.bubble import BubbleOptions, BubbleRow, _bubbles, _margins, _view, drawable
from explorer.charts.bubble_traces import usual_crop
from explorer.i18n import _, ngettext

_COUNTED = ("canziani_ops", "activation_bytes")
"""What the atlas counted; the other values of timm's rows are timm's."""


def notes(rows: Sequence[BubbleRow], options: BubbleOptions) -> list[str]:
    """Markdown lines; none for a chart without bubbles."""
    drawn = drawable(rows, options)
    if not drawn:
        return []
    found = [f"† **{row.label}**: {row.note}" for row in drawn if row.group == "2016" and row.note]
    found += _mixed(drawn, options)
    if options.size and options.size != "params":
        most = max(row.values.get(options.size, 0.0) for row in drawn)
        axis = AXES[options.size]
        found.append(
            _("Area: {quantity}; the largest is {value}.").format(
                quantity=_(axis.title), value=axis.text(most)
            )
        )
    if options.trend:
        found.append(_trend(drawn, options))
    return found


def _mixed(rows: Sequence[BubbleRow], options: BubbleOptions) -> list[str]:
    """Marks of what should not be read as one protocol."""
    found = []
    usual = usual_crop(rows)
    other = sum(bool(row.crop) and row.crop != usual for row in rows)
    if other:
        found.append(
            ngettext(
                "Thick outline: {count} accuracy is for another crop than {usual} × {usual} "
                "pixels.",
                "Thick outline: {count} accuracies are for another crop than {usual} × {usual} "
                "pixels.",
                other,
            ).format(count=other, usual=usual)
        )
    groups = {row.group for row in rows}
    if {"2016", "today"} <= groups:
        found.append(
            _(
                "Filled: as plotted in 2016. Hollow: today's weights of the same network, accuracy "
                "as published, operations counted here the paper's way."
            )
        )
    counted = [axis for axis in _COUNTED if axis in (options.x, options.y, options.size)]
    if counted and any(row.id.startswith("timm:") for row in rows):
        quantities = ", ".join(_(AXES[axis].title) for axis in counted)
        text = _("Counted here on a trace of each network, not published by timm: {quantities}.")
        found.append(text.format(quantities=quantities))
    if "measured" in groups:
        found.append(_("Diamonds: cost measured on this machine, accuracy as published."))
    more = sum(row.data in ("in21k", "web") for row in rows)
    if more and {options.x, options.y} & {"top1", "top5", "top1_per_mparam", "top1_per_gmac"}:
        found.append(
            ngettext(
                "{count} network saw more data than ImageNet-1k; colour by training data shows it.",
                "{count} networks saw more data than ImageNet-1k; colour by training data shows "
                "them.",
                more,
            ).format(count=more)
        )
    unknown = sum("year" not in row.values for row in rows)
    if options.play and unknown:
        found.append(
            ngettext(
                "{count} network of unknown year is never shown while the years play.",
                "{count} networks of unknown year are never shown while the years play.",
                unknown,
            ).format(count=unknown)
        )
    return found


def _trend(rows: Sequence[BubbleRow], options: BubbleOptions) -> str:
    from explorer.charts.bubble_extras import trend_of

    bubbles = _bubbles(rows, options)
    trend = trend_of(bubbles, _view(bubbles, options, _margins(options)))
    if trend is None:
        return _("Trend: too few different values.")
    unit = _(AXES[options.y].unit) or "1"
    step = _("tenfold") if options.log_x else f"1 {_(AXES[options.x].unit)}".strip()
    if options.log_y:
        unit = _("decades")
    return _(
        "Trend of {count} networks: {slope:+.3g} {unit} for {step} (95 % interval {low:+.3g} to "
        "{high:+.3g}), R² = {r2:.2f}."
    ).format(
        count=trend.count, slope=trend.slope, unit=unit, step=step, low=trend.low,
        high=trend.high, r2=trend.r2,
    )  # fmt: skip
