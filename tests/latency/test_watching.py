"""Energy counters, sleep, other programs: what is read beside the times."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from explorer import energy, watching
from explorer.energy import EnergyReading, Nvml, find_meter
from explorer.latency_results import Note
from explorer.watching import Jumps, LoadWatch, trace_of, was_paused

SECOND = 10**9


def domain(powercap: Path, name: str, kind: str, microjoules: int, most: int = 10**9) -> Path:
    folder = powercap / name
    folder.mkdir()
    (folder / "name").write_text(f"{kind}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder


def test_rapl_sums_the_packages_and_follows_the_counters_start_anew(tmp_path: Path) -> None:
    one = domain(tmp_path, "intel-rapl:0", "package-0", 900_000_000)
    two = domain(tmp_path, "intel-rapl:1", "package-1", 0)
    domain(tmp_path, "intel-rapl:0:0", "core", 5)  # part of the package: not counted again
    domain(tmp_path, "intel-rapl:2", "psys", 5)  # the whole board
    meter, _reason = find_meter("cpu", powercap=tmp_path)
    reading = EnergyReading(meter, Note(""))
    reading.begin()
    (one / "energy_uj").write_text("50000000")  # began anew at 10⁹: 100 J + 50 J
    (two / "energy_uj").write_text("7000000")
    reading.look()
    found = reading.energy(10.0, 40)
    assert found.joules == pytest.approx(157.0)
    assert found.source == "rapl"
    assert found.watts == pytest.approx(15.7)
    assert found.joules_per_image == pytest.approx(157 / 40)


def test_without_a_counter_the_reason_is_said(tmp_path: Path) -> None:
    meter, reason = find_meter("cpu", powercap=tmp_path)
    found = EnergyReading(meter, reason).energy(10.0, 1)
    assert (found.joules, found.watts, found.joules_per_image) == (None, None, None)
    assert found.reason is not None
    assert f"no RAPL counter in {tmp_path}" in found.reason.text()
    (domain(tmp_path, "intel-rapl:0", "package-0", 1) / "energy_uj").unlink()
    meter, reason = find_meter("cpu", powercap=tmp_path)
    assert meter is None
    assert "energy_uj cannot be read by this user" in reason.text()
    assert find_meter("mps")[0] is None


def test_a_short_stretch_tells_no_energy(tmp_path: Path) -> None:
    domain(tmp_path, "intel-rapl:0", "package-0", 1)
    meter, reason = find_meter("cpu", powercap=tmp_path)
    reading = EnergyReading(meter, reason)
    reading.begin()
    found = reading.energy(0.5, 1)
    assert found.joules is None
    assert "from 1 s of measuring on" in found.reason.text()  # type: ignore[union-attr]


def test_a_counter_that_stops_answering_is_absent_not_zero(tmp_path: Path) -> None:
    folder = domain(tmp_path, "intel-rapl:0", "package-0", 1)
    meter, reason = find_meter("cpu", powercap=tmp_path)
    reading = EnergyReading(meter, reason)
    reading.begin()
    (folder / "energy_uj").unlink()
    reading.look()
    found = reading.energy(10.0, 1)
    assert found.joules is None
    assert "stopped answering" in found.reason.text()  # type: ignore[union-attr]


def test_nvml_counts_millijoules(monkeypatch: pytest.MonkeyPatch) -> None:
    class NVMLError(Exception):
        pass

    asked: list[str] = []
    library = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: asked.append(uuid) or "card",
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: 5000,
    )
    monkeypatch.setattr(energy.importlib, "import_module", lambda name: library)
    meter, _reason = find_meter("cuda", "1234")
    assert isinstance(meter, Nvml)
    assert meter.joules() == 5.0
    assert asked == ["GPU-1234"]

    def refuse() -> None:
        raise NVMLError("Driver Not Loaded")

    library.nvmlInit = refuse
    meter, reason = find_meter("cuda", "1234")
    assert meter is None
    assert "Driver Not Loaded" in reason.text()


def test_sleep_is_the_difference_of_two_clocks() -> None:
    now = {"clock": 0, "wall": 5 * SECOND}
    jumps = Jumps(lambda: now["clock"], lambda: now["wall"])
    now["clock"] += SECOND
    now["wall"] += SECOND + SECOND // 2
    assert jumps.since_last() == 0  # half a second is no sleep
    now["wall"] += 3600 * SECOND
    assert jumps.since_last() == 3600
    assert jumps.since_last() == 0
    assert Jumps(lambda: 0, None).since_last() == 0


def test_a_pause_is_absurdly_long() -> None:
    assert was_paused(60.0, 0.1)
    assert not was_paused(60.0, 1.0)  # slow, not paused
    assert not was_paused(20.0, 0.001)
    assert not was_paused(60.0, 0.0)  # nothing to compare with


def test_other_programs_are_what_is_left_of_the_busy_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Times(tuple):
        idle, iowait, guest, guest_nice = 0.0, 0.0, 0.0, 0.0

    state: dict[str, Any] = {"now": 0.0, "busy": 100.0, "idle": 50.0, "own": 7.0}

    def cpu_times() -> Any:
        times = Times((state["busy"], state["idle"]))
        times.idle = state["idle"]
        return times

    monkeypatch.setattr(watching.psutil, "cpu_times", cpu_times)
    monkeypatch.setattr(
        psutil.Process, "cpu_times", lambda self: SimpleNamespace(user=state["own"], system=0.0)
    )
    monkeypatch.setattr(watching.psutil, "cpu_freq", lambda: None)
    watch = LoadWatch(lambda: state["now"])
    # 2 s: all cores together were busy for 3.5 s, of which this process took 2 s.
    state.update(now=2.0, busy=103.5, own=9.0, idle=54.5)
    look = watch.look()
    assert look.other_cores == pytest.approx(0.75)  # (3.5 − 2) / 2
    assert np.isnan(look.mhz)
    trace = trace_of([(0.25, look)], 4)
    assert trace.other_cores.tolist() == [0.75]
    assert trace.cores == 4


def test_the_real_machine_answers() -> None:
    look = LoadWatch().look()
    assert look.other_cores >= 0 or np.isnan(look.other_cores)
    assert watching.sleeping_clock()() > 0
