"""``tools/install.py``: uv with pip's configuration, and pip where uv does not serve."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tools import install

ROOT = Path(__file__).resolve().parents[2]
LISTED = """\
:env:.cert='/somewhere/env.crt'
global.cert='/somewhere/ca.crt'
global.extra-index-url='file:///one file:///two'
global.find-links='/wheels\\n/more'
global.index-url='https://user:word@mirror.example/simple'
install.constraint='/somewhere/constraints.txt'
"""
NOTES = """#!/bin/sh
echo "$0 $* $UV_INDEX" >> "$LOG"
exit "${UV_STATUS:-0}"
"""


def test_pips_servers_folders_and_bounds_are_uvs() -> None:
    made = install.uv_environment(install.read_config(LISTED), {"PATH": "/bin"})
    assert made == {
        "PATH": "/bin",
        "VIRTUAL_ENV": sys.prefix,
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_DEFAULT_INDEX": "https://user:word@mirror.example/simple",
        "UV_INDEX": "file:///one file:///two",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_CONSTRAINT": "/somewhere/constraints.txt",
        "SSL_CERT_FILE": "/somewhere/env.crt",
    }


def test_what_somebody_set_for_uv_stays_but_not_its_environment() -> None:
    given = {"UV_INDEX": "https://own.example", "VIRTUAL_ENV": "/another"}
    made = install.uv_environment(install.read_config(LISTED), given)
    assert made["UV_INDEX"] == "https://own.example"
    assert made["VIRTUAL_ENV"] == sys.prefix


@pytest.mark.parametrize(("status", "by_pip"), [("0", False), ("2", True)])
def test_pip_has_the_last_word(tmp_path: Path, status: str, by_pip: bool) -> None:
    """uv is a stand-in that takes notes; pip is the real one, which has this already."""
    uv, log = tmp_path / "uv", tmp_path / "log"
    uv.write_text(NOTES)
    uv.chmod(uv.stat().st_mode | stat.S_IXUSR)
    asked = tmp_path / "wanted.txt"
    asked.write_text("pytest\n")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "install.py"), "-r", str(asked)],
        env={
            **os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "LOG": str(log), "UV_STATUS": status,
            "PIP_EXTRA_INDEX_URL": "file:///of-pip", "PIP_CONFIG_FILE": os.devnull,
        },
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert log.read_text() == f"{uv} pip install -q --compile-bytecode -r {asked} file:///of-pip\n"
    assert ("pip tries" in done.stderr) is by_pip


def test_what_neither_can_install_is_a_failure(tmp_path: Path) -> None:
    asked = tmp_path / "wanted.txt"
    asked.write_text(f"nothing-of-that-name @ {(tmp_path / 'none.whl').as_uri()}\n")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "install.py"), "-r", str(asked)],
        env={**os.environ, "PIP_NO_INDEX": "1"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "none.whl" in done.stderr
