"""Times networks in turn, in an order that is drawn anew for each round, or for each block."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from explorer.device import describe
from explorer.errors import LatencyError
from explorer.i18n import N_
from explorer.machine import device_label
from explorer.module_state import preserved
from explorer.paired.result import Blocks, PairedRequest, PairedResult
from explorer.timing import Clock, Pass, gc_held, threads, timer_of

if TYPE_CHECKING:
    from explorer.downloads import ProgressCallback
    from explorer.zoo import LoadedModel

Progress = Callable[[float, float, Any], None]
Opener = Callable[["ProgressCallback"], AbstractContextManager["LoadedModel"]]
"""Loads a network for a while; it is given what to call while it waits."""

WARMUPS = 5
MOST_RUNS_OF_A_TURN = 1000
MOST_ROUNDS, MOST_BATCH, MOST_BLOCKS = 1000, 256, 100


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
        who = [_who(one) for one in loaded]
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
                progress(done, request.rounds, _result(who, request, rows))
        return _result(who, request, rows)


def measure_in_blocks(
    openers: Sequence[Opener],
    request: PairedRequest,
    room: tuple[int, int],
    progress: Progress | None = None,
    clock: Clock = time.perf_counter_ns,
) -> PairedResult:
    """Times of several networks of which one at a time is loaded.

    In each block each network is loaded, warmed up and timed for ``request.turns`` turns; the order
    is drawn anew for each block. Loading is outside every time.

    Args:
        openers: One for each network.
        request: How often, in how many blocks, and how large a batch.
        room: (what they take together, what they may take), bytes; said in the result.
        progress: Called with (turns done, turns, ``PairedResult`` of the whole blocks so far, or
            None) after each turn and while a network is loaded; what it raises ends the measurement
            and passes through.
        clock: Nanoseconds, rising.

    Raises:
        LatencyError: Rounds, blocks or a batch size that cannot be measured.
    """
    _check(request)
    order = random.Random(request.seed)
    blocks = Blocks(request.turns, *room)
    total = request.blocks * request.turns * len(openers)
    known: dict[int, _Who] = {}
    rows: list[list[float]] = []
    done = 0

    def tell(partial: PairedResult | None = None) -> None:
        if progress is not None:
            progress(done, total, partial)

    def turned() -> None:
        nonlocal done
        done += 1
        tell()

    def result() -> PairedResult:
        return _result([known[at] for at in range(len(openers))], request, rows, blocks)

    for _block in range(request.blocks):
        places = list(range(len(openers)))
        order.shuffle(places)
        columns: dict[int, list[float]] = {}
        for place in places:
            known[place], columns[place] = _visit(openers[place], request, clock, tell, turned)
        rows += [list(row) for row in zip(*(columns[at] for at in sorted(columns)), strict=True)]
        tell(result())
    return result()


def _visit(
    opener: Opener,
    request: PairedRequest,
    clock: Clock,
    waiting: Callable[[], None],
    turned: Callable[[], None],
) -> tuple[_Who, list[float]]:
    """Loads one network and times its turns of one block; nothing here outlives it."""
    with (
        opener(lambda *_bytes: waiting()) as one,
        preserved(one.module),
        threads(request.threads),
        gc_held(),
        torch.inference_mode(),
    ):
        x, timed = _input(one, request.batch_size), timer_of(one.device, clock)
        for _run in range(WARMUPS):
            timed(one.module, x)
            waiting()
        found = []
        for _number in range(request.turns):
            found.append(_turn(timed, one, x, request))
            turned()
        return _who(one), found


def _check(request: PairedRequest) -> None:
    for name, value, most in (
        ("rounds", request.rounds, MOST_ROUNDS),
        ("batch_size", request.batch_size, MOST_BATCH),
        ("runs", request.runs, MOST_RUNS_OF_A_TURN),
        ("blocks", request.blocks, MOST_BLOCKS),
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


@dataclass(frozen=True, slots=True)
class _Who:
    """What a result says of a network, without the network.

    Attributes:
        model: Catalog id.
        weights: Id; None for untrained.
        device: Its name.
        threads: Intra-op.
    """

    model: str
    weights: str | None
    device: str
    threads: int


def _who(loaded: LoadedModel) -> _Who:
    weights = None if loaded.weights is None else loaded.weights.id
    device = device_label(describe(loaded.device).name)
    return _Who(loaded.spec.id, weights, device, torch.get_num_threads())


def _result(
    timed: Sequence[_Who],
    request: PairedRequest,
    rows: list[list[float]],
    blocks: Blocks | None = None,
) -> PairedResult:
    return PairedResult(
        models=tuple(one.model for one in timed),
        weights=tuple(one.weights for one in timed),
        seconds=np.array(rows, np.float64).reshape(-1, len(timed)),
        batch_size=request.batch_size,
        device=timed[0].device,
        threads=timed[0].threads,
        versions={"torch": str(torch.__version__)},
        blocks=blocks,
    )
