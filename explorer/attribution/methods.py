"""The attribution methods as data: what each answers, its options, needs, price and source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from explorer.errors import AttributionError
from explorer.i18n import N_

Family = Literal["gradient", "cam", "perturbation", "attention", "propagation", "activation"]
Need = Literal["gradient", "layer", "relu", "attention"]
OptionKind = Literal["bool", "int", "float", "choice"]


@dataclass(frozen=True, slots=True)
class Option:
    """One knob of a method.

    Attributes:
        name: Key in ``ExplainRequest.options``.
        title: English, marked for translation.
        kind: Type of the value.
        default: Used when the request says nothing.
        low: Smallest value of a number.
        high: Largest value of a number.
        choices: Value → English title, of a choice.
        help: One sentence, marked for translation.
    """

    name: str
    title: str
    kind: OptionKind
    default: bool | int | float | str
    low: float = -math.inf
    high: float = math.inf
    choices: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    help: str = ""

    def check(self, value: Any) -> bool | int | float | str:
        """The value in its own type; text ("true", "50") is read as in a URL.

        Raises:
            AttributionError: Of another type, or out of range.
        """
        if self.kind == "choice":
            if isinstance(value, str) and value in self.choices:
                return value
            raise AttributionError(
                N_("The option {name} cannot be {value}; choose one of {choices}."),
                name=self.name,
                value=repr(value),
                choices=", ".join(self.choices),
            )
        if self.kind == "bool":
            known = {True: True, False: False, "true": True, "false": False}
            if isinstance(value, bool | str) and value in known:
                return known[value]
            raise AttributionError(
                N_("The option {name} cannot be {value}; choose true or false."),
                name=self.name,
                value=repr(value),
            )
        number = _number(value, whole=self.kind == "int")
        if number is None or not self.low <= number <= self.high:
            raise AttributionError(
                N_("The option {name} cannot be {value}; choose a number from {low} to {high}."),
                name=self.name,
                value=repr(value),
                low=self.low,
                high=self.high,
            )
        return number


def _number(value: Any, *, whole: bool) -> int | float | None:
    """The number that a value stands for; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if not math.isfinite(number) or (whole and number != int(number)):
        return None
    return int(number) if whole else number


@dataclass(frozen=True, slots=True)
class Cost:
    """Price of one map in passes of one image through the network.

    Attributes:
        forward: Forward passes, apart from the one that predicts.
        backward: Backward passes.
        per: Option that multiplies both; "" for none.
    """

    forward: int
    backward: int
    per: str = ""

    def passes(self, options: Mapping[str, Any]) -> tuple[int, int]:
        """(forward, backward) with these options, all filled in."""
        times = int(options[self.per]) if self.per else 1
        return self.forward * times, self.backward * times


@dataclass(frozen=True, slots=True)
class Method:
    """One way of explaining.

    Attributes:
        id: Key in ``METHODS`` and in URLs.
        name: English, marked for translation.
        family: What kind of method it is.
        answer: What the map says, two sentences, marked for translation.
        options: Its knobs.
        needs: What the network must offer.
        reference: Authors, title, where published.
        url: Of the publication.
        cost: Price of one map.
        signed: Whether negative values speak against the class; else the map is ≥ 0.
        complete: Whether the map sums to a difference of outputs, so that a delta can be told.
        captum: Dotted name of the class that computes it; "" for own code.
    """

    id: str
    name: str
    family: Family
    answer: str
    options: tuple[Option, ...]
    needs: frozenset[Need]
    reference: str
    url: str
    cost: Cost
    signed: bool
    complete: bool = False
    captum: str = ""


#: Colours, on the 0…1 pixel scale, that stand for "nothing there".
BASELINES = MappingProxyType(
    {
        "black": N_("Black"),
        "white": N_("White"),
        "grey": N_("Grey"),
        "mean": N_("The photo's mean colour"),
        "blurred": N_("The photo, blurred"),
    }
)

