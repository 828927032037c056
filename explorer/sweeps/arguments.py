"""What can be said to ``python -m explorer bench``; imports nothing that may be missing."""

from __future__ import annotations

import argparse
from typing import Any


def add_bench(commands: Any) -> None:
    """Adds the command to a parser's commands."""
    bench = commands.add_parser(
        "bench",
        help="time many networks; a run that was broken off goes on when it is started again",
        description=(
            "Times every model with every mode and batch size, keeps the raw times, and writes a "
            "table whose first columns are those of timm's benchmark. The networks are untrained: "
            "their speed does not depend on the weights."
        ),
    )
    add = bench.add_argument
    add("--models", nargs="+", required=True, metavar="PATTERN", help="ids, or 'resnet*'")
    add("--batch", type=_numbers, default=(1,), metavar="1,8,32", help="images per pass")
    add("--mode", type=_words, default=("inference_mode",), metavar="MODE,…",
        help="eager, inference_mode, compile, export, cuda_graph")  # fmt: skip
    add("--dtype", default="float32", help="float32, bfloat16, float16")
    add("--memory-format", default="contiguous", help="contiguous, channels_last")
    add("--threads", type=int, help="CPU threads; torch's own choice by default")
    add("--seconds", type=float, default=3.0, help="measured time of each point, at least")
    add("--runs", type=int, default=30, help="measured runs of each point, at least")
    add("--out", metavar="FILE", help=".csv (timm's columns), .json or .parquet (raw times)")
    add("--raw", action="store_true", help="with a .csv: one line a run instead of timm's columns")
    add("--fresh", action="store_true", help="do not go on with an unfinished run of the same")


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is not like 1,8,32") from None


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
