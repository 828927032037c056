"""Attribution: why the network decided what it did, on the visitor's own image."""

import streamlit as st

from explorer.i18n import _
from explorer.tasks import Explain, Predict
from explorer.ui.attribution.controls import (
    choose_methods,
    choose_question,
    choose_target,
    map_controls,
    options_of,
)
from explorer.ui.attribution.maps import (
    Scene,
    compute,
    map_places,
    scale_for,
    show_bars,
    show_crop,
    show_difference,
    show_map,
    view_and_controls,
)
from explorer.ui.attribution.region import choose_box
from explorer.ui.jobs import run_task
from explorer.ui.page import how_computed, page_head
from explorer.ui.params import complaints_in
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
    view, controls = view_and_controls()
    with controls:
        photo = choose_photo(selection.spec.dataset)
        if photo is None:
            return
    with view:
        prediction = run_task(Predict(selection.ref, photo.data), _("Classifying"))
    with controls:
        methods = choose_methods(selection.spec.id)
        target = choose_target(selection.spec.dataset, prediction)
        with complaints_in(st.container()):
            asked = choose_question(selection.ref, selection.spec.dataset, methods)
            options = options_of(methods)
            look = map_controls(len(methods))
            box = choose_box()
    if prediction is None:
        return
    scene = Scene(prediction, photo.data, look, box)
    tasks = [
        Explain(selection.ref, photo.data, asked.request(name, target, options[name]))
        for name in methods
    ]
    with view:
        places = map_places(len(tasks))
        done = []
        for place, task in zip(places, tasks, strict=False):
            with place:
                found = compute(task, prediction)
                if found is not None:
                    done.append((place, task, found))
        maps = [found for _place, _task, found in done]
        scale = scale_for(maps, look)
        for place, task, found in done:
            with place:
                show_map(found, scene, task, scale)
        if not tasks:
            st.info(_("Choose a method to see a map."), icon=":material/frame_inspect:")
        if len(tasks) > 1 and maps:
            st.caption(
                _("All maps share one scale.") if look.shared else _("Each map has its own scale.")
            )
        if len(maps) > 1:
            show_difference(maps, look)
    with places[1] if len(tasks) == 1 else controls:
        show_crop(prediction)
        show_bars(prediction, own=photo.uploaded or selection.ref.file is not None)
    how_computed(
        _(
            "Every map explains the class's logit, or the score that the question names, on the "
            "image as the network sees it (the crop shown), mostly through Captum; each method's "
            "source is in the registry of methods. "
            "Colours are full at the percentile chosen. The checks of a map: deletion and "
            "insertion (Petsiuk et al. 2018) over 14 × 14 squares against five random orders, "
            "shuffled weights (Adebayo et al. 2018), rank agreement of methods, infidelity and "
            "max-sensitivity (Yeh et al. 2019)."
        )
    )


main(st.session_state["_selection"])
