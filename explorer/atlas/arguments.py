"""What can be said to ``python -m explorer atlas``; imports nothing that may be missing."""

from __future__ import annotations

import argparse
from typing import Any


def add_atlas(commands: Any) -> None:
    """Adds the command to a parser's commands."""
    atlas = commands.add_parser(
        "atlas",
        help="survey many networks; a survey that was broken off goes on with --resume",
        description=(
            "Surveys whose rows are kept one by one: a kill costs what was running, and the same "
            "command with --resume goes on. What cannot be done is a row with the reason. The rows "
            "go into Parquet files in the folder, and at the end into one."
        ),
    )
    surveys = atlas.add_subparsers(dest="survey", required=True)
    _costs(surveys)
    _latency(surveys)
    _attribution(surveys)


def _add(surveys: Any, name: str, help_text: str) -> Any:
    parser = surveys.add_parser(name, help=help_text)
    add = parser.add_argument
    add("--out", required=True, metavar="DIR", help="folder for the rows; new, empty, or this one")
    add("--resume", action="store_true", help="go on with what the folder holds")
    return add


def _costs(surveys: Any) -> None:
    add = _add(surveys, "costs", "trace and count every network of the catalog and of timm")
    add("--models", nargs="+", default=["*"], metavar="PATTERN", help="ids, or 'timm/resnet*'")
    add("--workers", type=_positive, metavar="N", help="processes; one a core by default")
    add("--memory", type=float, metavar="GB",
        help="of each worker; by default equal parts of 80 %% of what is free")  # fmt: skip
    add("--seconds", type=float, default=600.0, help="for each network, at most")


def _latency(surveys: Any) -> None:
    add = _add(surveys, "latency", "time networks on this machine, untrained, as bench does")
    add("--models", nargs="+", required=True, metavar="PATTERN", help="ids, or 'resnet*'")
    add("--batch", type=_numbers, default=(1,), metavar="1,8,32", help="images per pass")
    add("--mode", type=_words, default=("inference_mode",), metavar="MODE,…",
        help="eager, inference_mode, compile, export, cuda_graph")  # fmt: skip
    add("--dtype", default="float32", help="float32, bfloat16, float16")
    add("--memory-format", default="contiguous", help="contiguous, channels_last")
    add("--threads", type=_positive, help="CPU threads; torch's own choice by default")
    add("--min-seconds", type=float, default=3.0, help="measured time of each point, at least")
    add("--runs", type=_positive, default=30, help="measured runs of each point, at least")


def _attribution(surveys: Any) -> None:
    add = _add(surveys, "attribution", "how good maps are: images × networks × methods")
    add("--images", required=True, metavar="DIR", help="folder of images; boxes.json or boxes.csv")
    add("--models", nargs="+", required=True, metavar="PATTERN", help="ids; their weights are here")
    add("--methods", nargs="+", default=["all"], metavar="METHOD", help="ids, or all")
    add("--option", nargs="+", default=[], metavar="METHOD.NAME=VALUE",
        help="of a method, like lime.samples=200")  # fmt: skip
    add("--checks", type=_words, default=("curves", "agreement"), metavar="CHECK,…",
        help="curves, randomisation, agreement, infidelity, sensitivity")  # fmt: skip
    add("--steps", type=_positive, default=16, help="points of the curves after the first")
    add("--orders", type=_positive, default=5, help="random orders that the curves are held to")
    add("--jobs", type=_positive, default=1, metavar="N",
        help="maps at once, where the engine has several workers")  # fmt: skip
    add("--seconds", type=float, default=900.0, help="for each map with its checks, at most")


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"“{text}” is no whole number from 1 on")
    return number


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_positive(part) for part in text.split(","))


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
