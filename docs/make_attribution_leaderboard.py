r"""Writes ``docs/attribution-leaderboard.md`` from the atlas's rows on maps.

    apt-get download lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 plasma-workspace-wallpapers
    python -m tests.tools.gather_photos FOLDER *.deb
    python -m explorer atlas attribution --images FOLDER/photos --models tf_efficientnet_lite0 \
        --steps 8 --orders 3 --out PHOTOS --option integrated_gradients.adaptive=false \
        integrated_gradients.steps=20 gradient_shap.samples=20 smooth_grad.samples=15 \
        var_grad.samples=15 lime.samples=100 kernel_shap.samples=100 occlusion.windows=6 \
        score_cam.maps=64
    python -m explorer atlas attribution --images FOLDER/digits --models lenet5 \
        --steps 10 --orders 4 --out DIGITS
    python -m docs.make_attribution_leaderboard {PHOTOS,DIGITS}/attribution.parquet

Without arguments it writes the page anew from ``assets/data/atlas_attribution.parquet``, where the
rows are kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from explorer.attribution import METHODS
from explorer.catalog import find
from tests.tools.gather_photos import PHOTOS

PAGE = Path(__file__).with_name("attribution-leaderboard.md")
ROWS = Path(__file__).parents[1] / "assets" / "data" / "atlas_attribution.parquet"
RESAMPLES, SEED, LEVEL = 10_000, 0, 0.95
RANDOM = "random order"

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over images with its bootstrap interval.

    Attributes:
        value: The mean.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def bootstrap(values: Floats, resamples: int = RESAMPLES, seed: int = SEED) -> Mean:
    """Mean and percentile interval: images are drawn with replacement, as many as there are."""
    rng = np.random.default_rng(seed)
    drawn = values[rng.integers(len(values), size=(resamples, len(values)))].mean(axis=1)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Mean(float(values.mean()), float(low), float(high))


def gap(row: Row) -> float:
    """Area under the insertion curve minus that under the deletion curve: more is better."""
    return float(row["insertion"] - row["deletion"])


def keep(files: Iterable[str]) -> None:
    """Joins the tables of several surveys in ``ROWS``, with what they say of themselves."""
    tables = [pq.ParquetFile(file).read() for file in files]
    about = [json.loads(table.schema.metadata[b"explorer.atlas"]) for table in tables]
    joined = pa.concat_tables([table.replace_schema_metadata(None) for table in tables])
    joined = joined.replace_schema_metadata({"surveys": json.dumps(about)})
    pq.write_table(joined, ROWS, compression="zstd", compression_level=19)


def page(file: Path = ROWS) -> str:
    """The page's text."""
    table = pq.ParquetFile(file).read()
    about = json.loads(table.schema.metadata[b"surveys"])
    rows = table.to_pylist()
    models = list(dict.fromkeys(row["model"] for row in rows))
    parts = [_head(about[0], rows)]
    for model, survey in zip(models, about, strict=True):
        parts.append(_network([row for row in rows if row["model"] == model], survey["conditions"]))
    parts.append(_sources())
    return "\n\n".join(parts) + "\n"


def _head(about: Mapping[str, Any], rows: Sequence[Row]) -> str:
    conditions = about["conditions"]
    libraries = ", ".join(f"{name} {conditions[name]}" for name in ("torch", "timm", "captum"))
    device = next(row["device"] for row in rows if row["device"])
    return f"""# Leaderboard of attribution methods

Every method of the app on every image, for the class that the network itself predicts:
{len(rows):,} maps or reasons, surveyed by `python -m explorer atlas
attribution` on {about["created_at"][:10]} ({libraries}, device {device}). Written by
`python -m docs.make_attribution_leaderboard`, whose first lines say how the rows are made; do not
edit by hand. The rows themselves are in `assets/data/atlas_attribution.parquet`.

## What the numbers mean

- **Deletion**: squares (a 14th of the shorter side) are taken out, the map's strongest first;
  mean probability of the class on the way. Lower is better. What is taken out of a photo becomes
  blurred, of a digit the image's mean.
- **Insertion**: the same squares come back into a blurred image. Higher is better.
- **Gap**: insertion − deletion, by which the methods are sorted. The interval holds the mean of
  {LEVEL:.0%} of {RESAMPLES:,} bootstrap resamples of the images (seed {SEED}).
- **Behind the first**: gap of the first method − gap of this one on the same images, with the
  interval of that difference. Where it holds 0, these images do not tell the two apart.
- **Beats random**: share of maps whose deletion and insertion both beat all random orders of the
  same squares.
- **Agreement**: mean rank correlation of |map| over the squares with four cheap methods.
- **Delta**: median completeness error, where a method promises that its map sums to the difference
  of outputs.
- **Pointing** and **energy**: on the photos with a box drawn by hand, how often the largest value
  lies in the box, and which share of the positive sum; the last row says how much of the image the
  boxes cover, which is what chance would give. The class explained is the predicted one, which need
  not be what is in the box.
- **Seconds**: median of one map, without its checks; other work may have run on the machine.

What this does not say: deletion and insertion reward maps that find what moves *this* network's
probability when squares are blurred, not maps that a person would draw. Methods that hide parts of
the image themselves are judged by a relative of their own question. Many photos show nothing that
ImageNet has a class for. A few dozen images bear the intervals that they bear, and no more."""


