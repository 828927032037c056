"""Whether this server can serve: a few cheap checks, kept for some seconds, never waited for long.

The answer names what fails in one word each; the reason is in the log, where no stranger reads it.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from explorer.engine import get_engine
from explorer.errors import ExplorerError
from explorer.settings import get_settings

log = logging.getLogger(__name__)

KEEP_SECONDS = 5.0
LIMIT_SECONDS = 2.0


class NotReadyError(RuntimeError):
    """A check failed; the text goes to the log."""


def check_settings() -> None:
    """The settings can be used."""
    get_settings()


def check_worker() -> None:
    """The worker has not been given up."""
    if get_engine().info().worker == "broken":
        raise NotReadyError("the worker ended several times while it started; see above")


def check_cache() -> None:
    """A file can be written into the cache folder, which is made where it is not there."""
    folder = Path(get_settings().cache_dir)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"ready")
        file.flush()


def check_database() -> None:
    """The database of measurements answers."""
    from explorer.measurements.database import Database

    with Database(timeout=LIMIT_SECONDS).reading() as connection:
        connection.exec_driver_sql("SELECT 1")


CHECKS: Mapping[str, Callable[[], None]] = {
    "settings": check_settings,
    "worker": check_worker,
    "cache": check_cache,
    "database": check_database,
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the checks found.

    Attributes:
        checks: By name: "ok", "failed", or "late" for one that has not answered.
    """

    checks: Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Whether all are well."""
        return all(found == "ok" for found in self.checks.values())


class ReadinessProbe:
    """Runs each check on a thread of its own, one run at a time, and keeps what it found.

    Args:
        checks: By name; a check raises to say what is wrong.
        keep: Seconds that an answer is kept.
        limit: Seconds after which a check counts as late; it goes on, and no second one is begun.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        checks: Mapping[str, Callable[[], None]] = CHECKS,
        keep: float = KEEP_SECONDS,
        limit: float = LIMIT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._checks = checks
        self._keep, self._limit, self._clock = keep, limit, clock
        self._lock = threading.Lock()
        self._runs: dict[str, Future[str]] = {}
        self._at: dict[str, float] = {}
        self._said: dict[str, str] = {}

    async def ask(self) -> Readiness:
        """How it stands, within ``limit`` seconds; the event loop serves on meanwhile."""
        runs = {name: asyncio.wrap_future(self._run(name)) for name in self._checks}
        await asyncio.wait(runs.values(), timeout=self._limit)
        found = {name: run.result() if run.done() else "late" for name, run in runs.items()}
        for name, answer in found.items():
            if answer == "late" and self._said.get(name) != "late":
                log.warning("not ready: %s did not answer within %.0f s", name, self._limit)
            self._said[name] = answer
        return Readiness(found)

    def _run(self, name: str) -> Future[str]:
        """The check that runs or was run lately, else a new one."""
        with self._lock:
            run, now = self._runs.get(name), self._clock()
            # A clock that jumped back makes an answer old, not eternal.
            fresh = run is not None and (not run.done() or 0 <= now - self._at[name] < self._keep)
            if run is None or not fresh:
                # Not a pool: its threads would be waited for when the process ends.
                run = self._runs[name] = Future()
                self._at[name] = now
                threading.Thread(
                    target=self._answer, args=(name, run), name=f"ready-{name}", daemon=True
                ).start()
            return run

    def _answer(self, name: str, run: Future[str]) -> None:
        try:
            self._checks[name]()
        except (ExplorerError, OSError, RuntimeError) as error:
            if self._said.get(name) != "failed":
                log.warning("not ready: %s: %s", name, error)
            run.set_result("failed")
        except BaseException as error:
            log.exception("the check of %s is broken", name)
            run.set_result("failed")
            if not isinstance(error, Exception):
                raise
        else:
            run.set_result("ok")
