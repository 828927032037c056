from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.engine.board import AWAY_SECONDS, JobBoard
from explorer.engine.jobs import Job
from tests.engine.waiting import Clock


def make_board() -> tuple[JobBoard, Clock]:
    clock = Clock()
    return JobBoard(clock, lease_seconds=15), clock


def add(board: JobBoard, name: str, owner: str) -> Job:
    job = Job(board, name, name)
    board.add(job, owner)
    return job


def run_all(board: JobBoard) -> list[str]:
    found = []
    while (job := board.take()) is not None:
        found.append(job.key)
        board.finish(job, "done", job.key)
    return found


def test_turns_go_round_the_owners() -> None:
    board, _clock = make_board()
    for name, owner in [
        ("a1", "A"),
        ("a2", "A"),
        ("a3", "A"),
        ("b1", "B"),
        ("b2", "B"),
        ("c1", "C"),
    ]:
        add(board, name, owner)
    assert [job.key for job in board.order()] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert run_all(board) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_who_was_served_last_comes_last() -> None:
    board, _clock = make_board()
    add(board, "a1", "A")
    add(board, "a2", "A")
    assert board.take().key == "a1"  # type: ignore[union-attr]
    add(board, "b1", "B")
    assert run_all(board) == ["b1", "a2"]


def test_one_who_asks_again_and_again_starves_nobody() -> None:
    board, _clock = make_board()
    for number in range(3):
        add(board, f"a{number}", "A")
    served = []
    for number in range(4):
        add(board, f"b{number}", "B")
        job = board.take()
        assert job is not None
        served.append(job.key)
        board.finish(job, "done")
    assert served == ["a0", "b0", "a1", "b1"]


def test_a_shared_job_takes_the_better_place() -> None:
    board, _clock = make_board()
    add(board, "a1", "A")
    shared = add(board, "a2", "A")
    add(board, "b1", "B")
    assert board.outlook(shared)[0] == 3
    board.join(shared, "C")
    assert [job.key for job in board.order()] == ["a1", "a2", "b1"]


def test_positions_count_from_one_and_are_zero_when_it_runs() -> None:
    board, _clock = make_board()
    jobs = [add(board, name, "A") for name in "abc"]
    assert [board.outlook(job)[0] for job in jobs] == [1, 2, 3]
    board.take()
    assert [board.outlook(job)[0] for job in jobs] == [0, 1, 2]


@given(st.lists(st.sampled_from("ABCD"), max_size=30))
def test_the_announced_order_is_kept_and_nobody_is_two_turns_ahead(owners: list[str]) -> None:
    board, _clock = make_board()
    jobs = [add(board, f"{number}{owner}", owner) for number, owner in enumerate(owners)]
    announced = [job.key for job in board.order()]
    assert sorted(board.outlook(job)[0] for job in jobs) == list(range(1, len(jobs) + 1))
    served = run_all(board)
    assert served == announced
    for end in range(len(served)):
        turns = {owner: sum(key[-1] == owner for key in served[:end]) for owner in "ABCD"}
        waiting = {key[-1] for key in served[end:]}
        assert max(turns.values()) - min((turns[owner] for owner in waiting), default=99) <= 1


def test_leaving_a_waiting_job_ends_it_when_nobody_is_left() -> None:
    board, _clock = make_board()
    job = add(board, "a", "A")
    board.join(job, "B")
    assert board.leave(job, "A") is False
    assert job.status("A").state == "cancelled"  # for A; B still waits
    assert job.status("B").state == "queued"
    assert board.leave(job, "B") is False
    assert job.status().state == "cancelled"
    assert board.jobs() == []


def test_leaving_a_running_job_says_that_it_is_to_be_stopped_once() -> None:
    board, _clock = make_board()
    job = add(board, "a", "A")
    board.take()
    assert board.leave(job, "stranger") is False
    assert board.leave(job, "A") is True
    assert board.leave(job, "A") is False
    assert board.abandon_all() == []
    assert job.status().state == "running"  # until the worker has let go of it
    assert board.shared("a") is None  # and nobody joins it any more


def test_looking_again_after_cancelling_is_no_new_wait_but_joining_is() -> None:
    board, clock = make_board()
    job = add(board, "a", "A")
    board.join(job, "B")
    board.leave(job, "A")
    job.status("A")
    assert set(job.owners) == {"B"}
    board.join(job, "A")
    assert job.status("A").state == "queued"
    clock.now += 1
    assert set(job.owners) == {"A", "B"}


