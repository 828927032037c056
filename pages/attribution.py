"""Attribution: why the network decided what it did, on the visitor's own image."""

import streamlit as st

from explorer.attribution import METHODS, ExplainRequest
from explorer.charts.attribution import probability_bars
from explorer.i18n import _
from explorer.tasks import Explain, Predict
from explorer.ui.attribution_view import choose_method, choose_target, map_controls, show_map
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.page import how_computed, page_head
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
        if photo is None:
            return
    prediction = None
    with view:
        prediction = run_task(Predict(selection.ref, photo.data), _("Classifying"))
    with controls:
        method = choose_method()
        target = choose_target(selection.spec.dataset, prediction)
        look = map_controls()
    if prediction is None:
        return
    chosen = list(METHODS) if method == "all" else [method]
    with view:
        places = st.columns([1.5, 1] if len(chosen) == 1 else len(chosen), gap="medium")
        for place, name in zip(places, chosen, strict=False):
            with place:
                request = ExplainRequest(name, target=target)
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
