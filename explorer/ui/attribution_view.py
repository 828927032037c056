"""Maps on the attribution page: controls of the overlay, the picture, its downloads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, cast

import streamlit as st

from explorer.attribution import METHODS, Attribution, Method, Prediction, overlay, to_png
from explorer.catalog import class_labels, find
from explorer.catalog.spec import Dataset
from explorer.i18n import _
from explorer.ui.params import choice, flag, number

Mode = Literal["positive", "absolute", "signed"]


@dataclass(frozen=True, slots=True)
class Look:
    """How maps are laid over the image.

    Attributes:
        opacity: 0…1 of the coloured map.
        percentile: Of |map| that is drawn at full strength.
        mode: Which sign is drawn.
    """

    opacity: float
    percentile: float
    mode: Mode


def choose_method() -> str:
    """Draws the list of methods; gives an id of ``METHODS`` or "all"."""
    names = {name: _(method.name) for name, method in METHODS.items()}
    return choice(
        "method", _("Method"), names | {"all": _("all, side by side")}, default="grad_cam"
    )


def choose_target(dataset: Dataset, prediction: Prediction | None) -> int | None:
    """Draws the list of classes, the most probable first; gives the class to explain.

    Args:
        dataset: Decides the classes.
        prediction: None while it is being made; then the predicted class is explained.
    """
    labels = class_labels(dataset)
    best = () if prediction is None else prediction.top
    top = {str(score.index): f"{score.label} · {score.probability:.1%}" for score in best}
    rest = {str(number): label for number, label in enumerate(labels) if str(number) not in top}
    options = {"predicted": _("the most probable class")} | top | rest
    chosen = choice("target", _("Class to explain"), options)
    return None if chosen == "predicted" else int(chosen)


def map_controls() -> Look:
    """Draws the overlay's controls."""
    with st.expander(_("Overlay"), icon=":material/layers:"):
        mode = choice(
            "sign",
            _("Show"),
            {
                "positive": _("what speaks for the class"),
                "absolute": _("strength, either sign"),
                "signed": _("for and against"),
            },
        )
        opacity = number("opacity", _("Opacity (%)"), (0, 100), default=60, step=5)
        percentile = number("clip", _("Full strength at percentile"), (90, 100), default=99)
    return Look(opacity / 100, percentile, cast(Mode, mode))


def method_options(method: Method) -> dict[str, Any]:
    """Draws the method's own options and gives their values; all of them are in the URL."""
    values: dict[str, Any] = {}
    for option in method.options:
        key, title = f"{method.id}.{option.name}", _(option.title)
        if option.kind == "bool":
            values[option.name] = flag(key, title, default=bool(option.default))
        elif option.kind == "choice":
            labels = {name: _(label) for name, label in option.choices.items()}
            values[option.name] = choice(key, title, labels, default=str(option.default))
        else:
            bounds = (option.low, option.high)
            step = 1.0 if option.kind == "int" else 0.01
            values[option.name] = number(
                key, title, bounds, default=float(option.default), step=step
            )
    return values


def show_map(found: Attribution, look: Look) -> None:
    """One map over the crop, what it answers, how well it is founded, and its downloads."""
    method = METHODS[found.method]
    labels = class_labels(find(found.model).dataset)
    label = labels[found.target] if found.target < len(labels) else str(found.target)
    picture = to_png(
        overlay(
            found.crop, found.map, opacity=look.opacity, percentile=look.percentile, mode=look.mode
        )
    )
    caption = _("{method} for “{label}” ({probability:.1%})").format(
        method=_(method.name), label=label, probability=float(found.probabilities[found.target])
    )
    st.image(picture, caption=caption, width="stretch", alt=caption)
    st.caption(_(method.answer))
    facts = [_("{seconds:.2f} s").format(seconds=found.seconds)]
    if found.layer:
        facts.append(_("layer `{layer}`").format(layer=found.layer))
    if found.delta is not None:
        facts.append(_("completeness delta {delta:.1%}").format(delta=found.delta))
    st.caption(" · ".join(facts))
    for warning in found.warnings:
        st.warning(_(warning), icon=":material/info:")
    name = f"{found.model.replace('/', '-')}-{found.method}"
    with st.container(horizontal=True):
        st.download_button(
            _("PNG"), picture, f"{name}.png", "image/png", on_click="ignore",
            key=f"png-{found.method}", icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            _("JSON"), _document(found, label), f"{name}.json", "application/json",
            on_click="ignore", key=f"json-{found.method}", icon=":material/download:",
        )  # fmt: skip


def _document(found: Attribution, label: str) -> str:
    """All settings and the raw map as JSON."""
    return json.dumps(
        {
            "model": found.model,
            "weights": found.weights,
            "method": found.method,
            "target": {"index": found.target, "label": label},
            "layer": found.layer,
            "options": found.options,
            "completeness_delta": found.delta,
            "seconds": found.seconds,
            "warnings": list(found.warnings),
            "map": [[round(float(value), 7) for value in row] for row in found.map],
        },
        ensure_ascii=False,
    )
