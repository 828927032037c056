from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]

Atlas = Callable[..., "subprocess.Popen[str]"]


def rows_of(path: Path) -> list[dict[str, Any]]:
    """A table's rows."""
    return pq.ParquetFile(path).read().to_pylist()


@pytest.fixture
def atlas(tmp_path: Path) -> Atlas:
    """Starts the command in a process group of its own; what is left of it is ended."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        data = {"XDG_DATA_HOME": str(tmp_path / "data"), "LC_ALL": "C.UTF-8"}
        process = subprocess.Popen(
            [sys.executable, "-m", "explorer", "atlas", *arguments],
            cwd=ROOT, env={**os.environ, **data}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
