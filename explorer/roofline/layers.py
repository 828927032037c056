"""What each module call takes by itself, measured with hooks, beside what it has to do."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from explorer.costs import bytes_moved
from explorer.graph import LayerGraph, Op
from explorer.module_state import preserved
from explorer.results import DevicePeaks, LayerTime, RooflineResult
from explorer.roofline.peaks import synchronise
from explorer.timing import Clock, gc_held

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

Progress = Callable[[float, float | None], None]

#: Passes are timed for about so long, within these numbers of passes.
WANTED_SECONDS = 1.5
FEWEST, MOST = 5, 40


def roofline(
    loaded: LoadedModel,
    graph: LayerGraph,
    peaks: DevicePeaks,
    progress: Progress | None = None,
) -> RooflineResult:
    """The network's layers with their measured times.

    Args:
        loaded: The network, held under its lock; it is left as it was.
        graph: Its trace at its own input size, batch 1.
        peaks: Of the device that it is on.
        progress: Called with (passes done, passes); what it raises ends the measurement.
    """
    with preserved(loaded.module), gc_held(), torch.inference_mode():
        x = torch.rand(graph.input_shape, device=loaded.device)
        whole, hooked, times = time_layers(loaded.module, x, progress=progress)
    layers = tuple(_layers(graph, times))
    _, *size = graph.input_shape
    return RooflineResult(
        model=graph.model,
        input_size=(size[0], size[1], size[2]),
        peaks=peaks,
        layers=layers,
        seconds=statistics.median(whole),
        hooked_seconds=statistics.median(hooked),
        runs=len(hooked),
    )


def _layers(graph: LayerGraph, times: Mapping[str, list[float]]) -> Iterator[LayerTime]:
    moved = bytes_moved(graph)
    by_module: dict[str, list[Op]] = {}
    for op in graph.ops:
        by_module.setdefault(op.module, []).append(op)
    for name, ops in by_module.items():
        if name not in times:
            continue
        yield LayerTime(
            name=name,
            kind=max(ops, key=lambda op: (op.macs, op.output_bytes)).kind,
            macs=sum(op.macs for op in ops),
            nbytes=sum(moved[op.id] for op in ops),
            seconds=statistics.median(times[name]),
        )


def time_layers(
    module: nn.Module,
    x: torch.Tensor,
    *,
    clock: Clock = time.perf_counter_ns,
    progress: Progress | None = None,
) -> tuple[list[float], list[float], dict[str, list[float]]]:
    """Times of whole passes, of whole passes with hooks, and of module calls by themselves.

    A call's own time is its duration without that of the modules that it calls; a module called
    again in one pass is "name@2". On CUDA, durations are those between events on the stream.

    Returns:
        (seconds of each pass without hooks, with hooks, id of the call → seconds of each pass).
    """
    device = x.device
    whole: list[float] = []
    module(x)
    synchronise(device)
    runs = FEWEST
    while len(whole) < runs:
        if progress is not None:
            progress(len(whole), 2 * runs)
        start = clock()
        module(x)
        synchronise(device)
        whole.append((clock() - start) / 1e9)
        runs = max(FEWEST, min(MOST, round(WANTED_SECONDS / max(min(whole), 1e-9))))
    hooked: list[float] = []
    times: dict[str, list[float]] = {}
    with _recording(module, _Marks(device, clock)) as recorder:
        for run in range(runs):
            if progress is not None:
                progress(runs + run, 2 * runs)
            recorder.begin()
            start = clock()
            module(x)
            synchronise(device)
            hooked.append((clock() - start) / 1e9)
            for name, seconds in recorder.own_seconds().items():
                times.setdefault(name, []).append(seconds)
    return whole, hooked, times


class _Marks:
    """Moments on a device's own time line: the clock's, or events on the CUDA stream."""

    def __init__(self, device: torch.device, clock: Clock) -> None:
        self._cuda = device.type == "cuda"
        self._wait = device if device.type == "mps" else None
        self._clock = clock

    def now(self) -> Any:
        if self._cuda:
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record()
            return event
        if self._wait is not None:
            synchronise(self._wait)
        return self._clock()

    def seconds(self, start: Any, end: Any) -> float:
        """Between two moments, once the device is done."""
        if self._cuda:
            return float(start.elapsed_time(end)) / 1e3
        return float(end - start) / 1e9


@dataclass(slots=True)
class _Call:
    name: str
    start: Any
    end: Any = None
    inside: list[_Call] = field(default_factory=list)


class _Recorder:
    """The calls of one pass, nested as they ran."""

    def __init__(self, marks: _Marks) -> None:
        self._marks = marks
        self.begin()

    def begin(self) -> None:
        self._calls: list[_Call] = []
        self._open: list[_Call] = []
        self._count: Counter[str] = Counter()

    def enter(self, path: str) -> None:
        self._count[path] += 1
        again = self._count[path]
        call = _Call(path if again == 1 else f"{path}@{again}", self._marks.now())
        if self._open:
            self._open[-1].inside.append(call)
        self._calls.append(call)
        self._open.append(call)

    def leave(self) -> None:
        self._open.pop().end = self._marks.now()

    def own_seconds(self) -> dict[str, float]:
        seconds = self._marks.seconds
        return {
            call.name: max(
                0.0,
                seconds(call.start, call.end)
                - sum(seconds(inner.start, inner.end) for inner in call.inside),
            )
            for call in self._calls
            if call.end is not None
        }


@contextmanager
def _recording(module: nn.Module, marks: _Marks) -> Iterator[_Recorder]:
    """Hooks on every submodule, taken off at the end whatever happens."""
    recorder = _Recorder(marks)
    handles = []

    def before(path: str) -> Callable[..., None]:
        return lambda *_args: recorder.enter(path)

    def after(*_args: Any) -> None:
        recorder.leave()

    try:
        for path, part in module.named_modules():
            handles.append(part.register_forward_pre_hook(before(path)))
            handles.append(part.register_forward_hook(after))
        yield recorder
    finally:
        for handle in handles:
            handle.remove()
