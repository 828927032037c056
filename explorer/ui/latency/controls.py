"""What to measure: batch, mode, element type, layout, threads, length, all in the address."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

import streamlit as st

from explorer.engine import get_engine
from explorer.i18n import _
from explorer.requests import LatencyRequest
from explorer.ui.params import choice, entry
from explorer.ui.public import allowed_seconds, largest_batch

DTYPES = ("float32", "bfloat16", "float16")
MODES = ("inference_mode", "eager", "compile", "export", "cuda_graph")
FORMATS = ("contiguous", "channels_last")
LARGEST_BATCH = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """The controls' values.

    Attributes:
        batch: Images per pass.
        request: The rest; its batch sizes are that one.
    """

    batch: int
    request: LatencyRequest

    def with_batches(self, sizes: tuple[int, ...]) -> LatencyRequest:
        """The same for other batch sizes."""
        return replace(self.request, batch_sizes=sizes)


def mode_labels() -> Mapping[str, str]:
    """Mode → how it is called on the page; CUDA's own only where there is CUDA."""
    labels = {
        "inference_mode": "inference_mode",
        "eager": _("eager, with autograd"),
        "compile": "torch.compile",
        "export": "torch.export",
        "cuda_graph": _("CUDA graph"),
    }
    device = get_engine().info().device
    if device is not None and device.kind != "cuda":
        labels.pop("cuda_graph")
    return labels


def format_labels() -> Mapping[str, str]:
    """Memory format → how it is called on the page."""
    return {
        "contiguous": _("contiguous (NCHW)"),
        "channels_last": _("channels last (NHWC)"),
    }


def thread_choices() -> list[str]:
    """Powers of two up to the machine's cores, and all of them."""
    cores = os.cpu_count() or 1
    counts = {2**power for power in range(10) if 2**power <= cores} | {cores}
    return [str(count) for count in sorted(counts)]


def choose_options() -> Options:
    """Draws the controls; those with short values two in a row."""
    left, right = st.columns(2)
    with left:
        batch = entry("batch", _("Batch size"), (1, largest_batch(LARGEST_BATCH)), default=1)
    with right:
        seconds = choice("seconds", _("At least (s)"), allowed_seconds(["3", "10", "30", "60"]))
    mode = choice("mode", _("Mode"), mode_labels())
    left, right = st.columns(2)
    with left:
        dtype = choice("dtype", _("Element type"), DTYPES)
    with right:
        threads = choice(
            "threads", _("CPU threads"), {"auto": _("as set"), **{n: n for n in thread_choices()}}
        )
    layout = choice("layout", _("Memory layout"), format_labels())
    warmup = choice("warmup", _("Warm-up"), {"fixed": _("5 runs"), "steady": _("until steady")})
    request = LatencyRequest(
        batch_sizes=(batch,), dtype=dtype, memory_format=layout, mode=mode, warmup=warmup,
        threads=None if threads == "auto" else int(threads), min_seconds=float(seconds),
    )  # fmt: skip
    return Options(batch, request)
