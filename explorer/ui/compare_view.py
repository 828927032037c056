"""Two models side by side: the second one's choice, the numbers, the predictions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from explorer.catalog import find
from explorer.charts.attribution import probability_bars
from explorer.charts.compare import (
    CompareEntry,
    compare_bars,
    compare_predictions,
    compare_profiles,
)
from explorer.charts.costs import layer_costs
from explorer.errors import UnknownModelError
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.results import Prediction
from explorer.tasks import Predict
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.page import table_downloads
from explorer.ui.params import choice
from explorer.ui.photo import Photo
from explorer.ui.selection import UNTRAINED, Selection, curated_ids
from explorer.ui.viewport import viewport_width
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


def show_costs(pair: Sequence[Selection], graphs: Sequence[LayerGraph]) -> None:
    """The numbers as bars, and how multiply–accumulates add up along the depth."""
    names = _column_names(pair)
    width = viewport_width()
    entries = [
        CompareEntry(
            name,
            params=graph.total_params,
            macs=graph.total_macs,
            activation_bytes=graph.activation_bytes,
            top1=None
            if one.weights is None or one.spec.dataset != "imagenet"
            else one.weights.top1,
        )
        for name, one, graph in zip(names, pair, graphs, strict=True)
    ]
    show_figure(compare_bars(entries, width=width), "compare-bars")
    profiles = [(name, layer_costs(graph)) for name, graph in zip(names, graphs, strict=True)]
    with st.expander(_("Along the depth"), icon=":material/show_chart:"):
        show_figure(compare_profiles(profiles, width=width), "compare-profiles")


def _imagenet_top1(one: Selection) -> float | None:
    """Percent; None for a network of other data, which has no place on that axis."""
    if one.weights is None or one.weights.dataset != "imagenet":
        return None
    return one.weights.top1


def show_predictions(
    pair: Sequence[Selection], ready: Sequence[bool], choose: Callable[[str], Photo | None]
) -> None:
    """What each network says of one image; a network that is not ready is left out."""
    controls, view = st.columns([1, 2.6], gap="medium")
    with controls:
        photo = choose(pair[0].spec.dataset)
    if photo is None:
        return
    said: list[tuple[str, Prediction]] = []
    with view:
        names = _column_names(pair)
        for name, one, is_ready in zip(names, pair, ready, strict=True):
            if is_ready:
                label = _("Classifying with {model}").format(model=one.spec.name)
                prediction = run_task(Predict(one.ref, photo.data), label)
                if prediction is not None:
                    said.append((name, prediction))
        if len({one.spec.dataset for one in pair}) == 1 and len(said) == len(pair):
            _show_agreement(said)
        else:
            for name, prediction in said:
                st.markdown(f"**{name}**")
                show_figure(probability_bars(prediction), f"compare-{name}")


def _show_agreement(said: Sequence[tuple[str, Prediction]]) -> None:
    crop, bars = st.columns([1, 2.2], gap="medium")
    with crop:
        name, first = said[0]
        caption = _("The image as {model} sees it").format(model=name)
        st.image(first.crop, width="stretch", caption=caption, alt=caption)
        agree = len({prediction.top[0].index for _name, prediction in said}) == 1
        st.markdown(_("The two agree.") if agree else _("The two disagree on the first class."))
    with bars:
        show_figure(compare_predictions(said), "compare-predictions")
