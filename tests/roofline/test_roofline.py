"""Roofline: own times of nested calls, kept peaks, bounds by arithmetic; no real duration."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from explorer.catalog import find
from explorer.device import describe
from explorer.module_state import preserved
from explorer.results import DevicePeaks, LayerTime
from explorer.roofline import (
    device_peaks,
    keep_peaks,
    kept_peaks,
    measure_peaks,
    roofline,
    store,
    time_layers,
)
from explorer.settings import get_settings
from explorer.trace import trace_spec
from explorer.zoo import load

CPU = torch.device("cpu")
PEAKS = DevicePeaks("x", "cpu", 2, {"float32": 100e9}, 10e9, "2026-01-01T00:00:00+00:00", {})


@pytest.fixture
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


class Twice(nn.Module):
    """Calls one module twice, and another that has a child."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU()
        self.block = nn.Sequential(nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.act(self.block(self.act(x)))


def ticking() -> object:
    """A clock that is a millisecond later whenever it is read."""
    ticks = itertools.count()
    return lambda: next(ticks) * 1_000_000


def test_a_calls_own_time_is_without_its_children() -> None:
    net = Twice().eval()
    _whole, hooked, times = time_layers(net, torch.zeros(1, 2), clock=ticking())
    one = {name: round(1e3 * seconds[0], 6) for name, seconds in times.items()}
    # Reads: start, enter "", act in/out, block in, block.0 in/out, block out, act@2 in/out, out.
    assert one == {"": 9 - 1 - 3 - 1, "act": 1, "block": 3 - 1, "block.0": 1, "act@2": 1}
    assert sum(one.values()) == 9
    assert round(1e3 * hooked[0], 6) == 11
    assert len({len(found) for found in times.values()}) == 1


def test_hooks_are_taken_off_also_after_an_error() -> None:
    net = Twice().eval()
    with pytest.raises(RuntimeError, match="stop"):
        time_layers(net, torch.zeros(1, 2), progress=_stop_at(6))
    assert all(not part._forward_hooks and not part._forward_pre_hooks for part in net.modules())


def _stop_at(call: int) -> object:
    calls = itertools.count()

    def progress(_done: float, _total: float | None) -> None:
        if next(calls) >= call:
            raise RuntimeError("stop")

    return progress


def test_bounds_by_arithmetic() -> None:
    # ridge: 100e9 / 10e9 = 10 FLOP/byte
    assert PEAKS.ridge == 10
    wide = LayerTime("conv", "convolution", macs=50_000_000, nbytes=1_000_000, seconds=0.002)
    assert wide.intensity == 100  # 2·50e6 / 1e6
    assert not wide.memory_bound(PEAKS)
    assert wide.least_seconds(PEAKS) == pytest.approx(1e-3)  # 1e8 FLOPs / 1e11 FLOP/s
    assert wide.flops_per_second == pytest.approx(50e9)
    thin = LayerTime("bn", "normalisation", macs=0, nbytes=1_000_000, seconds=0.001)
    assert thin.memory_bound(PEAKS)
    assert thin.least_seconds(PEAKS) == pytest.approx(1e-4)  # 1e6 bytes / 1e10 bytes/s
    assert replace(PEAKS, flops={"float32": 1e9, "tf32": 4e9}).roof == 4e9


def test_every_layer_of_a_network_gets_its_time_and_the_network_is_left_as_it_was() -> None:
    loaded, graph = load(find("lenet5"), None), trace_spec(find("lenet5"))
    loaded.module.train()
    result = roofline(loaded, graph, PEAKS)
    assert loaded.module.training
    assert {layer.name for layer in result.layers} == {op.module for op in graph.ops}
    assert sum(layer.macs for layer in result.layers) == graph.total_macs
    assert all(layer.seconds >= 0 for layer in result.layers)
    assert result.least_seconds == pytest.approx(
        sum(layer.least_seconds(PEAKS) for layer in result.layers)
    )
    assert set(result.by_layer) == {layer.name for layer in result.layers}
    with preserved(loaded.module):
        pass


def test_peaks_come_from_the_fastest_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer.roofline import peaks

    monkeypatch.setattr(peaks, "SMALLEST", 8)
    monkeypatch.setattr(peaks, "LARGEST", 8)
    monkeypatch.setattr(peaks, "COPY_BYTES", 4096)
    monkeypatch.setattr(peaks, "free_memory", lambda _device: 8 * 2**22)
    found = measure_peaks(CPU, clock=ticking())
    assert found.flops["float32"] == pytest.approx(2 * 8**3 / 1e-3)
    assert found.bandwidth == pytest.approx(2 * 4096 / 1e-3)
    assert torch.get_float32_matmul_precision() == "highest"


def test_peaks_are_measured_once_and_renewed_on_demand(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from explorer.roofline import peaks

    info = describe(CPU)
    made = []

    def fake(device: torch.device, **_rest: object) -> DevicePeaks:
        made.append(device)
        return replace(PEAKS, device=info.name, threads=info.threads, bandwidth=float(len(made)))

    monkeypatch.setattr(peaks, "measure_peaks", fake)
    assert device_peaks(CPU).bandwidth == 1
    assert device_peaks(CPU).bandwidth == 1
    assert device_peaks(CPU, renew=True).bandwidth == 2
    assert device_peaks(CPU).bandwidth == 2
    assert [file.suffix for file in (cache_dir / "roofline").iterdir()] == [".json"]


@pytest.mark.parametrize(
    "damage",
    [
        "", "[]", "{", '{"device": 1}', "half",
        {"flops": {}}, {"flops": {"float32": -1.0}}, {"bandwidth": float("inf")},
        {"bandwidth": "fast"}, {"threads": 77}, {"flops": {"float32": 0}},
    ],
)  # fmt: skip
def test_damaged_peaks_count_as_none(cache_dir: Path, damage: object) -> None:
    info = describe(CPU)
    good = replace(PEAKS, device=info.name, threads=info.threads)
    keep_peaks(good, info, {})
    assert kept_peaks(info, {}) == good
    path = store.path_of(info, {})
    text = path.read_text()
    if isinstance(damage, dict):
        path.write_text(json.dumps(json.loads(text) | damage))
    else:
        path.write_text(text[: len(text) // 2] if damage == "half" else damage)
    assert kept_peaks(info, {}) is None


def test_the_folder_of_peaks_is_bounded(cache_dir: Path) -> None:
    info = describe(CPU)
    for number in range(store.MAX_FILES + 5):
        keep_peaks(PEAKS, info, {"torch": str(number)})
    assert len(list((cache_dir / "roofline").iterdir())) == store.MAX_FILES


def test_a_folder_that_cannot_be_written_is_no_error(
    cache_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (cache_dir / "roofline").write_text("a file in its place")
    keep_peaks(PEAKS, describe(CPU), {})
    assert "cannot be kept" in caplog.text
