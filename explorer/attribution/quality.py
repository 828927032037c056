"""How far to believe a map: checks on demand, the cheapest first."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import nn

from explorer.attribution.maps import explain
from explorer.attribution.methods import find_method
from explorer.attribution.quality_curves import curves
from explorer.attribution.quality_metrics import sensitivity, unexplained
from explorer.attribution.quality_plan import (
    CHECKS,
    check_passes,
    companions,
    judged,
    map_passes,
    shuffles,
)
from explorer.attribution.quality_ranks import changed_ranks, over_squares, spearman
from explorer.attribution.running import Run, held, prepare
from explorer.errors import AttributionError
from explorer.i18n import N_
from explorer.module_state import preserved
from explorer.requests import AssessRequest, ExplainRequest
from explorer.results import Attribution, FloatArray, TrustCard

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

#: (passes done, passes expected, card so far)
CardProgress = Callable[[float, float, TrustCard | None], None]
SEED = 0


def assess(
    loaded: LoadedModel,
    image: Image.Image,
    request: AssessRequest,
    found: Attribution | None = None,
    progress: CardProgress | None = None,
) -> TrustCard:
    """Checks a map, the cheapest check first; the network is put back as it was.

    Args:
        loaded: The network, held under its lock.
        image: RGB, upright (``open_image``).
        request: The map and the checks.
        found: The map, where it is there already; computed otherwise.
        progress: Called before every chunk of passes and after every check; what it raises ends
            the checks and passes through.

    Raises:
        AttributionError: As ``explain``; a check that does not exist; numbers under 1.
    """
    _validate(request)
    start = time.perf_counter()
    prices = check_passes(request)
    first = 0 if found else map_passes(request.explain.method, request.explain.options)
    steps = _Steps(progress, first + sum(prices.values()))
    if found is None:
        with steps.of(first):
            found = explain(loaded, image, request.explain, steps.inner)
    subject = _Subject(loaded, image, request, _same(found, request.explain), found)
    flat = bool(np.ptp(found.map) <= 1e-6 * np.abs(found.map).max())
    card = TrustCard(
        found.model, found.weights, found.method, found.target, flat=flat, delta=found.delta
    )
    steps.card = judged(card)
    for check, passes in prices.items():
        with steps.of(passes):
            card = _RUN[check](subject, card, steps)
        card = judged(replace(card, seconds=time.perf_counter() - start))
        steps.card = card
    steps.inner(1, 1)
    return judged(card)


def _validate(request: AssessRequest) -> None:
    for check in request.checks:
        if check not in CHECKS:
            raise AttributionError(
                N_("There is no check named {check}; choose one of {known}."),
                check=repr(check),
                known=", ".join(CHECKS),
            )
    for name in ("steps", "orders", "samples", "noises"):
        if not 1 <= getattr(request, name) <= 1000:
            raise AttributionError(
                N_("{name} cannot be {value}; choose a number from 1 to 1000."),
                name=name,
                value=getattr(request, name),
            )


def _same(found: Attribution, request: ExplainRequest) -> ExplainRequest:
    """The request that repeats a map on another input, at the same price and the same layer."""
    options = dict(request.options)
    if "steps_used" in found.options:  # the search for enough steps is not repeated
        options |= {"adaptive": False, "steps": found.options["steps_used"]}
    layer = found.layer if "layer" in find_method(request.method).needs else request.layer
    return replace(request, target=found.target, layer=layer, options=options)


class _Steps:
    """Passes of several computations as one progress; hands out the card so far."""

    def __init__(self, progress: CardProgress | None, total: float) -> None:
        self.progress, self.total = progress, max(total, 1)
        self.before = self.share = 0.0
        self.card: TrustCard | None = None

    def of(self, passes: float) -> _Steps:
        """What comes now makes up this many passes."""
        self.share = passes
        return self

    def __enter__(self) -> _Steps:
        self.inner(0, 1)
        return self

    def __exit__(self, *error: object) -> None:
        self.before += self.share
        self.share = 0.0

    def inner(self, done: float, expected: float) -> None:
        """Progress of the present computation."""
        if self.progress is not None:
            part = min(done / expected, 1.0) if expected else 0.0
            self.progress(self.before + self.share * part, self.total, self.card)

    def part(self, number: int, of: int) -> Callable[[float, float], None]:
        """Progress of one of several equal parts of the present computation."""
        return lambda done, expected: self.inner(number + min(done / expected, 1.0), of)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is checked.

    Attributes:
        loaded: The network.
        image: The image.
        request: What to check.
        again: Repeats the map on another input.
        found: The map.
    """

    loaded: LoadedModel
    image: Image.Image
    request: AssessRequest
    again: ExplainRequest
    found: Attribution

    def run(self, steps: _Steps, expected: int) -> Run:
        """Network and image for forward passes."""
        run = prepare(self.loaded, self.image, steps.inner)
        run.target, run.expected = self.found.target, expected
        return run


