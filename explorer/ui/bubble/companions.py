"""Small charts beside the bubbles: figures 1 and 10 of the paper, the front over the years."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.charts.bubble import BubbleOptions, BubbleRow
from explorer.charts.bubble_companions import MOST, bars
from explorer.charts.bubble_legend import NARROW
from explorer.charts.bubble_years import hypervolume_chart
from explorer.i18n import _
from explorer.ui.charts import show_figure
from explorer.ui.kept import kept_figure


def show_companions(rows: Sequence[BubbleRow], options: BubbleOptions, data: str) -> None:
    """Two bar charts side by side, and below them the front's share where a front is drawn."""
    rows = tuple(row for row in rows if not row.follows.startswith("2016:"))
    most = MOST if options.width >= NARROW else MOST // 2
    left, right = st.columns(2)
    with left:
        st.markdown(f"**{_('Top-1 accuracy (figure 1)')}**")
        show_figure(kept_figure(bars, rows, "top1", most=most), f"top1-{data}")
    with right:
        st.markdown(f"**{_('Information density (figure 10)')}**")
        show_figure(kept_figure(bars, rows, "top1_per_mparam", most=most), f"density-{data}")
    if len(rows) > most:
        st.caption(_("The {count} highest of {total}.").format(count=most, total=len(rows)))
    if options.pareto or options.play:
        st.markdown(f"**{_('What the front dominates, year by year')}**")
        show_figure(kept_figure(hypervolume_chart, rows, options), f"hypervolume-{data}")
        st.caption(
            _(
                "Hypervolume of the Pareto front over that of the box between the worst and the "
                "best values drawn, on the axes as chosen (logarithmic where they are). A network "
                "counts from the year of its architecture, with its newest weights."
            )
        )
