"""Traces the whole catalog and writes the table of results in docs/graphs.md.

    python tests/tools/make_graphs.py            # writes docs/graphs.md
    python tests/tools/make_graphs.py --only resnet18 vit_b_16

Every torchvision architecture at the crop of each of its weights, our other networks, and 30 timm
models drawn with a fixed seed; beside each the published figure or FlopCounterMode's on meta.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import timm  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402
from torchvision import models  # noqa: E402

from explorer.catalog import find  # noqa: E402
from explorer.catalog.spec import ModelSpec  # noqa: E402
from explorer.graph import LayerGraph  # noqa: E402
from explorer.networks import NETWORKS  # noqa: E402
from explorer.trace import trace_spec  # noqa: E402
from explorer.tracing.building import module_for  # noqa: E402

TIMM_SEED = 2016
TIMM_COUNT = 30
TIMM_LIMIT = 300e6  # Parameters; the meta count of larger ones takes minutes on two cores.
OTHERS = (
    "legacy_xception",
    "inception_v4",
    "inception_resnet_v2",
    "tf_efficientnet_lite0",
    *NETWORKS,
)
DOC = ROOT / "docs" / "graphs.md"
MARK = "<!-- made by tests/tools/make_graphs.py -->"


@dataclass(frozen=True)
class Row:
    model: str
    size: tuple[int, int, int]
    method: str
    ops: int
    macs: int
    reference: float  # MACs
    params: int
    reference_params: int
    uncounted: tuple[str, ...]
    seconds: float
    digits: int | None  # Decimals of GMACs that the reference has; None: exact.

    @property
    def right(self) -> bool:
        same = (
            self.macs == self.reference
            if self.digits is None
            else round(self.macs / 1e9, self.digits) == round(self.reference / 1e9, self.digits)
        )
        return same and self.params == self.reference_params and self.method == "export"


def torchvision_rows(only: set[str]) -> list[Row]:
    rows = []
    for name in models.list_models(module=models):
        if only and name not in only:
            continue
        spec = find(name)
        for weights in models.get_model_weights(name):
            crop = weights.transforms().crop_size[0]
            row = one(spec, (3, crop, crop), weights.meta["_ops"] * 1e9, weights.meta["num_params"])
            rows.append(row)
    return rows


def drawn_timm() -> list[str]:
    """30 names, the same on every machine with this timm."""
    return sorted(random.Random(TIMM_SEED).sample(sorted(timm.list_models()), TIMM_COUNT))


def counted_rows(only: set[str]) -> list[Row]:
    rows = []
    for name in [*OTHERS, *(f"timm/{name}" for name in drawn_timm())]:
        if only and name not in only:
            continue
        spec = find(name)
        macs = flop_counter_macs(spec)
        params = sum(p.numel() for p in module_for(spec, spec.input_size).parameters())
        rows.append(one(spec, spec.input_size, macs, params, digits=None))
    return rows


def flop_counter_macs(spec: ModelSpec) -> int:
    """Half of FlopCounterMode's count on the meta device."""
    module: nn.Module = module_for(spec, spec.input_size).to("meta").requires_grad_(False)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(torch.empty(1, *spec.input_size, device="meta"))
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return int(flops // 2)


@cache
def traced(spec: ModelSpec, size: tuple[int, int, int]) -> tuple[LayerGraph, float]:
    """The graph, kept on disk between runs, and the seconds it took; weights share a crop."""
    start = time.perf_counter()
    return trace_spec(spec, size), time.perf_counter() - start


def one(
    spec: ModelSpec, size: tuple[int, int, int], macs: float, params: int, *, digits: int | None = 3
) -> Row:
    graph, seconds = traced(spec, size)
    own = graph.total_params
    # torchvision's published counts include Inception's auxiliary head and leave GoogLeNet's out.
    if own != params and own + graph.aux_params == params:
        own = params
    uncounted = tuple(sorted({op.target for op in graph.ops if not op.counted}))
    row = Row(
        spec.id, size, graph.method, len(graph.ops), graph.total_macs, macs, own, params,
        uncounted, seconds, digits,
    )  # fmt: skip
    print(f"{'ok ' if row.right else 'NO '} {row}", flush=True)
    return row


def table(rows: list[Row]) -> list[str]:
    lines = [
        "| Model | Input | Ops | GMACs traced | GMACs reference | Parameters | Method | Same |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    for row in rows:
        size = "×".join(map(str, row.size))
        note = f" (not counted: {', '.join(row.uncounted)})" if row.uncounted else ""
        reference = f"{row.reference / 1e9:.{row.digits or 6}f}"
        lines.append(
            f"| `{row.model}` | {size} | {row.ops} | {row.macs / 1e9:.6f}{note} | {reference} "
            f"| {row.params:,} | {row.method} | {'yes' if row.right else '**no**'} |"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    only = set(arguments.only)
    published, counted = torchvision_rows(only), counted_rows(only)
    wrong = [row.model for row in [*published, *counted] if not row.right]
    if not only:
        text = DOC.read_text(encoding="utf-8") if DOC.exists() else f"# Layer graphs\n\n{MARK}\n"
        head = text.partition(MARK)[0]
        architectures = {row.model for row in published}
        body = [
            f"Versions: torch {torch.__version__.partition('+')[0]}, timm {timm.__version__}.", "",
            f"### torchvision: {sum(r.right for r in published)} of {len(published)} weights,"
            f" {len(architectures - {r.model for r in published if not r.right})} of"
            f" {len(architectures)} architectures", "",
            *table(published), "",
            "### Against FlopCounterMode on meta:"
            f" {sum(r.right for r in counted)} of {len(counted)}",
            "", *table(counted), "",
        ]  # fmt: skip
        DOC.parent.mkdir(exist_ok=True)
        DOC.write_text(f"{head}{MARK}\n\n" + "\n".join(body), encoding="utf-8")
    print(f"{len(published) + len(counted)} rows, wrong: {wrong or 'none'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
