"""Accuracy against operations: the front page, the 2016 chart alive."""

import streamlit as st

from explorer.charts.bubble import bubble_chart
from explorer.i18n import _
from explorer.ui.bubble.controls import Choices, choose, count_sentence
from explorer.ui.bubble.embed import embedded, hide_frame
from explorer.ui.bubble.figure import show_bubbles, show_lasso
from explorer.ui.bubble.notes import notes
from explorer.ui.kept import kept_figure
from explorer.ui.links import open_row
from explorer.ui.page import how_computed, page_head
from explorer.ui.public import when_opened
from explorer.ui.selection import Selection
from explorer.ui.viewport import viewport_width


def main(selection: Selection) -> None:
    alone = embedded()
    if alone:
        hide_frame()
    else:
        page_head(
            _("Accuracy vs operations"),
            _(
                "Up is more accurate, left is cheaper, larger is more parameters. Click a "
                "circle to choose it; draw a lasso to list networks."
            ),
        )
    width = viewport_width()
    with st.container(key="bubble-controls"):
        choices = choose(width, selection.spec.id, tall=width * 9 // 16 if alone else 0)
    if choices.data == "measured" and not choices.total:
        _invite()
    else:
        _show(choices, selection, alone)


def _show(choices: Choices, selection: Selection, alone: bool) -> None:
    figure = kept_figure(bubble_chart, tuple(choices.rows), choices.options)
    show_bubbles(figure, choices.data)
    said = [count_sentence(choices), *notes(choices.rows, choices.options)]
    st.caption("  \n".join(filter(None, said)))
    if alone:
        return
    open_row(selection.spec.id, selection.spec.name, selection)
    show_lasso(choices.rows)
    if choices.rows:
        from explorer.ui.bubble.companions import show_companions
        from explorer.ui.bubble.exports import show_exports

        show_companions(choices.rows, choices.options, choices.data)
        exports = st.expander(
            _("As a picture, as a table"), icon=":material/download:", on_change=when_opened(),
            key="exports",
        )  # fmt: skip
        if exports.open is not False:
            with exports:
                show_exports(figure, choices.rows, f"accuracy-{choices.data}")
    _explain()


def _invite() -> None:
    """Nothing was measured yet: where to begin."""
    st.info(
        _("Nothing has been measured on this machine yet. Measure a network, then it stands here."),
        icon=":material/speed:",
    )
    page = st.session_state["_pages"]["latency.py"]
    st.page_link(page, label=_("Measure a network"), icon=page.icon)


def _explain() -> None:
    how_computed(
        _(
            "2016: top-1, operations and parameters as plotted in figure 2 of Canziani, Paszke & "
            "Culurciello ([arXiv:1605.07678](https://arxiv.org/abs/1605.07678)); operations are "
            "about 2 × multiply–accumulates. Today: what torchvision and timm publish with their "
            "weights; accuracies are for different crops and training recipes, named on each card. "
            "VGG-16's IMAGENET1K_FEATURES is no classifier and has no accuracy: it is not drawn. "
            "All of timm's results: its tables of 2025 and 2026, accuracy joined with speed by "
            "architecture and image side; its GMACs and activations are its own counts, training "
            "data are read from the weights' tag. Measured here: this machine's median time, with "
            "the accuracy that was published."
        )
    )


main(st.session_state["_selection"])