_SALIENCY = Method(
    id="saliency",
    name=N_("Saliency"),
    family="gradient",
    answer=N_(
        "Which pixels would change the score of the class most if they changed a little? It "
        "shows the absolute gradient of the logit with respect to the normalised input, one value "
        "a pixel."
    ),
    options=(
        Option(
            "channels",
            N_("Colour channels"),
            "choice",
            "max",
            choices=MappingProxyType({"max": N_("Largest"), "mean": N_("Mean")}),
            help=N_("How the values of red, green and blue become one."),
        ),
    ),
    needs=frozenset({"gradient"}),
    reference="K. Simonyan, A. Vedaldi, A. Zisserman: Deep Inside Convolutional Networks: "
    "Visualising Image Classification Models and Saliency Maps. ICLR Workshop 2014",
    url="https://arxiv.org/abs/1312.6034",
    cost=Cost(1, 1),
    signed=False,
    captum="captum.attr.Saliency",
)

_INTEGRATED_GRADIENTS = Method(
    id="integrated_gradients",
    name=N_("Integrated gradients"),
    family="gradient",
    answer=N_(
        "How much did each pixel add to the score on the way from a baseline image to this one? "
        "Positive pixels speak for the class, negative ones against it, and together they make up "
        "the difference of the two scores."
    ),
    options=(
        Option("baseline", N_("Baseline"), "choice", "black", choices=BASELINES),
        Option(
            "steps",
            N_("Steps"),
            "int",
            50,
            low=2,
            high=1000,
            help=N_("Gauss–Legendre points on the straight line from the baseline to the image."),
        ),
        Option(
            "adaptive",
            N_("More steps until converged"),
            "bool",
            True,
            help=N_("Doubles the steps until the completeness delta is under 2 %."),
        ),
        Option(
            "max_steps",
            N_("Steps at most"),
            "int",
            200,
            low=2,
            high=1000,
            help=N_("Where doubling the steps ends."),
        ),
    ),
    needs=frozenset({"gradient"}),
    reference="M. Sundararajan, A. Taly, Q. Yan: Axiomatic Attribution for Deep Networks. "
    "ICML 2017",
    url="https://arxiv.org/abs/1703.01365",
    cost=Cost(1, 1, per="steps"),
    signed=True,
    complete=True,
    captum="captum.attr.IntegratedGradients",
)

_GRAD_CAM = Method(
    id="grad_cam",
    name=N_("Grad-CAM"),
    family="cam",
    answer=N_(
        "Which regions hold the features that speak for the class? It weighs the maps of one "
        "layer, by default the last spatial one, with their mean gradient, so it is coarse but "
        "hard to mislead by single pixels."
    ),
    options=(
        Option(
            "relu",
            N_("Only what speaks for the class"),
            "bool",
            True,
            help=N_("Sets negative values to zero, as the paper does."),
        ),
    ),
    needs=frozenset({"gradient", "layer"}),
    reference="R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra: Grad-CAM: "
    "Visual Explanations from Deep Networks via Gradient-based Localization. ICCV 2017",
    url="https://arxiv.org/abs/1610.02391",
    cost=Cost(1, 1),
    signed=True,
    captum="captum.attr.LayerGradCam",
)

#: Every method by id, in the order in which pages offer them.
METHODS: Mapping[str, Method] = MappingProxyType(
    {method.id: method for method in (_SALIENCY, _INTEGRATED_GRADIENTS, _GRAD_CAM)}
)


def find_method(id: str) -> Method:
    """The method of this id.

    Raises:
        AttributionError: There is none.
    """
    method = METHODS.get(id)
    if method is None:
        raise AttributionError(
            N_("There is no attribution method named {method}; choose one of {known}."),
            method=repr(id),
            known=", ".join(METHODS),
        )
    return method


def fill_options(method: Method, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a method: the given ones checked, the others at their defaults.

    Raises:
        AttributionError: An option that the method does not have, or a value out of range.
    """
    known = {option.name: option for option in method.options}
    for name in given:
        if name not in known:
            raise AttributionError(
                N_("{method} has no option {name}; its options are {known}."),
                method=method.name,
                name=repr(name),
                known=", ".join(known),
            )
    return {
        name: option.check(given[name]) if name in given else option.default
        for name, option in known.items()
    }
