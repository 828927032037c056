"""The registry of checks: claim id → how its numbers and its verdict come out of our own data.

A check derives the verdict from the numbers by a rule that stands in it; a test compares it with
the one that ``claims.json`` shows. Nothing here needs torch: networks come as layer graphs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from explorer.claims import arithmetic, on_networks, on_tables
from explorer.claims.statements import Verdict, claims
from explorer.graph import LayerGraph

Outcome = tuple[Verdict, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Check:
    """How one claim is recomputed.

    Attributes:
        run: Graphs of ``models`` in order → the verdict and the numbers as text.
        models: Catalog ids of the networks that have to be traced; none for tables and arithmetic.
    """

    run: Callable[..., Outcome]
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Computed:
    """What came out.

    Attributes:
        claim: Id.
        verdict: By the rule of the check.
        values: Name in the claim's ``found`` → number as text.
    """

    claim: str
    verdict: Verdict
    values: Mapping[str, str]

    def text(self, language: str) -> str:
        """The claim's finding with these numbers."""
        return claims()[self.claim].found[language].format(**self.values)


CHECKS: Mapping[str, Check] = {
    "span18": Check(on_tables.span18),
    "more_weights_better": Check(on_tables.more_weights_better),
    "weights_fall": Check(on_tables.weights_fall),
    "ops_not_time": Check(on_tables.ops_not_time),
    "lenet_5conv": Check(on_networks.lenet_5conv, ("lenet5_1998", "lenet5")),
    "lenet_avg": Check(on_networks.lenet_avg, ("lenet5_1998",)),
    "lenet_sparse": Check(on_networks.lenet_sparse, ("lenet5_1998",)),
    "lenet_3layers": Check(on_networks.lenet_3layers, ("lenet5_1998",)),
    "ciresan_9": Check(on_networks.ciresan_9, ("ciresan_mlp",)),
    "alexnet_7": Check(on_networks.alexnet_7, ("alexnet_2012",)),
    "alexnet_kernels": Check(on_networks.alexnet_kernels, ("alexnet_2012",)),
    "alexnet_relu_dropout": Check(on_networks.alexnet_relu_dropout, ("alexnet_2012",)),
    "alexnet_maxpool": Check(on_networks.alexnet_maxpool, ("alexnet_2012",)),
    "nin_1x1": Check(on_networks.nin_1x1, ("nin_imagenet",)),
    "nin_reduce": Check(arithmetic.nin_reduce),
    "vgg_3x3": Check(on_networks.vgg_3x3, ("vgg16", "vgg19")),
    "9_49": Check(arithmetic.nine_and_49),
    "vgg_cheaper": Check(on_networks.vgg_cheaper, ("vgg16",)),
    "inception_parallel": Check(on_networks.inception_parallel, ("googlenet_2014", "googlenet")),
    "reduce4": Check(on_networks.reduce4, ("googlenet_2014", "resnet50")),
    "589k": Check(arithmetic.plain_589k),
    "bneck_parts": Check(arithmetic.bneck_parts),
    "bneck_70k": Check(arithmetic.bneck_70k),
    "bneck_10x": Check(arithmetic.bneck_10x),
    "v3_only3x3": Check(on_networks.v3_only3x3, ("inception_v3",)),
    "v3_head": Check(on_networks.v3_head, ("inception_v3",)),
    "resnet_2conv": Check(
        on_networks.resnet_2conv, ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
    ),
    "resnet_1000": Check(arithmetic.resnet_1000),
    "quarter": Check(on_networks.quarter, ("resnet50",)),
    "resnet_stem": Check(on_networks.resnet_stem, ("resnet50",)),
    "vgg19_190w": Check(on_tables.vgg19_190w),
    "resnet34_36w": Check(on_tables.resnet34_36w),
    "squeeze_50x": Check(on_tables.squeeze_50x),
    "squeeze_acc": Check(on_tables.squeeze_acc),
    "squeeze_05": Check(on_tables.squeeze_05),
    "xception36": Check(on_networks.xception36, ("legacy_xception",)),
    "xception_r34": Check(on_networks.xception_r34, ("legacy_xception", "resnet34")),
    "xception_better": Check(on_tables.xception_better),
    "alexnet_blob": Check(on_tables.alexnet_blob),
    "deeper_slower": Check(on_tables.deeper_slower),
    "px2": Check(arithmetic.px2),
}


def recompute(ids: Sequence[str], trace: Callable[[str], LayerGraph]) -> Iterator[Computed]:
    """Runs checks, those without networks first.

    Args:
        ids: Claims; those without a check are left out.
        trace: Catalog id → its layer graph.
    """
    known = [name for name in ids if name in CHECKS]
    for name in sorted(known, key=lambda one: len(CHECKS[one].models)):
        check = CHECKS[name]
        verdict, values = check.run(*(trace(model) for model in check.models))
        yield Computed(name, verdict, values)
