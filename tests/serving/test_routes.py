"""Health and metrics over ASGI, with the engine of a test."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.testclient import TestClient

from explorer import telemetry
from explorer.caches import caches
from explorer.engine import set_engine
from explorer.engine.local import LocalEngine
from explorer.serving.readiness import ReadinessProbe
from explorer.serving.routes import routes
from explorer.settings import get_settings
from explorer.telemetry import job_totals
from tests.engine.fakes import Add, Call, Deaf, raise_value_error
from tests.engine.waiting import PATIENCE, Clock, until

ROOT = Path(__file__).resolve().parents[2]
Make = Callable[..., LocalEngine]


@pytest.fixture
def engine(
    make_engine: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LocalEngine]:
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("EXPLORER_DATABASE_URL", f"sqlite:///{tmp_path / 'm.sqlite'}")
    get_settings.cache_clear()
    made = make_engine()
    before = set_engine(made)
    yield made
    set_engine(before)


def client(probe: ReadinessProbe | None = None, visitors: int = 3) -> TestClient:
    return TestClient(Starlette(routes=routes(lambda: visitors, probe)))


def numbers(asked: TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(asked.get("/metrics").text)
        for sample in family.samples
    }


def test_all_is_well(engine: LocalEngine) -> None:
    asked = client()
    assert asked.get("/health/live").json() == {"live": True}
    assert asked.get("/health/ready").status_code == 200
    found = asked.get("/health")
    assert found.headers["cache-control"] == "no-store"
    assert found.json()["ready"] is True
    assert set(found.json()["checks"].values()) == {"ok"}
    assert set(found.json()["checks"]) == {"settings", "worker", "cache", "database"}


@pytest.mark.parametrize(
    "fault",
    [
        ("EXPLORER_THREADS", "-1", "settings"),
        ("EXPLORER_CACHE_DIR", "{file}/below", "cache"),
        ("EXPLORER_DATABASE_URL", "sqlite:///{file}/below.sqlite", "database"),
        ("EXPLORER_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/none", "database"),
    ],
)
def test_what_fails_is_named_and_its_reason_only_logged(
    engine: LocalEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    caplog: pytest.LogCaptureFixture, fault: tuple[str, str, str],
) -> None:  # fmt: skip
    variable, value, check = fault
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv(variable, value.format(file=file))
    get_settings.cache_clear()
    answer = client().get("/health")
    assert answer.status_code == 503
    assert answer.json()["checks"][check] == "failed"
    assert str(tmp_path) not in answer.text
    assert f"not ready: {check}" in caplog.text
    assert "secret" not in caplog.text
    get_settings.cache_clear()


def test_a_broken_worker_is_not_ready_but_lives(make_engine: Make) -> None:
    broken = make_engine(command=(sys.executable, "-c", "raise SystemExit(7)"))
    before = set_engine(broken)
    try:
        broken.warm_up()
        until(lambda: broken.info().worker == "broken")
        asked = client()
        assert asked.get("/health/ready").json()["checks"]["worker"] == "failed"
        assert asked.get("/health/live").status_code == 200
    finally:
        set_engine(before)


def test_a_check_that_hangs_is_late_begun_once_and_blocks_nobody() -> None:
    go, begun = threading.Event(), []

    def hang() -> None:
        begun.append(1)
        assert go.wait(PATIENCE)

    probe = ReadinessProbe({"slow": hang, "quick": lambda: None}, limit=0.05)

    async def ask() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0.001)
                turns += 1

        ticking = asyncio.create_task(count())
        for _time in range(5):
            found = await probe.ask()
            assert dict(found.checks) == {"slow": "late", "quick": "ok"}
        ticking.cancel()
        return turns

    assert asyncio.run(ask()) > 10  # the loop turned while the check hung
    assert begun == [1]
    go.set()


def test_an_answer_is_kept_for_some_seconds_also_when_the_clock_jumps_back() -> None:
    clock, runs = Clock(), []
    probe = ReadinessProbe({"one": lambda: runs.append(1)}, keep=5.0, clock=clock)
    for now, expected in ((1000.0, 1), (1004.9, 1), (1005.0, 2), (900.0, 3), (904.0, 3)):
        clock.now = now
        assert asyncio.run(probe.ask()).ready
        assert len(runs) == expected, now


def test_jobs_are_counted_by_kind_and_outcome(engine: LocalEngine, tmp_path: Path) -> None:
    asked = client()
    before, totals = numbers(asked), dict(job_totals())
    engine.submit(Add(1, 2, "counted"), "me").result(PATIENCE)
    engine.submit(Add(1, 2, "counted"), "me").result(PATIENCE)  # kept
    engine.submit(Call(raise_value_error), "me").wait(PATIENCE)
    deaf = engine.submit(Deaf(str(tmp_path)), "me", label="deaf")
    until((tmp_path / "deaf").exists)
    waits = engine.submit(Add(5, 5, "waits"), "you")
    now = numbers(asked)
    assert now[("explorer_jobs_running", ())] == 1
    assert now[("explorer_jobs_queued", ())] == 1
    engine.cancel(waits, "you")
    os.kill(engine.info().worker_pid or 0, signal.SIGKILL)
    deaf.wait(PATIENCE)
    until(lambda: engine.info().restarts == 1)
    now = numbers(asked)

    def more(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return now.get(key, 0.0) - before.get(key, 0.0)

    for outcome, count in (("done", 1), ("kept", 1), ("failed", 2), ("cancelled", 1)):
        assert more("explorer_jobs_total", kind="other", outcome=outcome) == count, outcome
        assert job_totals()[outcome] - totals.get(outcome, 0) == count
    # The kept one never ran, nor did the one that was cancelled in the queue.
    assert more("explorer_job_seconds_count", kind="other", outcome="done") == 1
    assert more("explorer_job_seconds_count", kind="other", outcome="failed") == 2
    assert more("explorer_job_seconds_count", kind="other", outcome="cancelled") == 0
    assert now[("explorer_worker_restarts_total", ())] == 1
    assert now[("explorer_visitors", ())] == 3
    assert now[("explorer_resident_memory_bytes", (("process", "server"),))] > 1e6


def test_labels_are_bounded() -> None:
    from explorer.requests import ModelRef
    from explorer.tasks import LoadWeights

    assert telemetry.kind_of(LoadWeights(ModelRef("resnet50"))) == "LoadWeights"
    assert telemetry.kind_of(Add(1, 2)) == telemetry.OTHER
    for page in ("graph", "<script>", "x" * 10_000, ""):
        telemetry.page_served(page)
    labels = {
        sample.labels["page"]
        for family in telemetry.PAGES_SERVED.collect()
        for sample in family.samples
    }
    assert labels <= {*telemetry.PAGES, telemetry.OTHER}
    assert "server" in telemetry.PAGES


def test_every_cache_has_its_numbers(engine: LocalEngine) -> None:
    engine.submit(Add(4, 4, "cached"), "me").result(PATIENCE)
    found = numbers(client())
    for cache in caches():
        if cache.entries is not None:
            assert ("explorer_cache_entries", (("cache", cache.id),)) in found
    assert found[("explorer_cache_entries", (("cache", "results"),))] == 1
    assert found[("explorer_cache_bytes", (("cache", "results"),))] > 0
    bound = found[("explorer_cache_bound_bytes", (("cache", "results"),))]
    assert bound == 256 * 2**20  # the default of EXPLORER_RESULT_CACHE_MB


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_questions_do_not_add_up(engine: LocalEngine, count: int) -> None:
    process, seconds = psutil.Process(), []
    with client() as asked:
        for _time in range(300):  # everything that is made once is made
            size = len(asked.get("/metrics").content)
        gc.collect()
        before = process.memory_info().rss
        for _time in range(count):
            begin = time.perf_counter()
            answer = asked.get("/metrics")
            seconds.append(time.perf_counter() - begin)
            assert answer.status_code == 200
    gc.collect()
    grown = process.memory_info().rss - before
    assert abs(len(answer.content) - size) < 200
    print(f"grown {grown / 2**20:.2f} MiB, median {sorted(seconds)[count // 2] * 1e3:.2f} ms")
    # A leak of the answer alone would be ``count`` times 10 kB: 10 MB, or 100.
    assert grown < 2**20 * (5 if count < 10_000 else 8)
    # Not a measure: an answer that slows down with each question would be far above.
    tenth = count // 10
    assert sorted(seconds[-tenth:])[tenth // 2] < 5 * sorted(seconds[:tenth])[tenth // 2]


def test_the_routes_load_neither_torch_nor_streamlit() -> None:
    code = (
        "import sys, json\n"
        "from explorer.serving.routes import routes\n"
        "from explorer.serving.metrics import render\n"
        "render(lambda: 0)\n"
        "print(json.dumps([m for m in ('torch', 'streamlit') if m in sys.modules]))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == []
