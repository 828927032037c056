"""Times networks in turn, in an order that is drawn anew for each round."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from explorer.device import describe
from explorer.errors import LatencyError
from explorer.i18n import N_
from explorer.module_state import preserved
from explorer.paired.result import PairedRequest, PairedResult
from explorer.timing import Clock, Pass, gc_held, threads, timer_of

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

Progress = Callable[[float, float, Any], None]

WARMUPS = 5
MOST_RUNS_OF_A_TURN = 1000
MOST_ROUNDS, MOST_BATCH = 1000, 256


def measure_paired(
    loaded: Sequence[LoadedModel],
    request: PairedRequest,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter_ns,
) -> PairedResult:
    """Times of several networks on one machine, interleaved.

    Args:
        loaded: The networks, held under their locks, on one device.
        request: How often, and how large a batch.
        progress: Called with (rounds done, rounds, ``PairedResult`` so far) after each round; what
            it raises ends the measurement and passes through.
        clock: Nanoseconds, rising.

    Raises:
        LatencyError: Rounds or a batch size that cannot be measured.
    """
    _check(request)
    order = random.Random(request.seed)
    rows: list[list[float]] = []
    with (
        ExitStack() as states,
        threads(request.threads),
        gc_held(),
        torch.inference_mode(),
    ):
        for one in loaded:
            states.enter_context(preserved(one.module))
        inputs = [_input(one, request.batch_size) for one in loaded]
        timers = [timer_of(one.device, clock) for one in loaded]
        for place, one in enumerate(loaded):
            for _run in range(WARMUPS):
                timers[place](one.module, inputs[place])
                if progress is not None:
                    progress(0, request.rounds, None)
        for done in range(1, request.rounds + 1):
            places = list(range(len(loaded)))
            order.shuffle(places)
            row = [0.0] * len(loaded)
            for place in places:
                row[place] = _turn(timers[place], loaded[place], inputs[place], request)
            rows.append(row)
            if progress is not None:
                progress(done, request.rounds, _result(loaded, request, rows))
        return _result(loaded, request, rows)


def _check(request: PairedRequest) -> None:
    for name, value, most in (
        ("rounds", request.rounds, MOST_ROUNDS),
        ("batch_size", request.batch_size, MOST_BATCH),
        ("runs", request.runs, MOST_RUNS_OF_A_TURN),
    ):
        if not 1 <= value <= most:
            raise LatencyError(
                N_("A measurement with {name}={value} is not possible; choose {low} to {high}."),
                name=name, value=value, low=1, high=most,
            )  # fmt: skip


def _input(loaded: LoadedModel, batch: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    size = (batch, *loaded.preprocessing.input_size)
    return torch.randn(size, generator=generator).to(loaded.device)


def _turn(timed: Pass, loaded: LoadedModel, x: torch.Tensor, request: PairedRequest) -> float:
    """Median seconds of one turn; the first run of each warms the caches and does not count."""
    timed(loaded.module, x)
    found: list[int] = []
    while len(found) < request.runs or (
        sum(found) < request.turn_seconds * 1e9 and len(found) < MOST_RUNS_OF_A_TURN
    ):
        found.append(timed(loaded.module, x)[1])
    return float(np.median(found)) / 1e9


def _result(
    loaded: Sequence[LoadedModel], request: PairedRequest, rows: list[list[float]]
) -> PairedResult:
    return PairedResult(
        models=tuple(one.spec.id for one in loaded),
        weights=tuple(None if one.weights is None else one.weights.id for one in loaded),
        seconds=np.array(rows, np.float64).reshape(-1, len(loaded)),
        batch_size=request.batch_size,
        device=describe(loaded[0].device).name,
        threads=torch.get_num_threads(),
        versions={"torch": str(torch.__version__)},
    )
