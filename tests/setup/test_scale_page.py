"""The arithmetic of ``docs/scale.md``: the simulation agrees with formulas, and with a load."""

from __future__ import annotations

import json

import numpy as np
import pytest

from docs.make_scale import BEGIN, DAYS, END, KEPT, PAGE, sizing
from docs.queueing import erlang_c, poisson, pollaczek_khinchine, waits, workers_needed

JOBS = 200_000


def test_a_queue_by_hand() -> None:
    # One worker: the second waits for 2 − 1, the third for 2 + 3 − 4.
    assert waits([0.0, 1.0, 4.0], [2.0, 3.0, 1.0], 1).tolist() == [0.0, 1.0, 1.0]
    assert waits([0.0, 1.0, 4.0], [2.0, 3.0, 1.0], 2).tolist() == [0.0, 0.0, 0.0]
    assert waits([0.0, 0.0, 0.0], [1.0, 2.0, 5.0], 2).tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_exponential_times_wait_as_erlang_says(workers: int) -> None:
    random = np.random.default_rng(1)
    rate = 0.7 * workers / 0.5
    found = waits(poisson(rate, JOBS, random), random.exponential(0.5, JOBS), workers)
    assert found.mean() == pytest.approx(erlang_c(rate, 0.5, workers), rel=0.06)


def test_one_worker_waits_in_closed_form() -> None:
    # M/M/1: ρ / (1 − ρ) times the service time; M/D/1 waits half as long.
    assert erlang_c(1.0, 0.5, 1) == pytest.approx(0.5 / 0.5 * 0.5)
    assert pollaczek_khinchine(1.0, 0.5, 0.25) == pytest.approx(erlang_c(1.0, 0.5, 1))
    assert pollaczek_khinchine(1.0, 0.5, 0.0) == pytest.approx(erlang_c(1.0, 0.5, 1) / 2)
    assert erlang_c(2.0, 0.5, 1) == pollaczek_khinchine(3.0, 0.5, 0.1) == float("inf")


def test_any_times_wait_as_pollaczek_and_khinchine_say() -> None:
    random = np.random.default_rng(2)
    services = random.choice([0.05, 0.1, 2.0], JOBS, p=[0.6, 0.3, 0.1])
    rate = 0.6 / services.mean()
    found = waits(poisson(rate, JOBS, random), services, 1)
    expected = pollaczek_khinchine(rate, float(services.mean()), float(services.var()))
    assert found.mean() == pytest.approx(expected, rel=0.06)


def test_as_many_workers_as_needed_and_no_more() -> None:
    services = np.array([0.5, 1.0, 1.5])
    count, late = workers_needed(10.0, services, 0.5, np.random.default_rng(3))
    assert late <= 0.5
    random = np.random.default_rng(3)
    arrivals = poisson(10.0, 20_000, random)
    drawn = random.choice(services, 20_000)
    assert np.percentile(waits(arrivals, drawn, count - 1), 95) > 0.5


def test_the_page_is_what_was_measured() -> None:
    kept = json.loads(KEPT.read_text("utf-8"))
    written = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip()
    assert written == "\n".join(sizing(kept)).strip()
    assert all(f"| {visitors:,} |" in written for visitors in DAYS)


def test_the_simulation_agrees_with_the_measured_load() -> None:
    load = json.loads(KEPT.read_text("utf-8"))["load"]
    low, high = np.percentile(load["simulated_mean"], [2.5, 97.5])
    # Within what chance gives, and a fifth for what a job costs beside its own seconds.
    assert 0.8 * low <= np.mean(load["measured"]) <= 1.2 * high
