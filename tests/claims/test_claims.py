"""Folklore: every computable claim is derived anew, and its verdict is the one that is shown."""

from __future__ import annotations

import pickle
import re
from functools import cache
from string import Formatter

import pytest

from explorer.catalog import CATALOG, find
from explorer.catalog.history import timeline
from explorer.claim_tasks import CheckClaims
from explorer.claims import CHECKS, Computed, claims, counts, recompute
from explorer.claims.evidence import pearson, ranks, spearman
from explorer.graph import LayerGraph
from explorer.trace import trace_light

# What has to be taken from the source: dates, prizes, hardware, and what nobody can check.
FROM_SOURCE = {
    "lenet_year", "alexnet_first", "alexnet_gpu", "half_ms", "bn_feb2015", "squeeze_date",
}  # fmt: skip
# Numbers that the papers, or the arithmetic beside them, give.
EXPECTED = {
    "more_weights_better": {"all": "0.09", "rest": "0.83", "n": "14", "rest_n": "10"},
    "ops_not_time": {"cpu": "0.985", "cpu_n": "1,440", "gpu": "0.922", "gpu_n": "1,627"},
    "lenet_5conv": {"published": "3", "modern": "2", "layers": "7"},
    "lenet_avg": {"s2": "12", "s4": "32"},  # 6·2, 16·2
    "lenet_sparse": {"params": "1,516", "dense": "2,416", "macs": "150,000"},
    "ciresan_9": {"hidden": "5", "conv": "0", "weights": "11,965,000", "weights29": "12,107,500"},
    "alexnet_7": {"conv": "5", "linear": "3", "total": "8"},
    "alexnet_kernels": {"kernels": "3×3: 3, 11×11: 1, 5×5: 1"},
    "alexnet_relu_dropout": {"relu": "7", "dropout": "2", "p": "0.5"},
    "nin_reduce": {"added": "65,536", "percent": "11.1", "ratio": "8.0"},
    "vgg_3x3": {"vgg16": "13", "of16": "13", "vgg19": "16", "of19": "16"},
    "9_49": {"ratio": "1.81"},  # 49/27
    "vgg_cheaper": {"params_ratio": "2.3", "macs_ratio": "21.7", "share": "89"},
    "inception_parallel": {"five": "9", "library": "0"},
    "reduce4": {"three_low": "2.0", "three_high": "5.2", "five_low": "8", "five_high": "30"},
    "589k": {"weights": "589,824"},  # 256·256·3·3
    "bneck_parts": {"first": "16,384", "second": "36,864", "third": "16,384"},
    "bneck_70k": {"total": "69,632"},
    "bneck_10x": {"ratio": "8.47"},
    "v3_only3x3": {"kernels": "1×1: 40, 3×3: 17, 1×7: 13, 7×1: 13, 1×3: 4, 3×1: 4, 5×5: 3"},
    "v3_head": {"inputs": "2,048", "outputs": "1,000"},
    "resnet_1000": {"layers": "1,202", "params": "19,421,274"},
    "quarter": {"quarter": "12", "blocks": "16", "others": "1, 1/2"},
    "vgg19_190w": {"params": "143.67 M", "macs": "19.63 GMACs"},
    "resnet34_36w": {"params": "21.80 M", "macs": "3.66 GMACs"},
    "squeeze_50x": {"ratio": "48.9", "published": "48.8"},
    "squeeze_acc": {"squeezenet": "58.09", "alexnet": "56.52"},
    "squeeze_05": {"mib": "4.76"},
    "xception36": {"plain": "2", "depthwise": "34", "ops": "74", "shortcuts": "4"},
    "xception_r34": {"resnet_convs": "36", "resnet_macs": "3.66 GMACs"},
    "alexnet_blob": {"alexnet": "60.97 M", "larger": "VGG-16, VGG-19"},
    "deeper_slower": {"vgg_ms": "218.8", "resnet_ms": "82.5", "vgg_ops": "39.29"},
    "px2": {"images": "6.2", "tops": "3.4", "tflops": "1.1"},
}


