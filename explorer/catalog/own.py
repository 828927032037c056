"""Catalog records of the operator's own networks, had without importing torch or their code.

A short-lived process (``explorer.own_describe``) imports them, builds each once and says what it
found as JSON. The answer is kept in the environment, so that the workers that this process starts
need not ask again.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from explorer.errors import OwnModelError, SettingsError
from explorer.i18n import N_
from explorer.settings import get_settings

_log = logging.getLogger(__name__)
ANSWER = "_CONVNET_EXPLORER_OWN"  # not EXPLORER_…: it is no setting
LIMIT_SECONDS = 120.0
ROOT = Path(__file__).resolve().parents[2]

Record = dict[str, Any]


@cache
def records() -> dict[str, Record]:
    """``own/NAME`` → its record, in the order in which they are listed; {} without the setting."""
    return {record["id"]: record for record in _answer()["records"]}


@cache
def problems() -> tuple[OwnModelError, ...]:
    """What is wrong with the setting or with single networks, one sentence each."""
    return tuple(OwnModelError(said["message"], **said["values"]) for said in _answer()["problems"])


def forget() -> None:
    """Asks again next time; for tests and for whoever changes the setting."""
    os.environ.pop(ANSWER, None)
    for cached in (records, problems, _answer):
        cached.cache_clear()


@cache
def _answer() -> dict[str, Any]:
    try:
        setting = get_settings().models
    except SettingsError:
        setting = None  # said at start and on the page; the catalog itself needs no setting
    if not setting:
        return {"records": [], "problems": []}
    kept = json.loads(os.environ.get(ANSWER, "{}"))
    if kept.get("setting") == setting:
        return dict(kept)
    found = _ask(setting) | {"setting": setting}
    os.environ[ANSWER] = json.dumps(found)
    return found


def _ask(setting: str) -> dict[str, Any]:
    folders = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    try:
        run = subprocess.run(
            [sys.executable, "-m", "explorer.own_describe", setting],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))},
            timeout=LIMIT_SECONDS,
            check=True,
        )
        return dict(json.loads(run.stdout))
    except subprocess.TimeoutExpired:
        message = N_(
            "EXPLORER_MODELS={setting} took more than {seconds:.0f} s to list its networks; the "
            "app runs without them."
        )
        values: dict[str, Any] = {"setting": setting, "seconds": LIMIT_SECONDS}
    except (subprocess.CalledProcessError, ValueError) as error:
        _log.warning("EXPLORER_MODELS=%s", setting, exc_info=error)
        message = N_(
            "EXPLORER_MODELS={setting} ended the process that lists its networks (see the log); "
            "the app runs without them."
        )
        values = {"setting": setting}
    return {"records": [], "problems": [{"message": message, "values": values}]}
