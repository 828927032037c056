"""The checks of a map as data: what each asks, what it costs, when it counts as passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from explorer.attribution.methods import METHODS, fill_options
from explorer.i18n import N_
from explorer.requests import AssessRequest
from explorer.results import PerturbationCurve, TrustCard

#: Completeness delta up to which a map adds up.
DELTA_LIMIT = 0.02
#: Rank correlation with the shuffled network's map from which on the map ignores the weights.
RANDOMISATION_LIMIT = 0.5
#: Random orders of the deletion curve that the map has to beat: all. By chance one of N + 1 does.
BETTER_THAN = 1.0
#: Relative change of the map under 2 % noise above which it is unstable: more than the map itself.
SENSITIVITY_LIMIT = 1.0
#: A map of at most this many passes (``map_passes``) is cheap enough to be made on the side.
CHEAP_PASSES = 4
#: Cheap methods that a map is compared with, at most.
MOST_COMPANIONS = 4


@dataclass(frozen=True, slots=True)
class Check:
    """One question to a map.

    Attributes:
        id: In ``AssessRequest.checks``.
        title: English, marked for translation.
        asks: One sentence, marked for translation.
        reference: Where it is from.
    """

    id: str
    title: str
    asks: str
    reference: str


#: By id, in the order in which they are shown; they run from the cheapest to the dearest.
CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        check.id: check
        for check in (
            Check(
                "curves",
                N_("Deletion and insertion"),
                N_(
                    "Does the class fall faster when the strongest places are taken out first, "
                    "and rise faster when they are put in first, than in random orders?"
                ),
                "V. Petsiuk, A. Das, K. Saenko: RISE. BMVC 2018",
            ),
            Check(
                "randomisation",
                N_("Shuffled weights"),
                N_("Does the map change when the network forgets all that it has learned?"),
                "J. Adebayo et al.: Sanity Checks for Saliency Maps. NeurIPS 2018",
            ),
            Check(
                "agreement",
                N_("Agreement"),
                N_("Do other methods of the same price rank the places in the same way?"),
                "S. Krishna et al.: The Disagreement Problem in Explainable Machine Learning. 2022",
            ),
            Check(
                "infidelity",
                N_("Infidelity"),
                N_("Does the map's sum over a square predict what removing the square does?"),
                "C.-K. Yeh et al.: On the (In)fidelity and Sensitivity of Explanations. "
                "NeurIPS 2019",
            ),
            Check(
                "sensitivity",
                N_("Max-sensitivity"),
                N_("Does the map stay the same under noise that nobody sees?"),
                "C.-K. Yeh et al.: On the (In)fidelity and Sensitivity of Explanations. "
                "NeurIPS 2019",
            ),
        )
    }
)


def map_passes(method: str, options: Mapping[str, Any] = MappingProxyType({})) -> int:
    """Price of a map in forward passes of one image, a backward pass counted as two of them.

    Args:
        method: Id in ``METHODS``.
        options: The method's own; missing ones at their defaults.
    """
    found = METHODS[method]
    forward, backward = found.cost.passes(fill_options(found, options))
    return 1 + forward + 2 * backward


def companions(method: str) -> tuple[str, ...]:
    """The cheap methods that a map is compared with."""
    cheap = [name for name in METHODS if name != method and map_passes(name) <= CHEAP_PASSES]
    return tuple(cheap[:MOST_COMPANIONS])


def shuffles(request: AssessRequest) -> int:
    """How often the weights are shuffled: the mean of three where a map is cheap, else once."""
    one = map_passes(request.explain.method, request.explain.options)
    return 3 if one <= CHEAP_PASSES else 1


def check_passes(request: AssessRequest) -> dict[str, int]:
    """Price of each wanted check in forward passes, the cheapest first."""
    one = map_passes(request.explain.method, request.explain.options)
    prices = {
        "curves": 2 * (1 + request.orders) * (request.steps + 1),
        "randomisation": shuffles(request) * one,
        "agreement": sum(map_passes(name) for name in companions(request.explain.method)),
        "infidelity": 2 * request.samples,
        "sensitivity": (1 + request.noises) * one,
    }
    wanted = {check: passes for check, passes in prices.items() if check in request.checks}
    return dict(sorted(wanted.items(), key=lambda item: item[1]))


UNTRAINED = N_("The network is untrained: the map explains noise.")
FLAT = N_("The map is flat: it says nothing about the image.")
IGNORES_WEIGHTS = N_(
    "Do not rely on it: with shuffled weights the map stays much the same (rank correlation "
    "{randomisation:.2f}, limit {limit:g}), so it shows the image, not what the network learned."
)
NO_BETTER = N_(
    "Read it with care: removing its strongest places first beats only {better} of {orders} random "
    "orders."
)
NOT_COMPLETE = N_(
    "Read it with care: the map misses the difference of outputs by {delta:.1%}, more than "
    "{limit:.0%}."
)
UNSTABLE = N_(
    "Read it with care: noise of 2 % changes the map by {sensitivity:.0%} of itself, more than "
    "{limit:.0%}."
)
NOTHING_AGAINST = N_("Nothing speaks against the map: {passed} of {passed} checks passed.")
NOT_CHECKED = N_("Not one of the chosen checks gives a limit to judge this map by.")


def judged(card: TrustCard) -> TrustCard:
    """The card with its verdict: the gravest finding, by the limits above, in one sentence."""
    level, verdict, values = _verdict(card)
    return replace(card, level=level, verdict=verdict, values=values)


def _verdict(card: TrustCard) -> tuple[str, str, dict[str, Any]]:
    if card.weights is None:
        return "noise", UNTRAINED, {}
    if card.flat:
        return "bad", FLAT, {}
    passed = 0
    if card.randomisation is not None:
        if card.randomisation >= RANDOMISATION_LIMIT:
            values = {"randomisation": card.randomisation, "limit": RANDOMISATION_LIMIT}
            return "bad", IGNORES_WEIGHTS, values
        passed += 1
    if card.deletion is not None:
        better, orders = card.deletion.better_than, len(card.deletion.random_scores)
        if not _beats(card.deletion):
            return "care", NO_BETTER, {"better": better, "orders": orders}
        passed += 1
    if card.delta is not None:
        if card.delta > DELTA_LIMIT:
            return "care", NOT_COMPLETE, {"delta": card.delta, "limit": DELTA_LIMIT}
        passed += 1
    if card.sensitivity is not None:
        if card.sensitivity > SENSITIVITY_LIMIT:
            values = {"sensitivity": card.sensitivity, "limit": SENSITIVITY_LIMIT}
            return "care", UNSTABLE, values
        passed += 1
    return ("good", NOTHING_AGAINST, {"passed": passed}) if passed else ("care", NOT_CHECKED, {})


def _beats(curve: PerturbationCurve) -> bool:
    return curve.better_than >= BETTER_THAN * len(curve.random_scores)