def _network(rows: Sequence[Row], conditions: Mapping[str, Any]) -> str:
    done = [row for row in rows if row["state"] == "done"]
    failed = [row for row in rows if row["state"] != "done"]
    images = sorted({row["image"] for row in done})
    spec = find(rows[0]["model"])
    by_method = {
        method: {row["image"]: row for row in done if row["method"] == method} for method in METHODS
    }
    whole = {m: found for m, found in by_method.items() if set(found) == set(images)}
    gaps = {m: np.array([gap(found[image]) for image in images]) for m, found in whole.items()}
    order = sorted(gaps, key=lambda method: -gaps[method].mean())
    boxed = sum(row["pointing"] is not None for row in whole[order[0]].values())
    heads = [
        *("", "method", "gap", "behind the first", "deletion", "insertion", "beats random"),
        *("agreement", "delta", *(("pointing", "energy") if boxed else ()), "seconds"),
    ]
    lines = [
        f"## {spec.name}, weights {done[0]['weights']}: {len(images)} images", "",
        _conditions(conditions), "",
        f"| {' | '.join(heads)} |", "|---" * len(heads) + "|",
    ]  # fmt: skip
    for place, method in enumerate(order, 1):
        behind = bootstrap(gaps[order[0]] - gaps[method])
        cells = _cells(list(whole[method].values()), boxed=bool(boxed))
        cells[1:1] = ["–" if place == 1 else str(behind)]
        lines.append(f"| {place} | {METHODS[method].name} | {' | '.join(cells)} |")
    lines.append(f"|  | {RANDOM} | {' | '.join(_random_cells(whole, boxed=bool(boxed)))} |")
    if boxed:
        lines += ["", f"Pointing and energy are over the {boxed} photos with boxes."]
    lines += _reasons(failed, by_method, whole)
    return "\n".join(lines)


def _conditions(conditions: Mapping[str, Any]) -> str:
    options = [
        f"`{method}.{name}={json.dumps(value)}`"
        for method, values in conditions["options"].items() for name, value in values.items()
    ]  # fmt: skip
    told = f"with {', '.join(options)}, the others" if options else "all methods"
    curves = f"{conditions['steps']} steps a curve, {conditions['orders']} random orders"
    return f"{curves}; {told} at their default options."


def _cells(rows: Sequence[Row], *, boxed: bool) -> list[str]:
    orders = rows[0]["orders"]
    beats = [row["deletion_beats"] == row["insertion_beats"] == orders for row in rows]
    deltas = [row["delta"] for row in rows if row["delta"] is not None]
    cells = [
        str(bootstrap(np.array([gap(row) for row in rows]))),
        f"{np.mean([row['deletion'] for row in rows]):.3f}",
        f"{np.mean([row['insertion'] for row in rows]):.3f}",
        f"{np.mean(beats):.0%}",
        f"{np.mean([row['agreement'] for row in rows]):.2f}",
        f"{np.median(deltas):.1%}" if deltas else "",
    ]
    if boxed:
        found = [row for row in rows if row["pointing"] is not None]
        cells += [f"{np.mean([row['pointing'] for row in found]):.0%}" if found else ""]
        cells += [f"{np.mean([row['energy'] for row in found]):.0%}" if found else ""]
    return [*cells, f"{np.median([row['map_seconds'] for row in rows]):.2f}"]


def _random_cells(whole: Mapping[str, Mapping[str, Row]], *, boxed: bool) -> list[str]:
    """Every method's random orders are the same ones: those of any method will do."""
    rows = list(next(iter(whole.values())).values())
    deletion = np.array([row["deletion_random"] for row in rows])
    insertion = np.array([row["insertion_random"] for row in rows])
    gaps = str(bootstrap(insertion - deletion))
    cells = [gaps, "", f"{deletion.mean():.3f}", f"{insertion.mean():.3f}", "", "", ""]
    if boxed:
        share = np.mean([row["box_share"] for row in rows if row["box_share"] is not None])
        cells += [f"{share:.0%}", f"{share:.0%}"]
    return [*cells, ""]


def _reasons(
    failed: Sequence[Row],
    by_method: Mapping[str, Mapping[str, Row]],
    whole: Mapping[str, Mapping[str, Row]],
) -> list[str]:
    lines = []
    for method in METHODS:
        reasons = {row["reason"] for row in failed if row["method"] == method}
        if method in whole or not reasons:
            continue
        count = len(by_method[method])
        kept = f" ({count} maps are not ranked)" if count else ""
        lines.append(f"- {METHODS[method].name}: {' / '.join(sorted(reasons))}{kept}")
    return ["", "Not ranked:", "", *lines] if lines else []


def _sources() -> str:
    lines = ["## The images", "", "| photo | from | author | licence |", "|---|---|---|---|"]
    for name, photo in PHOTOS.items():
        lines.append(
            f"| {name} | {photo.source}: {photo.file} | {photo.author} | {photo.licence} |"
        )
    text = (
        "The digits are the first six of each kind among the 2,000 that LeNet-5 was not trained\n"
        "on (`assets/data/mnist`)."
    )
    return "\n".join([*lines, "", text])


if __name__ == "__main__":
    if sys.argv[1:]:
        keep(sys.argv[1:])
    PAGE.write_text(page(), encoding="utf-8")
