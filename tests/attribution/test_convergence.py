"""Integrated gradients on many pictures and networks: converged, or said not to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from explorer.attribution import METHODS, Attribution, ExplainRequest, explain, fill_options
from explorer.attribution.found import CONVERGED, NOT_CONVERGED
from explorer.catalog import find
from explorer.images import SAMPLES
from explorer.zoo import LoadedModel, load
from tests.attribution.conftest import picture

PHOTOS = [id for id in SAMPLES if not id.startswith("digit_")]
DIGITS = [id for id in SAMPLES if id.startswith("digit_")]


@pytest.fixture(scope="module")
def untrained() -> LoadedModel:
    return load(find("timm/test_vit"), None)


def asked(**options: Any) -> ExplainRequest:
    return ExplainRequest("integrated_gradients", options=options)


def check(found: Attribution) -> None:
    """The delta is under 2 %, or the result says that it is not; steps only double until then."""
    assert found.delta is not None
    assert (NOT_CONVERGED in found.warnings) == (found.delta >= CONVERGED)
    limits = fill_options(METHODS["integrated_gradients"], {})
    used = found.options["steps_used"]
    assert used in {limits["steps"], 2 * limits["steps"], limits["max_steps"]}
    assert found.delta < CONVERGED or used == limits["max_steps"]


def test_there_are_ten_of_each() -> None:
    assert len(PHOTOS) == len(DIGITS) == 10


@pytest.mark.parametrize("id", DIGITS)
def test_ten_digits_on_lenet5(lenet5: LoadedModel, id: str) -> None:
    found = explain(lenet5, picture(id), asked())
    check(found)
    assert found.delta < CONVERGED


# A third of them at every run.
@pytest.mark.parametrize(
    "id",
    [pytest.param(id, marks=pytest.mark.slow if at % 3 else ()) for at, id in enumerate(PHOTOS)],
)
def test_ten_photos_on_an_untrained_transformer(untrained: LoadedModel, id: str) -> None:
    check(explain(untrained, picture(id), asked()))


@pytest.mark.slow
@pytest.mark.parametrize("id", PHOTOS)
def test_ten_photos_on_efficientnet_lite0(
    lite0: LoadedModel, id: str, record_property: Callable[[str, object], None]
) -> None:
    found = explain(lite0, picture(id), asked())
    record_property("delta", found.delta)
    record_property("steps_used", found.options["steps_used"])
    check(found)


def test_efficientnet_lite0_with_few_steps_says_so(lite0: LoadedModel) -> None:
    """The fast one of the slow ones: both ways to end, on one photo."""
    few = explain(lite0, picture("rocket"), asked(steps=2, max_steps=4))
    assert few.options["steps_used"] == 4
    assert (NOT_CONVERGED in few.warnings) == (few.delta >= CONVERGED)
    assert few.delta >= CONVERGED
