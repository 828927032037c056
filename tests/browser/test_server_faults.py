"""The server as a whole: ended under load, left by a visitor, facing one who never listens."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import running_app, settle
from tests.browser.server_process import RawSession, ask, number, server_of
from tests.engine.waiting import until

# A map that takes minutes: nothing of it is over by itself when the test looks.
LONG_JOB = "/attribution?model=resnet152&image=coffee&methods=occlusion"
BOUND = 30.0  # seconds after which "ends" is false; the time itself is printed


def start_long_job(page: Page, address: str) -> None:
    page.goto(address + LONG_JOB, wait_until="commit")
    settle(page)
    page.locator(".st-key-compute-occlusion button").click(timeout=120_000)
    until(lambda: number(address, "explorer_jobs_running") >= 1, "for a job that runs")


@pytest.mark.slow
def test_sigterm_under_load(browser: Browser, tmp_path: Path) -> None:
    visits = [browser.new_context().new_page() for _visitor in range(3)]
    with running_app(tmp_path) as address:
        start_long_job(visits[0], address)
        for visit in visits[1:]:
            visit.goto(address + "/graph?model=resnet50", wait_until="commit")
        sessions = [RawSession(address) for _session in range(10)]
        assert all(session.rerun() for session in sessions)
        server = server_of(address)
        workers = server.children(recursive=True)
        assert workers
        begin = time.monotonic()
        server.terminate()
        server.wait(BOUND)
        print(f"ended {time.monotonic() - begin:.2f} s after SIGTERM")
        _gone, alive = psutil.wait_procs(workers, timeout=1)
        assert alive == []
        # Whoever is there is told.
        expect(visits[0].get_by_text("Connection error").first).to_be_visible(timeout=60_000)
        for session in sessions:
            session.close()
    for visit in visits:
        visit.context.close()
    log = (tmp_path / "server.log").read_text()
    assert "stopping the workers" in log
    assert "Traceback" not in log, log
    assert [path for path in tmp_path.rglob("*") if path.suffix == ".part"] == []


@pytest.mark.slow  # as long as a lease; the engine's own is in tests/faults
def test_a_visitor_who_closes_the_page_gives_the_worker_back(
    browser: Browser, tmp_path: Path
) -> None:
    with running_app(tmp_path) as address:
        visit = browser.new_context().new_page()
        start_long_job(visit, address)
        assert number(address, "explorer_visitors") >= 1
        visit.context.close()
        begin = time.monotonic()
        while number(address, "explorer_jobs_running") > 0:
            assert time.monotonic() - begin < 60  # a lease is 15 s
            time.sleep(0.2)
        print(f"given back {time.monotonic() - begin:.1f} s after the visitor left")
        until(lambda: number(address, "explorer_visitors") == 0)
        # It was stopped, and not by chance just done.
        assert number(address, 'explorer_jobs_total{kind="Explain",outcome="cancelled"}') == 1
        assert number(address, "explorer_worker_restarts_total") == 0


@pytest.mark.slow  # a minute
def test_one_who_never_reads_neither_fills_the_memory_nor_stalls_the_others(
    tmp_path: Path, page: Page
) -> None:
    with running_app(tmp_path) as address:
        server = server_of(address)
        page.goto(address, wait_until="commit")
        settle(page)
        silent = [RawSession(address) for _session in range(5)]
        sizes, answers = [], []
        for round_number in range(5):
            for _time in range(10):
                for session in silent:
                    session.rerun()
                time.sleep(0.1)
            begin = time.monotonic()
            assert ask(f"{address}/health/live", timeout=10).status == 200
            answers.append(time.monotonic() - begin)
            sizes.append(server.memory_info().rss)
            # One who reads is served meanwhile: a whole visit.
            page.goto(f"{address}/history?round={round_number}", wait_until="commit")
            settle(page)
        print(
            f"250 runs unread: {[size // 2**20 for size in sizes]} MiB, "
            f"answers in {[round(answer, 2) for answer in answers]} s"
        )
        # The queue of a session holds 500 messages, then it is closed; 5 × 250 pages would be
        # far more than this.
        assert sizes[-1] - sizes[0] < 100 * 2**20
        for session in silent:
            session.close()
        until(lambda: number(address, "explorer_visitors") <= 1)
