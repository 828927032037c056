"""What a method and its options are, as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from explorer.errors import AttributionError
from explorer.i18n import N_

Family = Literal["gradient", "cam", "perturbation", "attention", "propagation", "activation"]
Need = Literal["forward", "gradient", "layer", "relu", "attention"]
Suits = Literal["cnn", "vit", "swin"]
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
        times: Multiplies both where no single option does: options → factor.
        more: Forward passes that ``per`` does not multiply.
    """

    forward: int
    backward: int
    per: str = ""
    times: Callable[[Mapping[str, Any]], int] | None = None
    more: int = 0

    def passes(self, options: Mapping[str, Any]) -> tuple[int, int]:
        """(forward, backward) with these options, all filled in."""
        factor = int(options[self.per]) if self.per else 1
        times = self.times(options) if self.times else 1
        return (self.forward * factor + self.more) * times, self.backward * factor * times


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
        captum: Dotted name of the class that computes it, or whose numbers ours are; "" where
            Captum has none.
        suits: Kinds of networks that it was made for: "cnn", "vit" (class token or mean of
            tokens), "swin" (attention in windows). Others may work, and are refused if not.
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
    suits: frozenset[Suits] = frozenset({"cnn", "vit", "swin"})
