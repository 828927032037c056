"""Accuracy against operations: the front page, the 2016 chart alive."""

import streamlit as st

from explorer.charts.bubble import bubble_chart
from explorer.i18n import _
from explorer.ui.bubble_view import choose_clicked, rows_and_options, table_rows
from explorer.ui.charts import show_figure
from explorer.ui.links import open_row
from explorer.ui.page import how_computed, page_head, table_downloads
from explorer.ui.selection import Selection
from explorer.ui.viewport import viewport_width


def main(selection: Selection) -> None:
    page_head(
        _("Accuracy vs operations"),
        _(
            "Up is more accurate, left is cheaper, larger is more parameters. Click a "
            "circle to choose it."
        ),
    )
    width = viewport_width()
    rows, options = rows_and_options(width, selection.spec.id)
    data = rows[0].group
    show_figure(bubble_chart(rows, options), f"bubbles-{data}", on_click=choose_clicked)
    open_row(selection.spec.id, selection.spec.name, selection)
    with st.expander(_("As a table"), icon=":material/table:"):
        st.dataframe(table_rows(rows), hide_index=True)
        table_downloads(f"accuracy-{data}", table_rows(rows), {"data": data})
    how_computed(
        _(
            "2016: top-1, operations and parameters as plotted in figure 2 of Canziani, Paszke & "
            "Culurciello ([arXiv:1605.07678](https://arxiv.org/abs/1605.07678)); operations are "
            "about 2 × multiply–accumulates. Today: what torchvision and timm publish with their "
            "weights; accuracies are for different crops and training recipes, named on each card. "
            "VGG-16's IMAGENET1K_FEATURES is no classifier and has no accuracy: it is not drawn."
        )
    )


main(st.session_state["_selection"])
