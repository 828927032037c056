"""Talk mode on the server's side: what was asked for beforehand is what the pages ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from explorer.engine import get_engine
from explorer.settings import get_settings
from explorer.tour import SHIPPED, read_tour
from explorer.tour_tasks import begin_warming, tasks_of, warm
from tests.pages.conftest import Open, finish, texts

STEPS = read_tour(SHIPPED)


@pytest.mark.parametrize("number", [2, 3, 5, 10, 12], ids=lambda number: STEPS[number - 1].page)
def test_a_prepared_step_submits_nothing(open_page: Open, number: int) -> None:
    step = STEPS[number - 1]
    warm([step])
    kept = get_engine().info().cached_results
    assert all(get_engine().find(task.key()) is not None for task in tasks_of(step))
    app = open_page(step.page, **step.query)
    assert get_engine().info().cached_results == kept
    jobs = app.session_state["_jobs"] if "_jobs" in app.session_state else {}  # noqa: SIM401
    assert not jobs


def test_a_broken_tour_is_a_sentence_and_the_page_stays(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tour.yaml"
    path.write_text("- {title: {en: a, zh: b}, text: {en: a, zh: b}, page: nowhere}", "utf-8")
    monkeypatch.setenv("EXPLORER_TOUR", str(path))
    get_settings.cache_clear()
    app = open_page("complexity", talk="1", model="lenet5")
    assert any("nowhere" in error.value for error in app.error)
    assert "LeNet-5" in texts(app)
    # The speaker mends the file; the session, with its step, goes on.
    path.write_text("- {title: {en: a, zh: b}, text: {en: a, zh: b}, page: complexity}", "utf-8")
    os.utime(path, ns=(1, 1))
    app = finish(app.run())
    assert not [error.value for error in app.error]
    path.write_text("- {title: {en: a, zh: b}, text: {en: a, zh: b}, page: elsewhere}", "utf-8")
    os.utime(path, ns=(2, 2))
    app = finish(app.run())
    assert any("elsewhere" in error.value for error in app.error)


def test_a_talk_on_a_page_of_ones_own_keeps_it(open_page: Open) -> None:
    app = open_page("complexity", talk="1", model="lenet5", by="params")
    assert app.session_state["_talk"] == 0
    assert app.session_state["_w_by"] == "params"
    assert app.selectbox(key="model").value == "lenet5"
    begin_warming(STEPS).join(200)  # nothing of it runs on into the next test


@pytest.mark.parametrize("step", ["-1", "x", "9999", "٣", "99999999999999999999"])
def test_a_step_that_does_not_exist_ends_at_one_that_does(open_page: Open, step: str) -> None:
    app = open_page("complexity", talk="1", step=step, model="lenet5")
    assert 0 <= app.session_state["_talk"] <= len(STEPS)
