"""Networks under a budget for fewer of them: resident memory stays within 15 % of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(module: str) -> dict[str, Any]:
    if not sys.platform.startswith("linux"):
        pytest.skip("resident memory is given back at once on Linux only")
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_maps_of_four_networks_under_a_budget_for_two() -> None:
    report = run("tests.pool.grid_memory")
    assert report["maps"] == 12
    assert report["budget"] / 2 < max(report["resident"]) <= report["budget"]
    # A graph with a hook that knew its run once kept every network that was ever explained.
    assert max(report["after"]) <= 1.15 * report["budget"]


def test_twenty_loads_stay_within_the_budget() -> None:
    report = run("tests.pool.resident_memory")
    budget = report["budget"]
    assert len(set(report["names"])) == 20
    assert max(report["resident"]) <= budget
    assert max(report["resident"]) > budget / 2  # the pool is used, or the test shows nothing
    assert max(report["after"]) <= 1.15 * budget
    assert report["peak"] <= 1.15 * budget
    assert report["end"] <= 0.15 * budget


@pytest.mark.slow
def test_what_a_map_took_is_given_back_when_it_is_there() -> None:
    report = run("tests.pool.worker_memory")
    # Of the maps' activations and gradients, 200 MB stayed after the first, 300 after the third.
    for resident, pool in report["after"]:
        assert resident <= pool + 80_000_000, report
