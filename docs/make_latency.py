"""Writes ``docs/latency.md``: the 2016 paper's four findings on what is measured on this machine.

Measure first, on a quiet machine: ``python -m explorer bench --models … --batch 1,4,16``. Then
``python -m docs.make_latency``. Numbers come from the store of measurements
(``EXPLORER_DATABASE_URL``, by default a file in the user's data folder) and from timm's published
tables; nothing is written by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from explorer.findings import Finding, Point, at_common_batch, findings, timm_findings
from explorer.measurements import MeasurementStore, RowFilter
from explorer.paper_points import Conditions, points_by_conditions
from explorer.ui.latency.findings_text import CLAIMS, VERDICTS, statistic_text

PAGE = Path(__file__).with_name("latency.md")
INTRODUCTION = """# Latency: the experiment of 2016, repeated

Canziani, Paszke and Culurciello (arXiv:1605.07678) measured 14 networks on a Jetson TX1 and drew
four conclusions. Here are the statistics of the same questions on networks measured by
`python -m explorer bench`, and on timm's two published tables. Written by `docs/make_latency.py`.

A finding holds where: power varies by at most 10 % (coefficient of variation); a hyperbola, top-1 =
limit − scale / (time + shift), explains at least half of the variance of accuracy and beats a
straight line by AICc; the third of the networks that need the least energy misses at least one
percentage point and energy goes with operations (Spearman at least 0.9); Pearson's r of log MACs
and log time is at least 0.9. At least eight networks. The paper names no thresholds; they are
ours. Accuracies are published ones, never measured here; of timm's weights, those trained
on ImageNet-1k alone.
"""


def main() -> None:
    rows = MeasurementStore().rows(RowFilter(origin="measured", finished=True))
    groups = points_by_conditions(rows)
    if not groups:
        raise SystemExit("Nothing is measured yet: run python -m explorer bench first.")
    conditions, points = next(iter(groups.items()))
    newest = max(row.started_at for row in rows)[:10]
    PAGE.write_text("\n".join(page(conditions, points, newest)) + "\n", encoding="utf-8")


def page(conditions: Conditions, points: Sequence[Point], newest: str) -> Iterator[str]:
    """The lines of the page."""
    yield INTRODUCTION
    yield "## The findings\n"
    yield (
        f"Here: {conditions.device}, {conditions.threads} threads, {conditions.mode}, "
        f"{conditions.dtype}, {conditions.memory_format}; newest measurement {newest}.\n"
    )
    tables = "timm, Core i7-12700H, fp32, batch 1 | timm, RTX 5090, mixed precision"
    yield f"| Finding | Here | {tables} |"
    yield "|---|---|---|---|"
    sources = (findings(points), timm_findings("cpu"), timm_findings("gpu"))
    columns = [_by_id(found) for found in sources]
    for number, (id, claim) in enumerate(CLAIMS.items(), 1):
        cells = [_cell(column[id]) for column in columns]
        yield f"| {number}. {claim} | " + " | ".join(cells) + " |"
    yield "\n## The measurements\n"
    batch = at_common_batch(points)[0].batch_size
    sizes = sorted({point.batch_size for point in points})
    head = " | ".join(f"batch {size} [ms/image]" for size in sizes)
    first = f"Network | GMACs | Parameters [10⁶] | Top-1 [%] | Peak at batch {batch} [MiB]"
    yield f"| {first} | {head} |"
    yield "|---|" + "---|" * (4 + len(sizes))
    for own in _by_network(points):
        yield _network(own, sizes, batch)


def _by_id(found: Iterable[Finding]) -> dict[str, Finding]:
    return {one.id: one for one in found}


def _cell(finding: Finding) -> str:
    mark, word, _colour = VERDICTS[finding.verdict]
    return f"{mark} {word}: {statistic_text(finding)}"


def _by_network(points: Sequence[Point]) -> list[dict[int, Point]]:
    """Batch size → point of each network, fewest operations first."""
    found: dict[str, dict[int, Point]] = {}
    for point in points:
        found.setdefault(point.model, {})[point.batch_size] = point
    return sorted(found.values(), key=lambda own: next(iter(own.values())).macs or 0)


def _network(own: dict[int, Point], sizes: Sequence[int], batch: int) -> str:
    any_point = next(iter(own.values()))
    common = own.get(batch)
    peak = common.peak_bytes if common is not None else None
    times = [f"{own[size].image_seconds * 1e3:.2f}" if size in own else "–" for size in sizes]
    cells = [
        any_point.model,
        "–" if any_point.macs is None else f"{any_point.macs / 1e9:.2f}",
        "–" if any_point.params is None else f"{any_point.params / 1e6:.2f}",
        "–" if any_point.top1 is None else f"{any_point.top1:.2f}",
        "–" if peak is None else f"{peak / 2**20:.1f}",
        *times,
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
