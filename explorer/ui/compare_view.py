"""Two models side by side: the second one's choice, the numbers, the predictions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from explorer.catalog import find
from explorer.charts.attribution import probability_bars
from explorer.errors import UnknownModelError
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.tasks import Predict
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.page import table_downloads
from explorer.ui.params import choice
from explorer.ui.photo import Photo
from explorer.ui.selection import UNTRAINED, Selection, curated_ids
from explorer.weights import default_weights


def pick_other(selection: Selection) -> Selection:
    """The model to compare with (``?other=``) and its weights (``?other_weights=``)."""
    left, right = st.columns(2)
    options = list(curated_ids())
    asked = st.query_params.get("other")
    if asked is not None and asked not in options:
        with contextlib.suppress(UnknownModelError):  # the control says so, with what it takes
            options.insert(0, find(asked).id)
    default = "lenet5" if selection.spec.dataset == "mnist" else "resnet50"
    with left:
        spec = find(choice("other", _("Compared with"), options, default=default))
    offered = {weights.id: weights.id for weights in spec.weights} | {UNTRAINED: _("untrained")}
    with right:
        chosen = choice(
            "other_weights", _("Its weights"), offered, default=default_weights(spec) or UNTRAINED
        )
    return Selection(spec, next((w for w in spec.weights if w.id == chosen), None))


def show_numbers(pair: Sequence[Selection], graphs: Sequence[LayerGraph]) -> None:
    """The table of costs with the ratio of the second to the first."""
    first, second = pair
    names = _column_names(pair)
    rows: list[dict[str, Any]] = []

    def row(what: str, values: Sequence[float | None], form: str) -> None:
        known = [value for value in values if value is not None]
        texts = ["–" if value is None else form.format(value) for value in values]
        ratio = f"{known[1] / known[0]:.2f}×" if len(known) == 2 and known[0] else "–"
        rows.append(
            {_("Quantity"): what, names[0]: texts[0], names[1]: texts[1], _("Ratio"): ratio}
        )

    row(_("Parameters (million)"), [graph.total_params / 1e6 for graph in graphs], "{:.2f}")
    row(_("Multiply–accumulates (GMACs)"), [graph.total_macs / 1e9 for graph in graphs], "{:.3f}")
    row(_("FLOPs (G, 2 × MACs)"), [2 * graph.total_macs / 1e9 for graph in graphs], "{:.3f}")
    row(
        _("Activation memory (MiB, fp32)"),
        [graph.activation_bytes / 2**20 for graph in graphs], "{:.1f}",
    )  # fmt: skip
    row(_("Operations in the graph"), [float(len(graph.ops)) for graph in graphs], "{:.0f}")
    if first.spec.dataset == second.spec.dataset == "imagenet":
        weights = [one.weights for one in pair]
        row(_("Top-1, published (%)"), [None if w is None else w.top1 for w in weights], "{:.2f}")
        row(_("Top-5, published (%)"), [None if w is None else w.top5 for w in weights], "{:.2f}")
    st.dataframe(rows, hide_index=True)
    about = {names[number]: one.ref.model for number, one in enumerate(pair)}
    table_downloads("compare", rows, about)


def _column_names(pair: Sequence[Selection]) -> list[str]:
    names = [one.spec.name for one in pair]
    if names[0] == names[1]:
        names = [f"{name} ({number})" for number, name in enumerate(names, 1)]
    return names


def show_predictions(
    pair: Sequence[Selection], ready: Sequence[bool], choose: Callable[[str], Photo | None]
) -> None:
    """What each network says of one image; a network that is not ready is left out."""
    controls, *places = st.columns([1, 1.3, 1.3], gap="medium")
    with controls:
        photo = choose(pair[0].spec.dataset)
    if photo is None:
        return
    best: list[str] = []
    for number, (one, place) in enumerate(zip(pair, places, strict=True)):
        with place:
            st.markdown(f"**{one.spec.name}**")
            if not ready[number]:
                continue
            label = _("Classifying with {model}").format(model=one.spec.name)
            prediction = run_task(Predict(one.ref, photo.data), label)
            if prediction is None:
                continue
            st.image(
                prediction.crop,
                width=200,
                alt=_("The image as {model} sees it").format(model=one.spec.name),
            )
            show_figure(probability_bars(prediction), f"compare-{number}")
            best.append(prediction.top[0].label)
    if len(best) == 2 and pair[0].spec.dataset == pair[1].spec.dataset:
        agree = best[0] == best[1]
        st.markdown(_("The two agree.") if agree else _("The two disagree on the first class."))
