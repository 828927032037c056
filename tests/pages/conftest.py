"""Pages through Streamlit's AppTest: the real shell, the real engine, one worker a session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.engine import get_engine, set_engine
from tests.tools.app_tests import _scanned_once

__all__ = ["_scanned_once"]
ROOT = Path(__file__).resolve().parents[2]
SHELL = ROOT / "explorer" / "ui" / "shell.py"
JOBS_LIMIT = 240  # seconds until a page's jobs have to be over

Open = Callable[..., AppTest]


@pytest.fixture(scope="session", autouse=True)
def _engine() -> Iterator[None]:
    yield
    get_engine().shutdown()
    set_engine(None)


def finish(app: AppTest) -> AppTest:
    """Runs the page until no job of it is under way; fails on an exception."""
    deadline = time.monotonic() + JOBS_LIMIT
    while True:
        assert not app.exception, [element.value for element in app.exception]
        jobs = app.session_state["_jobs"] if "_jobs" in app.session_state else {}  # noqa: SIM401
        keys = [button.key for button in app.button if button.key]
        shown = any(key.startswith("cancel-") or key == "grid-cancel" for key in keys)
        if not shown and all(job.status().finished for job in jobs.values()):
            return app
        assert time.monotonic() < deadline, "the page's jobs did not end"
        for job in jobs.values():
            job.wait(5)
        app.run()


@pytest.fixture
def open_page() -> Open:
    """``open_page("graph", model="lenet5")`` opens a page cold and waits for its jobs."""

    def go(page: str, **query: str) -> AppTest:
        app = AppTest.from_file(str(SHELL), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        if page != "chart":
            app.switch_page(f"../../pages/{page}.py")
        return finish(app.run())

    return go


def texts(app: AppTest) -> str:
    """Everything that the page says, for looking a sentence up."""
    kinds = ("title", "subheader", "markdown", "caption", "warning", "error", "info", "success")
    found = [element.value for kind in kinds for element in getattr(app, kind)]
    return "\n".join([*found, *(f"{metric.label}: {metric.value}" for metric in app.metric)])


def captions(app: AppTest) -> list[str]:
    """What stands below the pictures."""
    return [caption for image in app.get("image") for caption in image.captions if caption]
