"""Engines for the tests: each test of ``make_engine`` and ``shared_engine`` runs on both kinds."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer.engine.base import BoardEngine
from explorer.engine.cluster.connection import ConnectionOptions
from explorer.engine.cluster.crew import CrewOptions
from explorer.engine.cluster.engine import ClusterEngine
from explorer.engine.limits import Limits
from explorer.engine.local import EngineOptions, LocalEngine
from tests.engine.waiting import Clock

ROOT = Path(__file__).resolve().parents[2]
QUICK = EngineOptions(preload=False, python_path=(ROOT,), tick=0.02)
KINDS = ["local", "ray"]
#: For tests of what only the engine of one machine does.
ON_THIS_MACHINE = pytest.mark.parametrize("make_engine", ["local"], indirect=True)

# On a cluster every test starts a worker through an actor, which takes seconds: these run with
# every change, all of them with ``make test-all``.
ALWAYS_ON_RAY = frozenset(
    {
        "test_a_result_comes_from_another_process",
        "test_ten_identical_requests_run_once",
        "test_the_last_step_arrives_although_steps_are_thinned_out",
        "test_cancel_stops_a_running_task_and_the_next_one_runs_in_the_same_worker",
        "test_a_worker_that_is_killed_gives_one_sentence_and_the_next_job_runs",
        "test_a_worker_that_cannot_start_is_tried_three_times",
        "test_shutdown_cancels_all_and_leaves_no_process",
        "test_the_traceback_of_an_unexpected_error_is_in_the_log",
        "test_both_engines_give_the_same_to_the_last_bit",
    }
)

MakeEngine = Callable[..., BoardEngine]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves most of the runs on a cluster to ``make test-all``."""
    for item in items:
        if isinstance(item, pytest.Function) and item.originalname not in ALWAYS_ON_RAY:
            kinds = item.callspec.params.values() if hasattr(item, "callspec") else ()
            if any(kind == "ray" for kind in kinds if isinstance(kind, str)):
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """A Ray cluster of one node on this machine, which the process has joined; its address."""
    from tests.engine.clusters import joined

    with joined() as address:
        yield address


def engine_of(
    kind: str,
    options: EngineOptions,
    clock: Callable[[], float] = time.monotonic,
    limits: Limits | None = None,
) -> BoardEngine:
    """An engine of its own worker, on this machine or in the cluster that was joined."""
    if kind == "local":
        return LocalEngine(options, clock, limits)
    connection = ConnectionOptions("ray", share=uuid.uuid4().hex, claim=False)
    crew = CrewOptions(look=0.2, linger=0.0)
    return ClusterEngine(
        connection, replace(options, threads=options.threads or 1), clock, limits, crew
    )


@contextmanager
def engines_of(kind: str) -> Iterator[MakeEngine]:
    """Makes engines of a kind, with the options that are named; ends them."""
    engines: list[BoardEngine] = []

    def make(
        clock: Clock | None = None, limits: Limits | None = None, **options: Any
    ) -> BoardEngine:
        chosen = replace(QUICK, **options)
        engines.append(engine_of(kind, chosen, clock or time.monotonic, limits))
        return engines[-1]

    try:
        yield make
    finally:
        for engine in engines:
            engine.shutdown()


@pytest.fixture(params=KINDS)
def make_engine(request: pytest.FixtureRequest) -> Iterator[MakeEngine]:
    """Makes engines of the test's own; ends them."""
    if request.param == "ray":
        request.getfixturevalue("cluster")
    with engines_of(request.param) as make:
        yield make


@pytest.fixture(scope="session", params=KINDS)
def shared_engine(request: pytest.FixtureRequest) -> Iterator[BoardEngine]:
    """An engine for tests that leave its worker as they found it."""
    if request.param == "ray":
        request.getfixturevalue("cluster")
    engine = engine_of(request.param, QUICK)
    yield engine
    engine.shutdown()
