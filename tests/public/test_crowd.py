"""Turns of pages in public mode, and how often a progress bar is looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from explorer.engine import JobStatus
from explorer.settings import get_settings
from explorer.ui import crowd
from explorer.ui.jobs import LONGEST_POLL_SECONDS, POLL_SECONDS, poll_seconds

PATIENCE = 10.0


class Drawn:
    """Pages that are being drawn until they are told to end."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.end = threading.Event()
        self.threads: list[threading.Thread] = []

    def open(self, *, front: bool, end: Callable[[], object] | None = None) -> None:
        def draw() -> None:
            with crowd.turn(front=front):
                self.begun.release()
                (end or (lambda: self.end.wait(PATIENCE)))()

        self.threads.append(threading.Thread(target=draw))
        self.threads[-1].start()


@pytest.fixture
def drawn() -> Iterator[Drawn]:
    found = Drawn()
    yield found
    found.end.set()
    for thread in found.threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_PUBLIC", "1")
    get_settings.cache_clear()


@pytest.mark.usefixtures("public")
def test_a_third_page_waits_and_the_front_page_does_not(drawn: Drawn) -> None:
    for _page in range(crowd.TURNS):
        drawn.open(front=False)
        assert drawn.begun.acquire(timeout=PATIENCE)
    drawn.open(front=False)
    assert not drawn.begun.acquire(timeout=0.2)
    drawn.open(front=True)
    assert drawn.begun.acquire(timeout=PATIENCE)
    drawn.end.set()
    assert drawn.begun.acquire(timeout=PATIENCE)  # the one that waited


@pytest.mark.usefixtures("public")
def test_a_page_that_hangs_holds_nobody_up_for_good(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "LONGEST_WAIT", 0.1)
    for _page in range(crowd.TURNS + 2):
        drawn.open(front=False)
    for _page in range(crowd.TURNS + 2):
        assert drawn.begun.acquire(timeout=PATIENCE)


@pytest.mark.usefixtures("public")
def test_a_page_that_fails_gives_its_turn_back(drawn: Drawn) -> None:
    for _page in range(2 * crowd.TURNS):
        with pytest.raises(ZeroDivisionError), crowd.turn(front=False):
            raise ZeroDivisionError
    drawn.open(front=False)
    assert drawn.begun.acquire(timeout=PATIENCE)


def test_at_home_nobody_waits(drawn: Drawn) -> None:
    for _page in range(crowd.TURNS + 2):
        drawn.open(front=False)
    for _page in range(crowd.TURNS + 2):
        assert drawn.begun.acquire(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("state", "wait", "expected"),
    [
        ("queued", 5.0, 1.0),
        ("queued", 0.5, POLL_SECONDS),
        ("queued", 600.0, LONGEST_POLL_SECONDS),
        ("queued", None, POLL_SECONDS),
        ("running", 600.0, POLL_SECONDS),
    ],
)
def test_the_longer_the_queue_the_rarer_the_looks(
    state: str, wait: float | None, expected: float
) -> None:
    status = JobStatus(
        state, position=1, fraction=None, eta_seconds=None, elapsed_seconds=0, wait_seconds=wait
    )  # type: ignore[arg-type]
    assert poll_seconds(status) == expected
