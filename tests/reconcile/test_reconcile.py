"""Other counters beside ours: the same where they are right, one true sentence where not."""

from __future__ import annotations

import pytest

from explorer.catalog import CATALOG, find
from explorer.reconcile import (
    TOLERANCE,
    cpu_count,
    giga,
    meta_count,
    published,
    reason_text,
    reconcile,
    torchinfo_count,
)
from explorer.results import OtherCount
from explorer.trace import trace_spec


def by_source(model: str) -> dict[str, OtherCount]:
    spec = find(model)
    return {row.source: row for row in reconcile(spec, trace_spec(spec))}


def test_every_difference_has_one_sentence_and_no_other_row_has() -> None:
    for model in ("lenet5", "resnet18", "vit_b_16", "squeezenet1_0"):
        for source, row in by_source(model).items():
            said = reason_text(row)
            if row.amount is not None and abs(row.deviation) <= TOLERANCE:
                assert said == "", (model, source)
            else:
                assert said.endswith("."), (model, source)
                assert "{" not in said


def test_a_plain_network_is_counted_alike_by_all() -> None:
    rows = by_source("resnet18")
    for source in ("torchvision (IMAGENET1K_V1)", "flop_counter, meta", "flop_counter, CPU",
                   "torchinfo", "Canziani et al. 2016"):  # fmt: skip
        assert abs(rows[source].deviation) <= TOLERANCE, source
    paper = rows["Canziani et al. 2016"]
    assert (paper.unit, paper.amount) == ("canziani", 3.63e9)


def test_attention_is_what_others_miss_in_the_vision_transformer() -> None:
    spec = find("vit_b_16")
    graph = trace_spec(spec)
    # 12 blocks · 197 tokens · 768²·(3 + 1) in and out, and 12 · 2 · 197² · 768 between them
    block = 12 * (197 * 768 * 768 * 4 + 2 * 197 * 197 * 768)
    meta, cpu, info = (f(spec, graph) for f in (meta_count, cpu_count, torchinfo_count))
    assert meta.amount == meta.ours == 17_563_828_224
    assert cpu.ours - cpu.amount == pytest.approx(block, rel=1e-3)
    assert "_native_multi_head_attention (×12)" in reason_text(cpu)
    assert f"{giga(block)} GMACs unseen" in reason_text(cpu)
    assert f"{giga(block)} GMACs are function calls" in reason_text(info)
    assert info.amount < 0.02 * info.ours


def test_a_published_number_is_explained_by_a_rule_of_counting() -> None:
    spec = find("resnet50")
    rows = {row.source: row for row in published(spec, trace_spec(spec))}
    timm = rows["timm (GPU table)"]
    assert timm.amount == pytest.approx(4.11e9)
    assert "normalised element" in reason_text(timm)


def test_a_paper_that_plots_another_variant_says_which() -> None:
    spec = find("googlenet_2014")
    rows = {row.source: row for row in published(spec, trace_spec(spec))}
    said = reason_text(rows["Canziani et al. 2016"])
    assert said.startswith("The paper plots another variant: ")
    assert "factorised 7x7 stem" in said


def test_a_large_network_is_not_run_for_a_count() -> None:
    spec = find("vgg16")
    graph = trace_spec(spec)
    heavy = cpu_count(spec, type("Graph", (), {
        "total_macs": 10**12, "total_params": 1, "input_shape": graph.input_shape})())  # fmt: skip
    assert heavy.amount is None
    assert "1000.0 GMACs" in reason_text(heavy)


@pytest.mark.slow
@pytest.mark.parametrize("model", [m for m, s in CATALOG.items() if s.source == "torchvision"])
def test_meta_and_published_agree_with_us_on_all_of_torchvision(model: str) -> None:
    spec = find(model)
    graph = trace_spec(spec)
    assert meta_count(spec, graph).amount == graph.total_macs
    for row in published(spec, graph):
        if row.source.startswith("torchvision"):
            # three decimals of a GMAC
            assert abs(row.amount - row.ours) <= 0.5e6 + 1
