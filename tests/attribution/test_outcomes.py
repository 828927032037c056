"""The table of verified outcomes: complete, and cells of it run again."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from explorer.attribution import METHODS
from explorer.attribution.outcomes import PATH, Outcome, outcome, outcomes
from explorer.catalog import find
from explorer.zoo import LoadedModel
from tests.attribution.test_quality import GRADIENTS
from tests.tools.make_attribution_methods import (
    BACKWARD,
    NETWORKS,
    PAGE,
    PARTS,
    SHUFFLED,
    attempt,
    forgotten,
    network,
    page,
)

#: Fast ones that cover works, repaired and refused; ``slow`` walks the others.
FAST = ["lenet5", "squeezenet1_1", "mobilenet_v3_small", "timm/test_vit", "shufflenet_v2_x0_5"]


def test_table_has_every_method_on_one_network_of_each_kind() -> None:
    table = outcomes()
    assert set(table) == set(NETWORKS)
    assert len(table) >= 24
    for id, row in table.items():
        assert find(id).id == id
        assert list(row) == list(METHODS)
        for cell in row.values():
            assert cell.status in {"works", "repaired", "refused"}
            assert bool(cell.text) == (cell.status != "works")
            assert "{" not in cell.text
    # Gradients of the pixels and hiding parts of them ask nothing of a network.
    for method in ("saliency", "integrated_gradients", "occlusion", "lime", "kernel_shap"):
        assert {row[method].status for row in table.values()} == {"works"}
    assert {row["grad_cam"].status for row in table.values()} == {"works"}


def test_outcome() -> None:
    assert outcome("saliency", "lenet5") == Outcome("works")
    found = outcome("guided_backprop", "timm/test_vit")
    assert found is not None
    assert found.status == "refused"
    assert "GELU" in found.text
    assert outcome("saliency", "no such network") is None
    assert outcome("no such method", "lenet5") is None
    assert outcome("attention_rollout", "timm/test_vit") == Outcome("works")
    assert dataclasses.is_dataclass(found)


def check(id: str) -> None:
    loaded = network(id)
    again: dict[str, Any] = {method: attempt(loaded, method) for method in METHODS}
    assert again == dict(outcomes()[id])


@pytest.mark.parametrize("id", FAST)
def test_cells_come_out_again(id: str) -> None:
    check(id)


@pytest.mark.slow
@pytest.mark.parametrize("id", [id for id in NETWORKS if id not in FAST])
def test_all_cells_come_out_again(id: str) -> None:
    check(id)


def shuffled() -> dict[str, dict[str, list[list[float]]]]:
    found: dict[str, dict[str, list[list[float]]]] = json.loads(PATH.read_text("utf-8"))["shuffled"]
    return found


def test_shuffled_weights_are_told_for_every_method_that_goes_backward() -> None:
    table = shuffled()
    assert list(table) == list(SHUFFLED)
    for id, row in table.items():
        assert list(row) == [name for name in BACKWARD if outcomes()[id][name].status != "refused"]
        for cells in row.values():
            assert len(cells) == len(PARTS)
            assert all(-1 <= value <= 1 for cell in cells for value in cell)
        for method in GRADIENTS:
            assert row[method][-1][0] < 0.5


@pytest.mark.parametrize("method", ["grad_cam", "guided_backprop"])
def test_what_shuffled_weights_leave_comes_out_again(lenet5: LoadedModel, method: str) -> None:
    again = forgotten(lenet5, method, SHUFFLED["lenet5"])
    assert np.asarray(again) == pytest.approx(np.asarray(shuffled()["lenet5"][method]), abs=0.01)


def test_page_is_the_tables() -> None:
    assert PAGE.read_text("utf-8") == page()
    assert len(json.loads(PATH.read_text("utf-8"))["networks"]) == len(outcomes())