def test_silent_owners_lapse() -> None:
    board, clock = make_board()
    runs = add(board, "runs", "A")
    waits = add(board, "waits", "A")
    assert board.take() is runs
    clock.now += 10
    runs.status("B")  # B looks: now B waits too
    clock.now += 10  # A has been silent for 20 s, B for 10 s
    assert board.lapse() == []
    assert set(runs.owners) == {"B"}
    assert waits.status().state == "cancelled"
    clock.now += 5
    assert board.lapse() == []  # exactly a lease is still in time
    clock.now += 0.1
    assert board.lapse() == [runs]
    assert board.lapse() == []


def test_asking_renews_the_lease() -> None:
    board, clock = make_board()
    job = add(board, "a", "A")
    for _second in range(10):
        clock.now += 14
        assert job.status("A").state == "queued"
        board.lapse()
    clock.now += 8
    board.lapse()
    clock.now += 8
    assert job.status().state == "queued"  # looking without a name renews nothing
    board.lapse()
    assert job.status().state == "cancelled"


def test_who_is_away_is_not_waited_for_by_others() -> None:
    board, clock = make_board()
    left, waits = add(board, "left", "A"), add(board, "waits", "B")
    assert board.take() is left
    assert board.lapse() == []
    board.away("A")
    board.away("nobody")
    clock.now += AWAY_SECONDS
    assert board.lapse() == []
    clock.now += 0.1
    assert board.lapse() == [left]
    assert waits.status().state == "queued"


def test_who_is_away_keeps_a_lease_where_nobody_waits() -> None:
    board, clock = make_board()
    runs, waits = add(board, "runs", "A"), add(board, "waits", "A")
    assert board.take() is runs
    board.away("A")
    clock.now += 14
    assert board.lapse() == []
    clock.now += 1.1
    assert board.lapse() == [runs]
    assert waits.status().state == "cancelled"


def test_who_comes_back_has_a_whole_lease() -> None:
    board, clock = make_board()
    runs = add(board, "runs", "A")
    assert board.take() is runs
    add(board, "waits", "B")
    board.away("A")
    clock.now += AWAY_SECONDS - 1
    runs.status("A")  # connected anew, and asks
    for _second in range(14):
        clock.now += 1
        assert board.lapse() == []
    board.away("A")
    clock.now += AWAY_SECONDS + 0.1
    assert board.lapse() == [runs]


def test_a_sleep_of_the_machine_is_no_absence() -> None:
    board, clock = make_board()
    runs = add(board, "runs", "A")
    assert board.take() is runs
    add(board, "waits", "B")
    assert board.lapse() == []
    board.away("A")
    clock.now += 3600
    assert board.lapse() == []
    clock.now += AWAY_SECONDS - 1
    assert board.lapse() == []


@pytest.mark.parametrize("jump", [15.5, 3600.0, 1e9])
def test_a_time_in_which_nobody_could_ask_costs_no_lease(jump: float) -> None:
    board, clock = make_board()
    runs, waits = add(board, "runs", "A"), add(board, "waits", "B")
    assert board.take() is runs
    clock.now += 1
    assert board.lapse() == []
    clock.now += jump  # stopped, asleep, or set ahead
    assert board.lapse() == []
    assert (set(runs.owners), set(waits.owners)) == ({"A"}, {"B"})
    for _second in range(15):
        clock.now += 1
        assert board.lapse() == []
    clock.now += 0.5  # those who have left meanwhile are found out a lease later
    assert board.lapse() == [runs]
    assert waits.status().state == "cancelled"


def test_release_keeps_what_is_named() -> None:
    board, _clock = make_board()
    runs, kept, dropped, other = (add(board, n, o) for n, o in zip("abcd", "AAAB", strict=True))
    assert board.take() is runs
    assert board.release("A", {"b"}) == [runs]
    assert kept.status().state == "queued"
    assert dropped.status().state == "cancelled"
    assert other.status().state == "queued"


def test_a_job_without_a_key_is_named_by_its_id() -> None:
    board, _clock = make_board()
    one, two = Job(board, "", "x"), Job(board, "", "x")
    board.add(one, "A")
    board.add(two, "A")
    assert one.id != two.id
    assert board.shared("") is None
    board.release("A", {two.id})
    assert (one.status().state, two.status().state) == ("cancelled", "queued")


def test_a_job_that_is_put_back_comes_first_again() -> None:
    board, _clock = make_board()
    first = add(board, "a", "A")
    add(board, "b", "A")
    assert board.take() is first
    board.put_back(first)
    assert first.status().state == "queued"
    assert run_all(board) == ["a", "b"]


def test_remembered_owners_are_bounded() -> None:
    board, _clock = make_board()
    for number in range(1500):
        add(board, str(number), f"owner {number}")
        board.finish(board.take(), "done")  # type: ignore[arg-type]
    assert len(board._turns) == 1000
