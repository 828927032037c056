"""``atlas_costs.json`` is what the survey counts: a seeded sample is counted anew and compared."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest

from explorer.atlas.costs import CONVENTION, count_spec
from explorer.catalog import CATALOG, find
from explorer.catalog.atlas_costs import FILE, atlas_costs, atlas_versions
from explorer.catalog.store import read_json
from explorer.tracing.versions import library_versions

SAMPLE = random.Random(2026).sample(sorted(CATALOG), 66)


@cache
def by_model() -> dict[str, dict[str, Any]]:
    kept = read_json(FILE)
    rows = [dict(zip(kept["columns"], row, strict=True)) for row in kept["rows"]]
    assert len(rows) == len({row["model"] for row in rows})
    return {row["model"]: row for row in rows}


def test_every_network_has_a_row_and_almost_all_have_numbers() -> None:
    found = by_model()
    assert set(found) == set(CATALOG)
    assert sum(model.startswith("timm/") for model in found) == 1371
    without = [row for row in found.values() if row["macs"] is None]
    assert all(row["reason"] for row in without)
    assert len(without) < 0.01 * len(found)
    assert read_json(FILE)["convention"] == CONVENTION


def test_the_catalog_counts_the_same_by_another_way() -> None:
    """The catalog's MACs come from torch's FLOP counter on the meta device, not from a trace."""
    for model, row in by_model().items():
        spec = find(model)
        if row["reason"] is None:
            assert (row["channels"], row["height"], row["width"]) == spec.input_size, model
            assert (row["params"], row["aux_params"]) == (spec.params, spec.aux_params), model
            assert row["macs"] == spec.macs, model
            assert row["flops"] == 2 * row["macs"], model


def test_the_catalog_reads_it() -> None:
    costs = atlas_costs()["resnet50", 224]
    # 4.09 GMACs, 25.6 million parameters: torchvision's published numbers
    assert costs.macs == pytest.approx(4.089e9, rel=1e-3)
    assert costs.params == 25_557_032
    assert len(atlas_costs()) == sum(row["reason"] is None for row in by_model().values())


def recounted(model: str) -> None:
    if atlas_versions() != library_versions():
        pytest.skip(f"counted with {dict(atlas_versions())}; make the file anew")
    kept = by_model()[model]
    found = count_spec(find(model))
    assert {"macs", "params"} <= set(found) & set(kept)
    for name in set(found) & set(kept) - {"seconds"}:
        assert found[name] == kept[name], name


@pytest.mark.parametrize("model", SAMPLE[:3])
def test_a_sample_counted_anew_is_the_same(model: str) -> None:
    recounted(model)


@pytest.mark.slow
@pytest.mark.parametrize("model", SAMPLE[3:])
def test_a_larger_sample_counted_anew_is_the_same(model: str) -> None:
    recounted(model)
