"""The checks of a map as ``assess`` makes them, with what all maps of an image share made once.

The random orders of the curves and the maps of the cheap methods that agreement is measured with
depend on image, network and target alone. A worker keeps them while one image follows another
method's: of the last image only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from explorer.errors import AttributionError
from explorer.requests import AssessRequest, ExplainRequest
from explorer.results import Attribution, FloatArray, TrustCard

if TYPE_CHECKING:
    from PIL import Image

    from explorer.zoo import LoadedModel

_SHARED = ("curves", "agreement")
Progress = Callable[[float, float], None]


@dataclass(slots=True)
class _Seen:
    """What is known of one image and network.

    Attributes:
        key: Of both.
        ranked: (method, target) → |map| over the squares; None where the method is refused.
        random: (target, steps, orders) → scores of the random orders.
    """

    key: str = ""
    ranked: dict[tuple[str, int], FloatArray | None] = field(default_factory=dict)
    random: dict[tuple[int, int, int], tuple[FloatArray, FloatArray]] = field(default_factory=dict)


class _Last(threading.local):
    seen = _Seen()


_last = _Last()


@dataclass(frozen=True, slots=True)
class Judged:
    """A map to be checked.

    Attributes:
        loaded: The network, held under its lock.
        image: The image.
        found: The map.
        key: The same for all maps of this network and image.
    """

    loaded: LoadedModel
    image: Image.Image
    found: Attribution
    key: str


def judge(subject: Judged, request: AssessRequest, progress: Progress) -> TrustCard:
    """The numbers of ``assess``; its verdict is not among them.

    Args:
        subject: The map.
        request: The checks.
        progress: Called before every chunk of passes; what it raises passes through.

    Raises:
        AttributionError: As ``assess``.
    """
    from explorer.attribution.quality import assess

    if _last.seen.key != subject.key:
        _last.seen = _Seen(subject.key)
    others = tuple(check for check in request.checks if check not in _SHARED)
    card = assess(
        subject.loaded, subject.image, replace(request, checks=others), subject.found,
        lambda done, of, _card: progress(done, of),
    )  # fmt: skip
    if "curves" in request.checks:
        card = _curves(subject, request, card, progress)
    if "agreement" in request.checks:
        card = _agreement(subject, card, progress)
    return card


def _curves(
    subject: Judged, request: AssessRequest, card: TrustCard, progress: Progress
) -> TrustCard:
    from explorer.attribution.quality_curves import curves
    from explorer.attribution.running import held, prepare

    run = prepare(subject.loaded, subject.image, progress)
    run.target, run.expected = subject.found.target, 2 * (1 + request.orders) * (request.steps + 1)
    asked = (subject.found.target, request.steps, request.orders)
    with held(run):
        deletion, insertion = curves(
            run, subject.found.map, steps=request.steps, orders=request.orders,
            random=_last.seen.random.get(asked),
        )  # fmt: skip
    _last.seen.random[asked] = (deletion.random_scores, insertion.random_scores)
    return replace(card, deletion=deletion, insertion=insertion)


def _agreement(subject: Judged, card: TrustCard, progress: Progress) -> TrustCard:
    from explorer.attribution.quality_plan import companions
    from explorer.attribution.quality_ranks import over_squares, spearman

    own = over_squares(np.abs(subject.found.map))
    found = {}
    for name in companions(card.method):
        other = _ranked(subject, name, progress)
        if other is not None:
            found[name] = spearman(own, other)
    return replace(card, agreement=found)


def _ranked(subject: Judged, method: str, progress: Progress) -> FloatArray | None:
    """|map| of a cheap method over the squares; None where it is not for this network."""
    from explorer.attribution.maps import explain
    from explorer.attribution.quality_ranks import over_squares

    place, ranked = (method, subject.found.target), _last.seen.ranked
    if place not in ranked:
        asked = ExplainRequest(method, target=subject.found.target)
        try:
            map = explain(subject.loaded, subject.image, asked, progress).map
            ranked[place] = over_squares(np.abs(map)).astype(np.float64)
        except AttributionError:
            ranked[place] = None
    return ranked[place]
