"""Attribution: why the network decided what it did, on the visitor's own image."""

import streamlit as st

from explorer.attribution import METHODS, ExplainRequest
from explorer.catalog import class_labels
from explorer.charts.attribution import probability_bars
from explorer.i18n import _
from explorer.tasks import Explain, Predict
from explorer.ui.attribution_view import map_controls, show_map
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.page import how_computed, page_head
from explorer.ui.params import choice
from explorer.ui.photo import choose_photo
from explorer.ui.selection import Selection
from explorer.ui.weights_view import weights_ready


def main(selection: Selection) -> None:
    page_head(
        _("Attribution"),
        _("Which pixels speak for the class? Warm colours mark where the map is strongest."),
        selection,
    )
    if not weights_ready(selection):
        return
    controls, view = st.columns([1, 2.6], gap="medium")
    with controls:
        photo = choose_photo(selection.spec.dataset)
        look = map_controls()
    if photo is None:
        return
    with view:
        prediction = run_task(Predict(selection.ref, photo.data), _("Classifying"))
        if prediction is None:
            return
        methods, target = st.columns([1.4, 1], vertical_alignment="bottom")
        with methods:
            method = choice(
                "method",
                _("Method"),
                {name: _(known.name) for name, known in METHODS.items()} | {"all": _("All")},
                default="grad_cam",
                kind="segmented",
            )
        with target:
            labels = class_labels(selection.spec.dataset)
            top = {
                str(score.index): f"{score.label} · {score.probability:.1%}"
                for score in prediction.top
            }
            rest = {str(i): label for i, label in enumerate(labels) if str(i) not in top}
            explained = choice("target", _("Class to explain"), top | rest)
        chosen = list(METHODS) if method == "all" else [method]
        places = st.columns(max(len(chosen), 2))
        for place, name in zip(places, chosen, strict=False):
            with place:
                request = ExplainRequest(name, target=int(explained))
                label = _("Computing {method}").format(method=_(METHODS[name].name))
                found = run_task(Explain(selection.ref, photo.data, request), label)
                if found is not None:
                    show_map(found, look)
        with places[-1] if len(chosen) == 1 else st.container():
            show_figure(probability_bars(prediction), "top5")
    how_computed(
        _(
            "Every map is computed by Captum on the image as the network sees it (the crop shown). "
            "Saliency is the gradient of the class's logit, Integrated Gradients sums "
            "gradients on the "
            "way from a black image, Grad-CAM weighs the last feature maps by their mean gradient."
        )
    )


main(st.session_state["_selection"])
