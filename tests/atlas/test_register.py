"""What a page is told of the surveys of this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.atlas import folder as folder_module
from explorer.atlas import register as register_module
from explorer.atlas.folder import open_folder
from explorer.atlas.register import register, surveys
from explorer.settings import get_settings
from explorer.ui.latency.surveys import standing
from tests.atlas.test_folder import survey


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(folder_module, "SHARD_ROWS", 3)
    get_settings.cache_clear()


def entries(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "cache" / "atlas").glob("*.json"))


def test_a_running_survey_with_the_time_left(tmp_path: Path) -> None:
    plan = survey(10)
    with open_folder(tmp_path / "out", plan, resume=False) as folder:
        folder.append(plan.row(0, {}))
        register(folder, now=lambda: 1000.0)
        for place in range(1, 5):
            folder.append(plan.row(place, {}))
        folder.append(plan.failure(5, "No room."))
        (found,) = surveys(now=lambda: 1020.0)
    assert (found.name, found.items, found.done, found.failed) == ("costs", 10, 6, 1)
    assert found.running
    assert found.eta_seconds == 16.0  # 5 rows in 20 s, 4 are left
    assert found.folder == (tmp_path / "out").resolve()
    assert standing(found) == ("Running, about 0 min left. 1 row has a reason in place of numbers.")


def test_one_whose_process_is_gone_has_stopped(tmp_path: Path) -> None:
    plan = survey(4)
    with open_folder(tmp_path / "out", plan, resume=False) as folder:
        register(folder)
        folder.append(plan.row(0, {}))
    gone = subprocess.run([sys.executable, "-c", "pass"], check=True)
    assert gone.returncode == 0
    (entry,) = entries(tmp_path)
    entry.write_text(json.dumps(json.loads(entry.read_text()) | {"began": 1.0}))
    (found,) = surveys()
    assert (found.running, found.done, found.eta_seconds) == (False, 1, None)
    assert standing(found).startswith("Stopped; the same command with --resume")


def test_a_complete_one_and_one_whose_folder_is_gone(tmp_path: Path) -> None:
    plan = survey(4)
    for name in ("a", "b"):
        with open_folder(tmp_path / name, plan, resume=False) as folder:
            register(folder)
            for place in range(4):
                folder.append(plan.row(place, {}))
            folder.merge()
    shutil.rmtree(tmp_path / "b")
    (found,) = surveys()
    assert found.folder.name == "a"
    assert standing(found) == "Complete."
    assert len(entries(tmp_path)) == 1  # the other one is forgotten


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    plan = survey(4)
    with open_folder(tmp_path / "out", plan, resume=False) as folder:
        register(folder)
    (entry,) = entries(tmp_path)
    for number, text in enumerate(("{", "[]", '{"folder": "nowhere"}')):
        entry.with_name(f"{number}.json").write_text(text)
    assert len(surveys()) == 1


def test_the_latest_are_kept_in_mind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register_module, "MOST", 2)
    for name in ("a", "b", "c"):
        with open_folder(tmp_path / name, survey(4), resume=False) as folder:
            register(folder)
    assert len(entries(tmp_path)) == 2


def test_a_place_that_cannot_be_written_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(tmp_path / "file"))
    get_settings.cache_clear()
    with open_folder(tmp_path / "out", survey(4), resume=False) as folder:
        register(folder)
    assert surveys() == ()
