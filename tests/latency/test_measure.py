from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer import latency
from explorer.catalog.spec import Preprocessing
from explorer.errors import JobCancelled, LatencyError
from explorer.latency import LatencyRequest, measure
from explorer.results import LatencySeries
from explorer.zoo import LoadedModel

CPU = torch.device("cpu")


class Scripted(nn.Module):
    """Calls back on every pass, so that a test knows what runs when."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Conv2d(1, 2, 3)
        self.seen: list[tuple[int, ...]] = []
        self.before: Any = None

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(tuple(x.shape))
        if self.before is not None:
            self.before(x)
        return self.linear(x).mean(dim=(2, 3))


def loaded_of(module: nn.Module, size: tuple[int, int, int] = (1, 8, 8)) -> LoadedModel:
    preprocessing = Preprocessing(size, 8, (0.5,) * size[0], (0.5,) * size[0])
    spec = SimpleNamespace(id="scripted", name="Scripted", macs=1000, preprocessing=preprocessing)
    return LoadedModel(spec, None, module.eval(), CPU, preprocessing, ("a", "b"), 100)


class Clock:
    """Time goes on only inside a pass, by the scripted durations (nanoseconds)."""

    def __init__(self, module: Scripted, durations: Iterator[int]) -> None:
        self.now = 0
        self.durations = durations
        # The pass that estimates memory, the two that estimate time, the one whose peak is taken.
        self.skip = 4
        module.before = self.run

    def run(self, x: Tensor) -> None:
        if self.skip:
            self.skip -= 1
        else:
            self.now += next(self.durations)

    def __call__(self) -> int:
        return self.now


def measured(durations: list[int], request: LatencyRequest, progress: Any = None) -> Any:
    module = Scripted()
    clock = Clock(module, itertools.chain(durations, itertools.repeat(durations[-1])))
    return measure(loaded_of(module), request, progress=progress, clock=clock), module


MS = 1_000_000


def test_raw_times_are_kept_in_order_and_warmup_apart() -> None:
    request = LatencyRequest(min_runs=4, min_seconds=0, warmup_runs=2)
    result, module = measured([50 * MS, 40 * MS, 3 * MS, 1 * MS, 4 * MS, 2 * MS], request)
    (series,) = result.series
    assert series.warmup_seconds == (0.05, 0.04)
    assert series.seconds.tolist() == [0.003, 0.001, 0.004, 0.002]
    assert series.starts.tolist() == [0.0, 0.003, 0.004, 0.008]  # each begins when the last ended
    assert series.finished
    assert series.median == pytest.approx(0.0025)
    assert series.images_per_second == pytest.approx(400)
    assert len(module.seen) == 4 + 2 + 4


def test_both_minimum_runs_and_minimum_seconds_are_reached() -> None:
    result, _ = measured([100 * MS], LatencyRequest(min_runs=3, min_seconds=1, warmup_runs=0))
    assert len(result.series[0].seconds) == 10  # 10·0.1 s = 1 s
    result, _ = measured([100 * MS], LatencyRequest(min_runs=30, min_seconds=1, warmup_runs=0))
    assert len(result.series[0].seconds) == 30


def test_batches_are_measured_one_after_another() -> None:
    request = LatencyRequest(batch_sizes=(1, 4, 2), min_runs=2, min_seconds=0, warmup_runs=1)
    result, module = measured([MS], request)
    assert [series.batch_size for series in result.series] == [1, 4, 2]
    assert [shape[0] for shape in module.seen] == [1, 1, 1] + [1] * 4 + [4] * 4 + [2] * 4
    assert result.series[1].images_per_second == pytest.approx(4000)


def test_what_was_measured_is_said() -> None:
    result, _ = measured([MS], LatencyRequest(min_runs=1, min_seconds=0))
    assert result.model == "scripted"
    assert result.weights is None
    assert result.input_size == (1, 8, 8)
    assert result.threads == torch.get_num_threads()
    assert result.versions["torch"] == torch.__version__
    assert result.device


def test_partial_results_come_at_most_four_times_a_second_and_grow() -> None:
    seen: list[tuple[float, float, Any]] = []
    request = LatencyRequest(min_runs=1, min_seconds=2, warmup_runs=0)
    result, _ = measured([10 * MS], request, progress=lambda *report: seen.append(report))
    counts = [len(partial.series[-1].seconds) for _, _, partial in seen]
    assert counts == [25, 50, 75, 100, 125, 150, 175, 200, 200]  # every 0.25 s, and at the end
    assert [partial.series[-1].finished for _, _, partial in seen] == [False] * 8 + [True]
    assert [done for done, _, _ in seen] == pytest.approx([n / 200 for n in counts])
    assert {total for _, total, _ in seen} == {1}
    # Earlier partial results are not changed by later runs.
    assert len(seen[0][2].series[0].seconds) == 25
    assert len(result.series[0].seconds) == 200


def test_reporting_costs_no_measured_time() -> None:
    module = Scripted()
    clock = Clock(module, itertools.repeat(10 * MS))

    def slow_progress(*report: Any) -> None:
        clock.now += 500 * MS

    request = LatencyRequest(min_runs=100, min_seconds=0, warmup_runs=0)
    result = measure(loaded_of(module), request, progress=slow_progress, clock=clock)
    assert set(result.series[0].seconds.tolist()) == {0.01}
    assert result.series[0].starts[-1] > 99 * 0.01  # the pauses are seen in the starts


def state(module: nn.Module) -> tuple[Any, ...]:
    return (
        [part.training for part in module.modules()],
        [len(part._forward_hooks) for part in module.modules()],
        [(p.dtype, p.stride(), p.requires_grad, p.grad, p.data_ptr()) for p in module.parameters()],
        torch.get_num_threads(),
        gc.isenabled(),
        torch.is_inference_mode_enabled(),
        torch.is_grad_enabled(),
    )


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("failure", [None, JobCancelled("stop"), ValueError("broken")])
def test_everything_is_put_back(training: bool, failure: Exception | None) -> None:
    module = Scripted()
    loaded = loaded_of(module)
    module.train(training)
    before = state(module)

    def inside(x: Tensor) -> None:
        assert not module.training
        assert not gc.isenabled()
        assert not torch.is_grad_enabled()
        assert torch.is_inference_mode_enabled() == (len(module.seen) > 3)  # the three of estimates
        assert torch.get_num_threads() == 1
        if failure is not None and len(module.seen) > 10:
            raise failure

    module.before = inside
    request = LatencyRequest(min_runs=20, min_seconds=0, threads=1)
    if isinstance(failure, JobCancelled):
        with pytest.raises(JobCancelled):
            measure(loaded, request)
    elif failure is not None:
        with pytest.raises(ValueError, match="broken"):
            measure(loaded, request)
    else:
        measure(loaded, request)
    assert state(module) == before


def test_cancel_ends_before_the_next_batch() -> None:
    module = Scripted()
    clock = Clock(module, itertools.repeat(300 * MS))
    passes_at_cancel = 0

    def cancel(done: float, total: float, partial: Any) -> None:
        nonlocal passes_at_cancel
        passes_at_cancel = len(module.seen)
        raise JobCancelled("The job was cancelled.")

    with pytest.raises(JobCancelled):
        measure(loaded_of(module), LatencyRequest(min_runs=50), progress=cancel, clock=clock)
    assert passes_at_cancel == 4 + 1  # within the warm-up, after one batch of 0.3 s
    assert len(module.seen) == passes_at_cancel


def test_out_of_memory_midway_keeps_what_was_measured() -> None:
    module = Scripted()
    batches: list[int] = []

    def fail(x: Tensor) -> None:
        batches.append(x.shape[0])
        if x.shape[0] == 4 and batches.count(4) > 4:
            raise torch.OutOfMemoryError("out of memory")

    module.before = fail
    request = LatencyRequest(batch_sizes=(2, 4, 8), min_runs=5, min_seconds=0, warmup_runs=1)
    result = measure(loaded_of(module), request)
    assert [(s.batch_size, len(s.seconds), s.finished) for s in result.series] == [
        (2, 5, True),
        (4, 2, False),
    ]
    assert 8 not in batches


def test_out_of_memory_at_once_is_one_sentence() -> None:
    module = Scripted()

    def fail(x: Tensor) -> None:
        if x.shape[0] > 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: 12 bytes")

    module.before = fail
    with pytest.raises(LatencyError, match="not enough memory for a batch of 2"):
        measure(loaded_of(module), LatencyRequest(batch_sizes=(2,)))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"batch_sizes": (0,)}, "batch of 0 images"),
        ({"batch_sizes": (1, -1)}, "batch of -1 images"),
        ({"batch_sizes": ()}, "No batch size"),
        ({"batch_sizes": (10**9,)}, "batch of 1,000,000,000 images needs about"),
        ({"threads": 0}, "threads=0"),
        ({"threads": 1000}, "threads=1000"),
        ({"dtype": "float64"}, "dtype=float64"),
        ({"memory_format": "nhwc"}, "memory_format=nhwc"),
        ({"min_runs": 0}, "min_runs=0"),
        ({"min_seconds": -1}, "min_seconds=-1"),
        ({"min_seconds": float("nan")}, "min_seconds=nan"),
        ({"min_seconds": 1e9}, "min_seconds=1"),
        ({"warmup_runs": -1}, "warmup_runs=-1"),
        ({"input_size": (3, 8, 8)}, "input 3×8×8"),
        ({"input_size": (1, 0, 8)}, "1×0×8"),
        ({"input_size": (1, 2, 2)}, "input 1×2×2"),  # smaller than the kernel
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(
    change: dict[str, Any], match: str
) -> None:
    module = Scripted()
    with pytest.raises(LatencyError, match=match) as caught:
        measure(loaded_of(module), replace(LatencyRequest(), **change))
    assert "\n" not in str(caught.value)
    assert len(module.seen) <= 1


def test_a_batch_that_would_take_minutes_is_refused_before_it_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = Scripted()
    monkeypatch.setattr(latency._Bench, "_seconds_per_image", lambda self, x: 2.0)
    with pytest.raises(LatencyError, match="100 images would take about 200 s here; choose 60"):
        measure(loaded_of(module), LatencyRequest(batch_sizes=(1, 100)))
    assert {shape[0] for shape in module.seen} == {1}


@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_types_and_layouts_run_on_a_copy(dtype: str, memory_format: str) -> None:
    seen: set[tuple[torch.dtype, bool]] = set()

    class Watch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            last = x.is_contiguous(memory_format=torch.channels_last)
            assert self.conv.weight.dtype == x.dtype
            seen.add((x.dtype, last))
            return self.conv(x).mean(dim=(2, 3))

    module = Watch()
    loaded = loaded_of(module, (3, 8, 8))
    before = state(module)
    request = LatencyRequest(
        dtype=dtype, memory_format=memory_format, min_runs=2, min_seconds=0, warmup_runs=0
    )
    result = measure(loaded, request)
    assert seen == {(getattr(torch, dtype), memory_format == "channels_last")}
    assert (result.dtype, result.memory_format) == (dtype, memory_format)
    assert state(module) == before


def test_what_a_network_keeps_from_its_first_pass_can_be_used_with_gradients() -> None:
    class Cached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.ones(1, 1, 8, 8))
            self.cache: Tensor | None = None

        def forward(self, x: Tensor) -> Tensor:
            if self.cache is None:
                self.cache = self.table * 2
            return (x * self.cache).sum(dim=(1, 2, 3), keepdim=True).flatten(1)

    module = Cached()
    measure(loaded_of(module), LatencyRequest(min_runs=1, min_seconds=0))
    x = torch.ones(1, 1, 8, 8, requires_grad=True)
    assert torch.autograd.grad(module(x).sum(), x)[0].unique().tolist() == [2.0]


def test_real_clock_rises() -> None:
    result = measure(loaded_of(Scripted()), LatencyRequest(min_runs=20, min_seconds=0))
    (series,) = result.series
    assert (series.seconds > 0).all()
    assert (np.diff(series.starts) >= series.seconds[:-1]).all()


def series_of(seconds: Any) -> LatencySeries:
    seconds = np.asarray(seconds, np.float64)
    return LatencySeries(1, seconds, np.cumsum(seconds) - seconds)


@pytest.mark.parametrize(
    ("q", "runs", "earned"),
    # Ten runs beyond: p95 needs 10/0.05 = 200, p99 10/0.01 = 1,000, p5 as p95, p25 10/0.25 = 40.
    [
        *[(95, 199, False), (95, 200, True), (99, 999, False), (99, 1000, True), (5, 199, False)],
        *[(5, 200, True), (25, 39, False), (25, 40, True), (50, 1, True), (50, 0, False)],
    ],
)
def test_percentiles_must_be_earned(q: float, runs: int, earned: bool) -> None:
    assert (series_of(np.ones(runs)).percentile(q) is not None) is earned


@settings(max_examples=8, deadline=None)  # each collects the garbage of the whole process
@given(
    st.lists(st.integers(1, 10**9), min_size=1, max_size=40),
    st.integers(1, 40),
    st.integers(0, 3),
    st.integers(0, 2),
)
def test_any_durations_are_recorded_exactly(
    durations: list[int], min_runs: int, warmup: int, seconds: int
) -> None:
    request = LatencyRequest(min_runs=min_runs, min_seconds=seconds, warmup_runs=warmup)
    durations = [duration + 10**6 for duration in durations]
    result, _ = measured(durations, request)
    (series,) = result.series
    expected = list(
        itertools.islice(itertools.chain(durations, itertools.repeat(durations[-1])), 9000)
    )
    count = len(series.seconds)
    assert count >= min_runs
    assert np.allclose(
        series.seconds, np.array(expected[warmup : warmup + count]) / 1e9, rtol=1e-12
    )
    assert sum(expected[warmup : warmup + count]) >= seconds * 10**9
    if count > min_runs:  # not one run more than needed
        assert sum(expected[warmup : warmup + count - 1]) < seconds * 10**9
    assert series.seconds.min() <= series.median <= series.seconds.max()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1000, 2000), st.floats(0.01, 3))
def test_percentiles_do_not_depend_on_order_and_rise(seed: int, count: int, spread: float) -> None:
    generator = np.random.default_rng(seed)
    values = generator.lognormal(-4, spread, count)
    found = [series_of(values).percentile(q) for q in (1, 5, 25, 50, 75, 95, 99)]
    generator.shuffle(values)
    assert found == [series_of(values).percentile(q) for q in (1, 5, 25, 50, 75, 95, 99)]
    assert found == sorted(found)
    assert found[3] == pytest.approx(np.median(values))


# --- modes, warm-up, memory, sleep ----------------------------------------------------------------


def test_eager_records_for_autograd_and_the_others_do_not() -> None:
    seen: dict[str, set[tuple[bool, bool]]] = {}
    for mode in ("eager", "inference_mode"):
        module = Scripted()
        states = seen[mode] = set()
        module.before = lambda x, states=states: states.add(
            (torch.is_grad_enabled(), torch.is_inference_mode_enabled())
        )
        loaded = loaded_of(module)
        before = state(module)
        result = measure(loaded, LatencyRequest(mode=mode, min_runs=2, min_seconds=0))
        assert result.mode == mode
        assert result.series[0].compile_seconds == 0
        assert state(module) == before
    assert seen["eager"] == {(False, False), (True, False)}  # the estimates run without gradients
    assert seen["inference_mode"] == {(False, False), (False, True)}


def test_an_exported_program_is_timed_and_its_making_apart() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten())
    request = LatencyRequest((1, 3), mode="export", min_runs=3, min_seconds=0, warmup_runs=1)
    result = measure(loaded_of(module), request)
    assert [len(series.seconds) for series in result.series] == [3, 3]
    assert all(series.compile_seconds > 0 for series in result.series)
    assert all(series.finished for series in result.series)


def test_a_network_that_cannot_be_exported_is_one_sentence() -> None:
    class Branching(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum().item() > 0 else -x

    with pytest.raises(LatencyError, match=r"torch.export cannot export this network \("):
        measure(loaded_of(Branching()), LatencyRequest(mode="export"))


class UnbuiltError(Exception):
    pass


@pytest.mark.parametrize(
    ("failure", "match"),
    [
        (type("InvalidCxxCompiler", (RuntimeError,), {})("none"), "finds no working compiler"),
        (UnbuiltError("graph break\nmore"), r"cannot compile this network \(graph break\)"),
    ],
)
def test_compiling_without_a_compiler_is_one_sentence(
    failure: Exception, match: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiled(module: nn.Module, **options: Any) -> Any:
        def call(x: Tensor) -> Tensor:
            raise RuntimeError("backend failed") from failure

        def direct(x: Tensor) -> Tensor:
            raise failure

        return direct if isinstance(failure, UnbuiltError) else call

    monkeypatch.setattr(torch, "compile", compiled)
    with pytest.raises(LatencyError, match=match):
        measure(loaded_of(Scripted()), LatencyRequest(mode="compile"))


def test_compiled_code_is_what_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []

    def compiled(module: nn.Module, *, dynamic: bool) -> Any:
        made.append(dynamic)
        return lambda x: module(x) * 1

    monkeypatch.setattr(torch, "compile", compiled)
    request = LatencyRequest((1, 2), mode="compile", min_runs=2, min_seconds=0)
    result = measure(loaded_of(Scripted()), request)
    assert made == [False, False]  # each batch size for itself
    assert [series.batch_size for series in result.series] == [1, 2]


def test_cuda_graphs_are_refused_without_cuda() -> None:
    with pytest.raises(LatencyError, match="CUDA graphs need an NVIDIA GPU, and this is a CPU"):
        measure(loaded_of(Scripted()), LatencyRequest(mode="cuda_graph"))


def test_a_warm_up_until_steady_goes_on_while_times_fall() -> None:
    falling = [int(100 * MS * 0.8**n) + 10 * MS for n in range(40)]
    request = LatencyRequest(min_runs=1, min_seconds=0, warmup_runs=2, warmup="steady")
    result, _ = measured(falling, request)
    warmup = result.series[0].warmup_seconds
    # Twenty at least; then until the medians of two tens agree to 2 %.
    assert 20 < len(warmup) < 60
    one, two = np.median(warmup[-20:-10]), np.median(warmup[-10:])
    assert abs(two - one) <= 0.02 * one
    fixed, _ = measured(falling, replace(request, warmup="fixed"))
    assert len(fixed.series[0].warmup_seconds) == 2


def test_a_warm_up_that_never_steadies_ends_after_ten_seconds() -> None:
    restless = [int(10 * MS * 1.01**n) for n in range(1000)]  # 10 % from ten to ten
    request = LatencyRequest(min_runs=1, min_seconds=0, warmup_runs=0, warmup="steady")
    result, _ = measured(restless, request)
    assert 10 < sum(result.series[0].warmup_seconds) <= 10.2


def test_a_warm_up_can_be_asked_for_in_seconds() -> None:
    request = LatencyRequest(min_runs=1, min_seconds=0, warmup_runs=2, warmup_seconds=1.0)
    result, _ = measured([100 * MS], request)
    assert len(result.series[0].warmup_seconds) == 10  # 10·0.1 s


def test_the_peak_of_memory_is_what_the_allocator_held() -> None:
    class Known(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, x: Tensor) -> Tensor:
            first = x + 1  # as large as x
            second = first * 2  # both exist at once
            del first
            return second.sum(dim=(1, 2, 3))

    request = LatencyRequest((4,), min_runs=1, min_seconds=0, input_size=(1, 64, 64))
    (series,) = measure(loaded_of(Known()), request).series
    assert series.peak_bytes is not None
    # two tensors of 4·1·64·64 float32 = 2·65,536 bytes; the sums are 16 bytes
    assert 2 * 65_536 <= series.peak_bytes <= 2 * 65_536 + 4096
    assert series.estimate_bytes is not None
    assert series.estimate_bytes % 4 == 0


def test_the_machines_sleep_is_noticed_and_its_run_left_out() -> None:
    module = Scripted()
    clock = Clock(module, itertools.repeat(10 * MS))
    slept = {"ns": 0}

    def wall() -> int:
        # Asleep for an hour in the fourth timed run: the clock that times it stands still.
        if len(module.seen) >= 4 + 4:
            slept["ns"] = 3600 * 10**9
        return clock.now + slept["ns"]

    request = LatencyRequest(min_runs=10, min_seconds=0, warmup_runs=0)
    result = measure(loaded_of(module), request, clock=clock, wall=wall)
    (series,) = result.series
    assert len(series.seconds) == 10  # one more was run
    assert len(module.seen) == 4 + 11
    (dropped,) = series.dropped
    assert dropped.jump_seconds == pytest.approx(3600)
    assert dropped.start == pytest.approx(0.03)
    assert "stood still for 3,600 s" in series.notes[-1].text()


def test_a_paused_process_is_noticed_too() -> None:
    durations = [10 * MS] * 5 + [100 * 10**9] + [10 * MS] * 6
    result, _ = measured(durations, LatencyRequest(min_runs=10, min_seconds=0, warmup_runs=0))
    (series,) = result.series
    assert series.seconds.max() == 0.01
    assert series.dropped[0].seconds == 100


def test_memory_that_runs_out_is_said_beside_what_was_measured() -> None:
    module = Scripted()
    count = itertools.count()

    def fail(x: Tensor) -> None:
        if x.shape[0] == 4 and next(count) > 2:
            raise torch.OutOfMemoryError("out of memory")

    module.before = fail
    request = LatencyRequest(batch_sizes=(2, 4), min_runs=5, min_seconds=0, warmup_runs=0)
    result = measure(loaded_of(module), request)
    assert result.series[1].notes[-1].text().startswith("There is not enough memory for a batch of")
    assert result.series[0].stopped is None


def test_machine_and_request_are_kept() -> None:
    request = LatencyRequest(min_runs=1, min_seconds=0)
    result = measure(loaded_of(Scripted()), request)
    assert result.request == request
    assert result.machine is not None
    assert (result.machine.kind, result.machine.torch) == ("cpu", str(torch.__version__))
    assert result.machine.logical_cores > 0
    assert result.started_at.endswith("+00:00")
    assert result.series[0].energy.joules is None or result.series[0].energy.source == "rapl"


@pytest.mark.gpu
def test_a_captured_graph_is_replayed() -> None:
    device = torch.accelerator.current_accelerator()
    if device is None or device.type != "cuda":
        pytest.skip("CUDA graphs need CUDA")
    module = nn.Sequential(nn.Conv2d(3, 64, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).to(device)
    loaded = replace(loaded_of(module, (3, 64, 64)), device=device)
    request = LatencyRequest(mode="cuda_graph", min_runs=20, min_seconds=0.1)
    (series,) = measure(loaded, request).series
    assert (series.seconds > 0).all()
    assert series.compile_seconds > 0
    assert series.peak_bytes is not None


@pytest.mark.gpu
def test_events_on_a_gpu_time_what_the_device_does() -> None:
    device = torch.accelerator.current_accelerator()
    module = nn.Sequential(nn.Conv2d(3, 64, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()).to(device)
    loaded = replace(loaded_of(module, (3, 224, 224)), device=device)
    result = measure(loaded, LatencyRequest(batch_sizes=(1, 64), min_runs=20, min_seconds=0.1))
    one, many = (series.median for series in result.series)
    assert 0 < one < many
