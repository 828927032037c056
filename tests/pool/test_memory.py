"""Twenty networks under a budget for three: resident memory stays within 15 % of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_twenty_loads_stay_within_the_budget() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("resident memory is given back at once on Linux only")
    done = subprocess.run(
        [sys.executable, "-m", "tests.pool.resident_memory"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    budget = report["budget"]
    assert len(set(report["names"])) == 20
    assert max(report["resident"]) <= budget
    assert max(report["resident"]) > budget / 2  # the pool is used, or the test shows nothing
    assert max(report["after"]) <= 1.15 * budget
    assert report["peak"] <= 1.15 * budget
    assert report["end"] <= 0.15 * budget
