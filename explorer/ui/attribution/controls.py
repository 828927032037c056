"""What the visitor chooses on the attribution page; all of it is in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import streamlit as st

from explorer.attribution import METHODS, ExplainRequest, Method, Prediction
from explorer.attribution.outcomes import outcome
from explorer.attribution.quality_plan import map_passes
from explorer.catalog import class_labels
from explorer.catalog.spec import Dataset
from explorer.i18n import _
from explorer.requests import ModelRef
from explorer.results import SpatialLayer
from explorer.tasks import SpatialLayers
from explorer.ui.folding import folded, in_popover
from explorer.ui.jobs import run_task
from explorer.ui.params import choice, flag, number, several
from explorer.ui.public import when_opened
from explorer.ui.text import plain

Mode = Literal["positive", "absolute", "signed"]
#: Maps at once: more would be too small to compare.
MOST_MAPS = 6
TOUR_LENGTH = 5
#: Classes whose scores are added to the first one's.
MOST_CLASSES = 4


@dataclass(frozen=True, slots=True)
class Look:
    """How maps are drawn.

    Attributes:
        opacity: 0…1 of the coloured map.
        percentile: Of |map| that is drawn at full strength.
        mode: Which sign is drawn.
        smoothing: Standard deviation of a Gaussian over the map, as a share of the image's side.
        shared: One scale for all maps instead of each its own.
        values: Draw maps whose values can be read with the pointer.
    """

    opacity: float
    percentile: float
    mode: Mode
    smoothing: float = 0.0
    shared: bool = False
    values: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of the network, beside the class.

    Attributes:
        against: Class whose score is subtracted ("A rather than B"); None for none.
        also: Further classes, whose scores are added.
        output: "logit" or "probability".
        layer: Module path for the methods that read a layer; None for their default.
        channels: Whether the values by colour channel are wanted too.
    """

    against: int | None = None
    also: tuple[int, ...] = ()
    output: str = "logit"
    layer: str | None = None
    channels: bool = False

    def request(self, method: str, target: int | None, options: dict[str, Any]) -> ExplainRequest:
        """What is asked of one method; a layer is for those that read one."""
        layer = self.layer if "layer" in METHODS[method].needs else None
        return ExplainRequest(
            method, target, layer, options, self.also, self.against, self.output, self.channels
        )


def tour() -> list[str]:
    """The five cheapest methods that work without attention, in the registry's order."""
    fitting = [name for name, method in METHODS.items() if "attention" not in method.needs]
    cheapest = sorted(fitting, key=map_passes)[:TOUR_LENGTH]
    return [name for name in METHODS if name in cheapest]


def refusal(method: str, model_id: str) -> str | None:
    """Why this network refuses a method, as found by trying; None where it does not."""
    found = outcome(method, model_id)
    if found is None or found.status != "refused":
        return None
    return " ".join(_(reason).format(**found.values) for reason in found.reasons)


def choose_methods(model_id: str) -> list[str]:
    """Draws the methods and the tour's button; gives ids of ``METHODS``.

    Those that the network refuses are last and say so.

    ``?method=`` of one map, and ``?method=all`` for the tour, are read and become ``?methods=``.
    """
    state, asked = st.session_state, st.query_params.get("method")
    if state["_page_changed"] or "methods" in st.query_params:
        state["_bad_method"] = None
    if asked is not None and "methods" not in st.query_params:
        _take_single(asked)
    if state.get("_bad_method") is not None:
        st.warning(
            _("“{value}” is no attribution method; choose one of the list.").format(
                value=plain(state["_bad_method"])
            ),
            icon=":material/link_off:",
        )
    state["_url_writes"]["method"] = None
    refused = {name for name in METHODS if refusal(name, model_id) is not None}
    names = {name: _(method.name) for name, method in METHODS.items() if name not in refused}
    names |= {
        name: _("{method} (not for this network)").format(method=_(METHODS[name].name))
        for name in METHODS
        if name in refused
    }
    chosen = several("methods", _("Methods"), names, default=["grad_cam"], most=MOST_MAPS)
    st.button(
        _("Tour of five methods"), on_click=_start_tour, icon=":material/tour:", key="tour",
        width="stretch", help=_("The five cheapest, side by side."),
    )  # fmt: skip
    return chosen


def _take_single(asked: str) -> None:
    if asked != "all" and asked not in METHODS:
        st.session_state["_bad_method"] = asked
        return
    ids = tour() if asked == "all" else [asked]
    st.session_state["_w_methods"] = ids
    # As if it had been chosen before, so that a page that just opened begins with it.
    st.session_state.setdefault("_params", {})["methods"] = ",".join(ids), ids


