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

    def open(self, rank: crowd.Rank, end: Callable[[], object] | None = None) -> None:
        def draw() -> None:
            with crowd.turn(rank):
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
    monkeypatch.setattr(crowd, "LONGEST_TURN", 10 * PATIENCE)
    get_settings.cache_clear()


@pytest.mark.usefixtures("public")
def test_the_front_page_goes_before_those_that_wait_for_longer(drawn: Drawn) -> None:
    first = threading.Event()
    drawn.open(crowd.Rank.PAGE, lambda: first.wait(PATIENCE))
    assert drawn.begun.acquire(timeout=PATIENCE)
    for _page in range(crowd.TURNS - 1):
        drawn.open(crowd.Rank.PAGE)
        assert drawn.begun.acquire(timeout=PATIENCE)
    order: list[crowd.Rank] = []
    for rank in (crowd.Rank.PAGE, crowd.Rank.PART, crowd.Rank.FRONT):
        drawn.open(rank, lambda rank=rank: order.append(rank))
        assert not drawn.begun.acquire(timeout=0.2)
    first.set()
    for _page in range(3):
        assert drawn.begun.acquire(timeout=PATIENCE)
    drawn.end.set()
    for thread in drawn.threads:
        thread.join(PATIENCE)
    assert order == [crowd.Rank.FRONT, crowd.Rank.PART, crowd.Rank.PAGE]


@pytest.mark.usefixtures("public")
def test_a_part_that_is_drawn_with_its_page_has_the_pages_turn(drawn: Drawn) -> None:
    for _page in range(crowd.TURNS - 1):
        drawn.open(crowd.Rank.PAGE)
        assert drawn.begun.acquire(timeout=PATIENCE)
    with crowd.turn(crowd.Rank.PAGE):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(crowd.Turns, "acquire", lambda *_args: pytest.fail("it asked for one"))
            with crowd.turn(crowd.Rank.PART):
                pass
        assert not crowd.others_wait()
        drawn.open(crowd.Rank.FRONT)
        assert not drawn.begun.acquire(timeout=0.2), "the part gave none back"
        assert crowd.others_wait()
    assert drawn.begun.acquire(timeout=PATIENCE)


def test_turns_are_neither_lost_nor_doubled() -> None:
    turns, held, most = crowd.Turns(3), [0], [0]
    lock = threading.Lock()

    def visit(number: int) -> None:
        for step in range(40):
            taken = turns.acquire(number % 2, 0.0005 if (number + step) % 3 else PATIENCE)
            if taken is not None:
                with lock:
                    held[0] += 1
                    most[0] = max(most[0], held[0])
                with lock:
                    held[0] -= 1
                turns.release(taken)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most[0] <= 3
    assert [turns.acquire(0, 0.01) is None for _turn in range(4)] == [False, False, False, True]


@pytest.mark.usefixtures("public")
def test_a_page_that_hangs_holds_nobody_up_for_good(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "LONGEST_WAIT", dict.fromkeys(crowd.Rank, 0.1))
    for _page in range(crowd.TURNS + 2):
        drawn.open(crowd.Rank.PAGE)
    for _page in range(crowd.TURNS + 2):
        assert drawn.begun.acquire(timeout=PATIENCE)


@pytest.mark.usefixtures("public")
def test_nobody_waits_for_a_page_that_takes_long(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "LONGEST_WAIT", dict.fromkeys(crowd.Rank, 10 * PATIENCE))
    long = threading.Event()
    for _page in range(crowd.TURNS):
        drawn.open(crowd.Rank.PAGE, lambda: long.wait(10 * PATIENCE))
        assert drawn.begun.acquire(timeout=PATIENCE)
    drawn.open(crowd.Rank.PAGE, lambda: None)
    assert not drawn.begun.acquire(timeout=0.2)
    monkeypatch.setattr(crowd, "LONGEST_TURN", 0.1)
    assert drawn.begun.acquire(timeout=PATIENCE)
    monkeypatch.setattr(crowd, "LONGEST_TURN", 10 * PATIENCE)
    # What was taken back is not given back a second time.
    long.set()
    for thread in drawn.threads:
        thread.join(PATIENCE)
    for _page in range(crowd.TURNS):
        drawn.open(crowd.Rank.PAGE)
        assert drawn.begun.acquire(timeout=PATIENCE)
    drawn.open(crowd.Rank.PAGE)
    assert not drawn.begun.acquire(timeout=0.2)


@pytest.mark.usefixtures("public")
def test_a_page_that_fails_gives_its_turn_back(drawn: Drawn) -> None:
    for _page in range(2 * crowd.TURNS):
        with pytest.raises(ZeroDivisionError), crowd.turn(crowd.Rank.PAGE):
            raise ZeroDivisionError
    drawn.open(crowd.Rank.PAGE)
    assert drawn.begun.acquire(timeout=PATIENCE)


def test_at_home_nobody_waits(drawn: Drawn) -> None:
    for _page in range(crowd.TURNS + 2):
        drawn.open(crowd.Rank.PAGE)
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
