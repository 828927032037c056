"""Records of every architecture name that timm lists, with all its pretrained tags."""

from __future__ import annotations

import csv
import json
import math
import re
import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import timm
from counting import block_names, build_on_meta, count_macs, count_params
from timm.models import get_pretrained_cfg

HERE = Path(__file__).resolve().parent
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class OutOfTimeError(Exception):
    """Counting one model took longer than its bound."""


@contextmanager
def bounded(seconds: int) -> Iterator[None]:
    """Raises ``OutOfTimeError`` in the body after so many seconds."""

    def stop(signum: int, frame: Any) -> None:
        raise OutOfTimeError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@cache
def published_accuracy() -> dict[tuple[str, int], tuple[float, float]]:
    """(name.tag, image side) → (top-1, top-5) in percent, from timm's results table."""
    with (HERE / "timm" / "results-imagenet.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["model"], int(row["img_size"])): (float(row["top1"]), float(row["top5"]))
            for row in csv.DictReader(file)
        }


@cache
def tags_by_name() -> dict[str, list[str]]:
    """Name → its pretrained tags, timm's default first."""
    tags: dict[str, list[str]] = {}
    for full in timm.list_pretrained():
        name, _, tag = full.partition(".")
        tags.setdefault(name, []).append(tag)
    for name, members in tags.items():
        default = getattr(get_pretrained_cfg(name), "tag", None) or ""
        members.sort(key=lambda tag: tag != default)
    return tags


def preprocessing(config: Any) -> dict[str, Any]:
    """How an image becomes the input, from a timm pretrained configuration."""
    size = list(config.input_size)
    record: dict[str, Any] = {"size": size, "resize": math.floor(size[1] / config.crop_pct)}
    mean, std = tuple(config.mean), tuple(config.std)
    if (mean, std) != IMAGENET:
        record |= {"mean": [round(v, 6) for v in mean], "std": [round(v, 6) for v in std]}
    if config.interpolation != "bilinear":
        record["interpolation"] = config.interpolation
    if config.crop_mode != "center":
        record["crop_mode"] = config.crop_mode
    return record


def weights_record(name: str, tag: str) -> dict[str, Any]:
    """One pretrained tag; an accuracy only where timm's table has this tag at this size."""
    config = get_pretrained_cfg(f"{name}.{tag}" if tag else name)
    top1, top5 = published_accuracy().get((f"{name}.{tag}", config.input_size[1]), (None, None))
    record = {
        "id": tag or "default",
        "num_classes": config.num_classes,
        "top1": top1,
        "top5": top5,
        "pre": preprocessing(config),
        "recipe": config.origin_url or "",
        "licence": config.license or "",
        "hub": config.hf_hub_id or "",
        "url": "" if config.hf_hub_id else config.url or "",
    }
    return {key: value for key, value in record.items() if value not in ("", None)}


def timm_record(name: str, seconds: int) -> dict[str, Any]:
    """Everything about one name; counts are None where they could not be made in ``seconds``."""
    weights = [weights_record(name, tag) for tag in tags_by_name().get(name, [])]
    config = get_pretrained_cfg(name)
    pre = weights[0]["pre"] if weights else preprocessing(config)
    module = build_on_meta(lambda: timm.create_model(name, pretrained=False))
    classes = getattr(module, "num_classes", None)
    record: dict[str, Any] = {
        "id": f"timm/{name}",
        "builder": name,
        "source": "timm",
        "num_classes": classes if classes is not None else 1000,
        "pre": pre,
        "params": count_params(module)[0],
        "aux_params": 0,
        "macs": None,
        "blocks": block_names(module),
        "weights": weights,
    }
    try:
        with bounded(seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            record["macs"] = count_macs(module, tuple(pre["size"]))
    except (OutOfTimeError, RuntimeError, NotImplementedError, AssertionError, TypeError) as error:
        print(f"{name}: no MACs: {type(error).__name__}: {str(error).splitlines()[0][:120]}")
    except (ValueError, AttributeError, KeyError, IndexError) as error:
        print(f"{name}: no MACs: {type(error).__name__}: {str(error)[:120]}")
    return record


@cache
def family_patterns() -> list[tuple[re.Pattern[str], str]]:
    """(pattern at the start of a timm name, family); the first that matches counts."""
    families = json.loads((HERE / "families.json").read_text("utf-8"))
    return [(re.compile(f["timm"]), f["family"]) for f in families if "timm" in f]


def assign_family(record: dict[str, Any]) -> dict[str, Any]:
    """The record with its family.

    Raises:
        KeyError: No pattern matches: ``families.json`` needs a line.
    """
    name = record["builder"]
    for pattern, family in family_patterns():
        if pattern.match(name):
            return {key: value for key, value in record.items() if key != "module"} | {
                "family": family
            }
    raise KeyError(f"no family for timm/{name}: add a line to families.json")


def make_timm(path: Path, seconds: int, *, fresh: bool) -> None:
    """Fills ``path`` with all of timm's names, keeping records that are already there and counted.

    Each record goes into a draft beside it as soon as it is made, so that a run that was stopped
    can go on.
    """
    from make_catalog import write_records

    draft = path.with_suffix(".partial.jsonl")
    done: dict[str, dict[str, Any]] = {}
    if fresh:
        draft.unlink(missing_ok=True)
    elif path.exists():
        done = {record["builder"]: record for record in json.loads(path.read_text("utf-8"))}
    if draft.exists():
        lines = draft.read_text("utf-8").splitlines()
        done |= {record["builder"]: record for record in map(json.loads, lines)}
    names = timm.list_models()
    for name in names:
        if name not in done or done[name]["macs"] is None:
            done[name] = timm_record(name, seconds)
            with draft.open("a", encoding="utf-8") as file:
                file.write(json.dumps(done[name], ensure_ascii=False) + "\n")
    records = [assign_family(done[name]) for name in names]
    write_records(path, records)
    draft.unlink(missing_ok=True)
    uncounted = [record["builder"] for record in records if record["macs"] is None]
    print(f"{len(names)} names, {len(uncounted)} without MACs: {', '.join(uncounted)}")
