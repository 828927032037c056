"""From the lines of ``assets/data/*.json`` to frozen specs, read when first asked for."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, cast

from explorer.catalog import own
from explorer.catalog.spec import Dataset, ModelSpec, Paper, Preprocessing, Source, WeightsSpec

ASSETS = Path(__file__).resolve().parent.parent.parent / "assets"
DATA = ASSETS / "data"
# Files of the entries that have plain ids, in the catalog's order.
CURATED_FILES = ("torchvision.json", "extra.json", "networks.json")

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip

Record = dict[str, Any]


def read_json(name: str) -> Any:
    """The content of a file in ``assets/data``."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))


@cache
def curated_records() -> dict[str, Record]:
    """Plain id → its record: torchvision's architectures and the few that join them."""
    return {record["id"]: record for name in CURATED_FILES for record in read_json(name)}


@cache
def timm_records() -> dict[str, Record]:
    """``timm/NAME`` → its record, in timm's order."""
    if not (DATA / "timm.json").exists():
        return {}
    return {record["id"]: record for record in read_json("timm.json")}


@cache
def families() -> dict[str, Record]:
    """Family → its record: year and paper of first publication, where known for certain."""
    return {record["family"]: record for record in read_json("families.json")}


@cache
def class_labels(dataset: str) -> tuple[str, ...]:
    """English names of a dataset's classes in the order of the logits; empty for "other"."""
    if dataset == "imagenet":
        return tuple(read_json("imagenet_classes.json"))
    if dataset == "mnist":
        return tuple("0123456789")
    if dataset == "cifar10":
        return CIFAR10
    return ()


def year_of(record: Record) -> int | None:
    """Year of first publication: the record's own, else its family's."""
    year = record.get("year", families().get(record["family"], {}).get("year"))
    return None if year is None else int(year)


@cache
def spec(model_id: str) -> ModelSpec:
    """The spec of an id that exists.

    Raises:
        KeyError: There is no such id.
    """
    record = (
        curated_records().get(model_id) or own.records().get(model_id) or timm_records()[model_id]
    )
    weights = tuple(_weights(entry, record) for entry in record["weights"])
    return ModelSpec(
        id=record["id"],
        name=record.get("name") or record["builder"],
        family=record["family"],
        year=year_of(record),
        source=cast(Source, record["source"]),
        builder=record["builder"],
        paper=_paper(record),
        dataset=_dataset(record, record["num_classes"]),
        num_classes=record["num_classes"],
        preprocessing=_preprocessing(record["pre"]),
        weights=weights,
        params=record["params"],
        aux_params=record["aux_params"],
        macs=record["macs"],
        blocks=tuple(record["blocks"]),
    )


def _dataset(record: Record, num_classes: int) -> Dataset:
    """What the outputs mean; a thousand outputs mean ImageNet in both libraries."""
    fallback = "imagenet" if num_classes == 1000 else "other"
    return cast(Dataset, record.get("dataset", fallback))


def _weights(entry: Record, record: Record) -> WeightsSpec:
    num_classes: int = entry["num_classes"] if "num_classes" in entry else record["num_classes"]
    top1 = entry.get("top1")
    if record["source"] == "explorer":
        top1 = _own_accuracy(record["builder"])
    return WeightsSpec(
        id=entry["id"],
        dataset=_dataset(record | entry, num_classes),
        num_classes=num_classes,
        top1=top1,
        top5=entry.get("top5"),
        preprocessing=_preprocessing(entry["pre"]),
        recipe=entry.get("recipe", ""),
        licence=entry.get("licence", ""),
        url=entry.get("url", ""),
        size_bytes=entry.get("size_bytes"),
        hub=entry.get("hub", ""),
        package=entry.get("package", ""),
        params=entry.get("params"),
        macs=entry.get("macs"),
        sha256=entry.get("sha256", ""),
        file=entry.get("file", ""),
    )


def _preprocessing(entry: Record) -> Preprocessing:
    channels, height, width = entry["size"]
    return Preprocessing(
        input_size=(channels, height, width),
        resize=entry["resize"],
        mean=tuple(entry.get("mean", IMAGENET_MEAN)),
        std=tuple(entry.get("std", IMAGENET_STD)),
        interpolation=entry.get("interpolation", "bilinear"),
        crop_mode=entry.get("crop_mode", "center"),
    )


def _paper(record: Record) -> Paper | None:
    """The record's own, else its family's."""
    paper: Record = record.get("paper") or families().get(record["family"], {})
    if "title" not in paper:
        return None
    return Paper(title=paper["title"], authors=tuple(paper["authors"]), url=paper["url"])


@cache
def _own_accuracy(builder: str) -> float | None:
    """Percent of held-out digits read right, as the training wrote it down; None before it ran."""
    path = ASSETS / "weights" / builder / "metrics.json"
    if not path.exists():
        return None
    return float(json.loads(path.read_text(encoding="utf-8"))["heldout_accuracy_pct"])