def _start_tour() -> None:
    st.session_state["_w_methods"] = tour()


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


def choose_question(ref: ModelRef, dataset: Dataset, methods: list[str]) -> Question:
    """Draws what else can be asked than one class's logit; the layer where a method reads one.

    Args:
        ref: The network, whose layers are offered where a method reads one.
        dataset: Decides the classes.
        methods: Ids that were chosen.
    """
    labels = {str(number): label for number, label in enumerate(class_labels(dataset))}
    question = st.popover(
        _("Question"), icon=":material/help_center:", width="stretch", key="question",
        on_change=when_opened(),
    )  # fmt: skip
    with in_popover(question):
        against = choice("against", _("Rather than"), {"none": _("no other class")} | labels)
        also = several("also", _("Together with"), labels, default=(), most=MOST_CLASSES)
        outputs = {"logit": _("logit"), "probability": _("probability")}
        output = choice("output", _("Score"), outputs, kind="segmented")
        channels = dataset != "mnist" and flag("channels", _("Values by colour channel too"))
        layer = ""
        if any("layer" in METHODS[name].needs for name in methods):
            layer = choose_layer(ref)
    return Question(
        None if against == "none" else int(against),
        tuple(int(number) for number in also),
        output,
        layer or None,
        channels,
    )


def choose_layer(ref: ModelRef) -> str:
    """Draws the layers that lie over the image; gives a module path, "" for the method's own.

    While they are looked for, and where nobody sees the list, the address says which one is meant.
    """
    if folded():
        return st.query_params.get("layer", "")
    found: tuple[SpatialLayer, ...] | None = run_task(SpatialLayers(ref), _("Looking for layers"))
    if found is None:
        return st.query_params.get("layer", "")
    options = {"": _("the last spatial one")} | {
        layer.path: f"{layer.path} · {layer.kind} · {layer.channels}×{layer.height}×{layer.width}"
        for layer in found
    }
    return choice("layer", _("Layer"), options)


def take_bar(data: list[Any]) -> None:
    """Makes the class whose bar was clicked the one to explain."""
    if data:
        st.session_state["_w_target"] = str(data[0])


def map_controls(count: int) -> Look:
    """Draws the overlay's controls.

    Args:
        count: Maps on the page; the shared scale is offered from two on.
    """
    overlay = st.popover(
        _("Overlay"), icon=":material/layers:", width="stretch", key="overlay",
        on_change=when_opened(),
    )  # fmt: skip
    with in_popover(overlay):
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
        smoothing = number("smooth", _("Smoothing (% of the side)"), (0, 10), default=0)
        values = flag("values", _("Read values with the pointer"))
        shared = count > 1 and flag("shared", _("One scale for all maps"))
    return Look(opacity / 100, percentile, cast(Mode, mode), smoothing / 100, shared, values)


def options_of(methods: list[str]) -> dict[str, dict[str, Any]]:
    """Draws the options of the chosen methods in one place; gives them by method."""
    found: dict[str, dict[str, Any]] = {name: {} for name in methods}
    if not any(METHODS[name].options for name in methods):
        return found
    popover = st.popover(
        _("Options of the methods"), icon=":material/tune:", width="stretch", key="options",
        on_change=when_opened(),
    )  # fmt: skip
    with in_popover(popover):
        for name in methods:
            if METHODS[name].options:
                if not folded():
                    st.markdown(f"**{_(METHODS[name].name)}**")
                found[name] = method_options(METHODS[name])
    return found


def method_options(method: Method) -> dict[str, Any]:
    """Draws the method's own options and gives those that differ from their defaults."""
    values: dict[str, Any] = {}
    for option in method.options:
        key, title = f"{method.id}.{option.name}", _(option.title)
        if option.kind == "bool":
            value: Any = flag(key, title, default=bool(option.default))
        elif option.kind == "choice":
            labels = {name: _(label) for name, label in option.choices.items()}
            value = choice(key, title, labels, default=str(option.default))
        else:
            bounds = (option.low, option.high)
            step = 1.0 if option.kind == "int" else 0.01
            value = number(key, title, bounds, default=float(option.default), step=step)
        if value != option.default:
            values[option.name] = value
    return values


def pass_seconds(prediction: Prediction, known: Mapping[str, tuple[float, int]]) -> float:
    """Seconds of one forward pass on this machine: the least that was measured.

    Args:
        prediction: Its pass may have been the network's first, which is slower.
        known: Method → (seconds, passes) of the maps that were computed.
    """
    return min([prediction.seconds, *(seconds / passes for seconds, passes in known.values())])
