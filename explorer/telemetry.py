"""What this process counts for its operator; read by ``explorer.serving.metrics``.

Labels are names of task classes and pages of this program and a few fixed words, never what a
visitor typed, so that the number of series is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()
PAGES = frozenset(
    path.stem for path in (Path(__file__).resolve().parents[1] / "pages").glob("*.py")
)
#: Names of tasks that are not of this program (an operator's own, a test's) share one label.
OTHER = "other"
# From a kept trace to an occlusion map of a large network.
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

JOB_SECONDS = Histogram(
    "explorer_job_seconds",
    "Seconds that jobs ran, by task and outcome.",
    ["kind", "outcome"],
    buckets=BUCKETS,
    registry=REGISTRY,
)
JOBS = Counter(
    "explorer_jobs",
    "Jobs that ended (done, failed, cancelled) or found their result kept, by task.",
    ["kind", "outcome"],
    registry=REGISTRY,
)
ERRORS_SHOWN = Counter(
    "explorer_errors_shown", "Sentences about an error that visitors saw.", registry=REGISTRY
)
PAGES_SERVED = Counter(
    "explorer_pages_served", "Pages drawn in full, by page.", ["page"], registry=REGISTRY
)

_lock = threading.Lock()
_outcomes: dict[str, int] = {}


def kind_of(task: Any) -> str:
    """A task's label: the name of its class when that is of this program."""
    kind = type(task)
    return kind.__name__ if kind.__module__.partition(".")[0] == "explorer" else OTHER


def job_ended(kind: str, outcome: str, seconds: float | None) -> None:
    """Counts a job.

    Args:
        kind: From ``kind_of``.
        outcome: "done", "failed", "cancelled" or "kept".
        seconds: How long it ran; None when it never began. A clock that jumped back counts as 0.
    """
    JOBS.labels(kind, outcome).inc()
    if seconds is not None:
        JOB_SECONDS.labels(kind, outcome).observe(max(seconds, 0.0))
    with _lock:
        _outcomes[outcome] = _outcomes.get(outcome, 0) + 1


def error_shown() -> None:
    """Counts a sentence that a visitor saw."""
    ERRORS_SHOWN.inc()


def page_served(page: str) -> None:
    """Counts a page that was drawn in full; ``page`` is the name of its file."""
    PAGES_SERVED.labels(page if page in PAGES else OTHER).inc()


def job_totals() -> Mapping[str, int]:
    """Jobs so far by outcome, for the page about the server."""
    with _lock:
        return MappingProxyType(dict(_outcomes))