@cache
def graph(model: str) -> LayerGraph:
    return trace_light(find(model))  # the same graph, sooner


@cache
def computed(claim: str) -> Computed:
    (found,) = recompute([claim], graph)
    return found


def test_counts_by_verdict() -> None:
    assert counts() == {"true": 21, "imprecise": 16, "false": 9, "uncheckable": 1}


def test_all_that_is_not_from_the_source_is_recomputed() -> None:
    assert set(claims()) - set(CHECKS) == FROM_SOURCE
    assert set(CHECKS) <= set(claims())
    assert set(EXPECTED) <= set(CHECKS)


@pytest.mark.parametrize("claim", CHECKS)
def test_the_recomputed_verdict_is_the_one_that_is_shown(claim: str) -> None:
    found = computed(claim)
    assert found.verdict == claims()[claim].verdict, found.text("en")
    values = EXPECTED.get(claim, {})
    assert {name: found.values[name] for name in values} == values


@pytest.mark.parametrize("claim", CHECKS)
def test_the_sentence_takes_every_number(claim: str) -> None:
    for code in ("en", "zh"):
        fields = {name for _, name, _, _ in Formatter().parse(claims()[claim].found[code]) if name}
        assert fields == set(computed(claim).values)
        assert "{" not in computed(claim).text(code)


def test_a_rule_can_disagree() -> None:
    """On another network the same checks come to another verdict: they are no constants."""

    def swapped(model: str) -> LayerGraph:
        return graph({"inception_v3": "vgg16", "vgg16": "alexnet_2012"}.get(model, model))

    found = {one.claim: one.verdict for one in recompute(["v3_only3x3", "vgg_3x3"], swapped)}
    assert found == {"v3_only3x3": "true", "vgg_3x3": "false"}


@pytest.mark.parametrize("claim", sorted(FROM_SOURCE))
def test_what_comes_from_a_source_has_no_gaps(claim: str) -> None:
    assert all("{" not in claims()[claim].found[code] for code in ("en", "zh"))


def test_every_claim_is_complete() -> None:
    entries = {entry.id: entry for entry in timeline()}
    told = {name for entry in entries.values() for name in entry.claims}
    for claim in claims().values():
        for words in (claim.claim, claim.found, claim.how):
            assert set(words) == {"en", "zh"}
            assert all(words.values())
            assert re.search("[\u4e00-\u9fff]", words["zh"]) or words is claim.found
        assert claim.source
        assert claim.about == "" or claim.about in entries
        assert all(model in CATALOG for model in claim.models)
        assert claim.id in told or claim.about == ""
    assert told <= set(claims())


def test_checks_trace_networks_of_the_catalog() -> None:
    assert all(model in CATALOG for check in CHECKS.values() for model in check.models)


def test_ranks_share_their_mean() -> None:
    assert ranks([10, 20, 20, 5]) == [2, 3.5, 3.5, 1]
    assert spearman([1, 2, 3], [10, 100, 1000]) == pytest.approx(1)
    assert spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert pearson([1, 2, 3], [2, 4, 6]) == pytest.approx(1)


class Silent:
    """A context that only notes what it is told."""

    def __init__(self) -> None:
        self.partials: list[tuple[Computed, ...]] = []

    def stage(self, name: str) -> None:
        assert name

    def progress(self, done: float, total: float | None, partial: object = None) -> None:
        assert total is not None
        assert done <= total
        assert isinstance(partial, tuple)
        self.partials.append(partial)


def test_the_task_pickles_and_hands_out_what_it_has() -> None:
    task = CheckClaims(("resnet_stem", "589k", "half_ms"))
    again = pickle.loads(pickle.dumps(task))
    assert again.key() == task.key() != CheckClaims(("589k",)).key()
    context = Silent()
    found = again.run(context)  # type: ignore[arg-type]
    assert [one.claim for one in found] == ["589k", "resnet_stem"]  # the cheap one first
    assert [len(partial) for partial in context.partials] == [1, 2]
    assert pickle.loads(pickle.dumps(found)) == found
