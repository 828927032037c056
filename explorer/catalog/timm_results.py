"""The three result tables of timm, joined: accuracy, and throughput on one GPU and one CPU.

The tables are unchanged copies; ``assets/data/timm/PROVENANCE.md`` says of which commit, and what
their columns mean. A benchmark row holds for every pretrained tag of its architecture at its size:
the join is many-to-one on (name before the dot, image side).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from explorer.catalog.store import DATA

FOLDER = DATA / "timm"
RESULTS_FILE = FOLDER / "results-imagenet.csv"
GPU_FILE = FOLDER / "benchmark-infer-amp-nchw-pt291-cu130-5090.csv"
CPU_FILE = FOLDER / "benchmark-infer-fp32-nchw-pt240-cpu-i7_12700h-dynamo.csv"
GPU_LABEL = "RTX 5090, mixed precision, PyTorch 2.9.1, large batches"
CPU_LABEL = "Core i7-12700H, fp32, torch.compile, PyTorch 2.4.0, batch 1"


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """Inference speed of one architecture at one size, published by timm.

    Attributes:
        model: Architecture, without a tag.
        img_size: Image side, pixels.
        images_per_second: Throughput.
        batch_ms: Milliseconds of a whole batch.
        batch_size: Images in a batch.
        params_millions: 10⁶; of the benchmarked form, which may lack the head.
        macs_giga: Multiply–accumulates of one image, 10⁹, rounded to 0.01.
        activations_millions: Elements that convolutions and the like write, 10⁶.
    """

    model: str
    img_size: int
    images_per_second: float
    batch_ms: float
    batch_size: int
    params_millions: float
    macs_giga: float
    activations_millions: float

    @property
    def image_seconds(self) -> float:
        """Seconds for one image: the batch's time shared among its images."""
        return self.batch_ms / 1000 / self.batch_size


@dataclass(frozen=True, slots=True)
class ResultRow:
    """Accuracy of one set of weights at one size, with the speeds that belong to it.

    Attributes:
        model: Architecture.
        tag: Pretrained tag; "" where there is none.
        img_size: Image side, pixels.
        top1: Percent, 50,000 validation images of ImageNet-1k.
        top5: Percent, likewise.
        params_millions: 10⁶.
        crop_pct: Share of the resized image that is seen, 0…1.
        interpolation: "bilinear" or "bicubic".
        gpu: Speed on the GPU; None where it was not benchmarked at this size.
        cpu: Speed on the CPU; None likewise.
    """

    model: str
    tag: str
    img_size: int
    top1: float
    top5: float
    params_millions: float
    crop_pct: float
    interpolation: str
    gpu: BenchmarkRow | None
    cpu: BenchmarkRow | None

    @property
    def model_id(self) -> str:
        """Id in the catalog; the installed timm may no longer have the name."""
        return f"timm/{self.model}"


@cache
def benchmark(path: Path) -> dict[tuple[str, int], BenchmarkRow]:
    """(architecture, image side) → its row."""
    rows = {}
    for row in _read(path):
        entry = BenchmarkRow(
            model=row["model"],
            img_size=int(row["infer_img_size"]),
            images_per_second=_number(row["infer_samples_per_sec"]),
            batch_ms=_number(row["infer_step_time"]),
            batch_size=int(row["infer_batch_size"]),
            params_millions=_number(row["param_count"]),
            macs_giga=_number(row["infer_gmacs"]),
            activations_millions=_number(row["infer_macts"]),
        )
        rows[entry.model, entry.img_size] = entry
    return rows


@cache
def results() -> tuple[ResultRow, ...]:
    """All accuracies, best first as published, with the speeds that belong to them."""
    gpu, cpu = benchmark(GPU_FILE), benchmark(CPU_FILE)
    rows = []
    for row in _read(RESULTS_FILE):
        model, _, tag = row["model"].partition(".")
        key = (model, int(row["img_size"]))
        rows.append(
            ResultRow(
                model=model,
                tag=tag,
                img_size=key[1],
                top1=_number(row["top1"]),
                top5=_number(row["top5"]),
                params_millions=_number(row["param_count"]),
                crop_pct=_number(row["crop_pct"]),
                interpolation=row["interpolation"],
                gpu=gpu.get(key),
                cpu=cpu.get(key),
            )
        )
    return tuple(rows)


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _number(text: str) -> float:
    """A number that may be written with thousands commas ("1,014.45")."""
    return float(text.replace(",", ""))