def _curves(subject: _Subject, card: TrustCard, steps: _Steps) -> TrustCard:
    request = subject.request
    run = subject.run(steps, check_passes(request)["curves"])
    with held(run):
        deletion, insertion = curves(
            run, subject.found.map, steps=request.steps, orders=request.orders
        )
    return replace(card, deletion=deletion, insertion=insertion)


def _randomisation(subject: _Subject, card: TrustCard, steps: _Steps) -> TrustCard:
    loaded, own = subject.loaded, subject.found.map
    times = shuffles(subject.request)
    signed, strength = [], []
    for number in range(times):
        with preserved(loaded.module):  # a copy takes neither gradients nor hooks along
            shuffled = replace(loaded, module=shuffled_copy(loaded.module, SEED + number))
        other = explain(shuffled, subject.image, subject.again, steps.part(number, times)).map
        signed.append(changed_ranks(own, other))
        strength.append(changed_ranks(np.abs(own), np.abs(other)))
    return replace(
        card, randomisation=float(np.mean(signed)), randomisation_abs=float(np.mean(strength))
    )


def shuffled_copy(module: nn.Module, seed: int, last: int | None = None) -> nn.Module:
    """A copy in which the values of every parameter have changed places, each tensor in itself.

    By default all layers at once, after J. Adebayo et al., Sanity Checks for Saliency Maps, NeurIPS
    2018; the distribution of the weights stays, so that the signal neither dies nor overflows as
    soon.

    Args:
        module: Left as it is.
        seed: Of the permutations.
        last: Only so many parameter tensors, those nearest to the network's output.
    """
    copied = copy.deepcopy(module)
    generator = torch.Generator().manual_seed(seed)
    parameters = list(copied.parameters())
    with torch.no_grad():
        for parameter in parameters[-last if last else 0 :]:
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return copied


def _agreement(subject: _Subject, card: TrustCard, steps: _Steps) -> TrustCard:
    own = over_squares(np.abs(subject.found.map))
    others = companions(card.method)
    found: dict[str, float] = {}
    for number, name in enumerate(others):
        asked = ExplainRequest(name, target=card.target)
        try:
            other = explain(subject.loaded, subject.image, asked, steps.part(number, len(others)))
        except AttributionError:  # not for this network: one opinion less
            continue
        found[name] = spearman(own, over_squares(np.abs(other.map)))
    return replace(card, agreement=found)


def _infidelity(subject: _Subject, card: TrustCard, steps: _Steps) -> TrustCard:
    run = subject.run(steps, check_passes(subject.request)["infidelity"])
    with held(run):
        found = unexplained(run, subject.found.map, samples=subject.request.samples, seed=SEED)
    return replace(card, infidelity=found)


def _sensitivity(subject: _Subject, card: TrustCard, steps: _Steps) -> TrustCard:
    loaded, noises = subject.loaded, subject.request.noises
    # The noisy images are crops already: they are neither resized nor cut again.
    _, height, width = loaded.preprocessing.input_size
    own_size = replace(loaded.preprocessing, resize=min(height, width), crop_mode="center")
    plain = replace(loaded, preprocessing=own_size)
    number = 0

    def explained(crop: FloatArray) -> FloatArray:
        nonlocal number
        pixels = Image.fromarray(np.rint(crop * 255).astype(np.uint8))
        tell = steps.part(number, noises + 1)
        number += 1
        return explain(plain, pixels, subject.again, tell).map

    crop = (subject.found.crop / 255).astype(np.float32)
    return replace(card, sensitivity=sensitivity(crop, explained, noises=noises, seed=SEED))


_RUN: dict[str, Callable[[_Subject, TrustCard, _Steps], TrustCard]] = {
    "curves": _curves,
    "randomisation": _randomisation,
    "agreement": _agreement,
    "infidelity": _infidelity,
    "sensitivity": _sensitivity,
}
