"""Results as a measurement makes them, without one."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.latency_results import (
    DroppedRun,
    Energy,
    LatencyResult,
    LatencySeries,
    LoadTrace,
    Machine,
    Note,
)
from explorer.requests import LatencyRequest

MACHINE = Machine("Test CPU", "cpu", "Test CPU", 2, 4, 2**33, "Linux 6", "3.11.0", "2.14.0")


def made(
    model: str = "lenet5", batches: tuple[int, ...] = (1, 8), seed: int = 0, **changes: Any
) -> LatencyResult:
    generator = np.random.default_rng(seed)
    series = []
    for batch in batches:
        seconds = generator.lognormal(-6, 0.1, 250) * batch
        series.append(
            LatencySeries(
                batch,
                seconds,
                np.cumsum(seconds) - seconds,
                warmup_seconds=(0.5, 0.25),
                compile_seconds=1.5,
                peak_bytes=2**33 + batch,
                estimate_bytes=12345,
                energy=Energy(12.5, 2.5, 250 * batch, "rapl"),
                load=LoadTrace(
                    np.array([0.1, 0.4]), np.array([0.0, np.nan]), np.array([np.nan, 2400.0]), 4
                ),
                dropped=(DroppedRun(0.5, 0.1, 3600.0),),
                stopped=Note("Stopped at {batch}.", {"batch": batch}),
            )
        )
    values: dict[str, Any] = {
        "weights": None, "device": "Test CPU", "threads": 2, "dtype": "float32",
        "memory_format": "contiguous", "input_size": (1, 28, 28),
        "versions": {"torch": "2.14.0"}, "machine": MACHINE,
        "started_at": f"2026-11-24T10:00:{seed % 60:02d}+00:00",
        "request": LatencyRequest(batch_sizes=batches, input_size=(1, 28, 28)),
    }  # fmt: skip
    return LatencyResult(model=model, series=tuple(series), **{**values, **changes})


def same(one: Any, two: Any) -> bool:
    """Whether two results are equal to the last bit, whatever their ids."""
    import dataclasses

    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        return type(one) is type(two) and all(
            same(getattr(one, part.name), getattr(two, part.name))
            for part in dataclasses.fields(one)
            if part.name != "run_id"
        )
    if isinstance(one, np.ndarray):
        return bool(np.array_equal(one, two, equal_nan=True)) and one.dtype == two.dtype
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)
