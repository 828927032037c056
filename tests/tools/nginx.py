"""A real nginx on a loopback port, with a configuration that ships and no TLS."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

START_LIMIT = 30.0  # seconds


def nginx() -> str | None:
    """The program; None where it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def made_local(text: str, folder: Path, port: int, replaced: Mapping[str, tuple[str, int]]) -> str:
    """A shipped file for a loopback port without TLS; each replacement must find its places.

    Args:
        text: Of the file.
        folder: For the log and temporary files.
        port: To listen on.
        replaced: Pattern → text and how often it stands there: the addresses of the servers.
    """

    def replace(pattern: str, by: str, times: int = 1) -> None:
        nonlocal text
        text, count = re.subn(pattern, by, text, flags=re.MULTILINE)
        assert count == times, pattern

    replace(r"^server \{\n    listen 80;(?:.*\n)*?\}\n", "")
    replace(r"listen 443 ssl;", f"listen 127.0.0.1:{port};")
    replace(r"^    ssl_certificate .*\n", "")
    replace(r"^    ssl_certificate_key .*\n", "")
    replace(r"^    ssl_protocols .*\n", "")
    replace(r"server_name demo\.example\.org;", "server_name localhost;")
    for pattern, (by, times) in replaced.items():
        replace(pattern, by, times)
    replace(r"/var/log/nginx/explorer\.log", str(folder / "access.log"))
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log warn;\n"
        f"worker_processes 1;\nevents {{ worker_connections 1024; }}\n"
        f"http {{\ntypes {{ text/html html; }}\n{paths}{text}\n}}\n"
    )


@contextmanager
def running_nginx(
    shipped: Path, folder: Path, port: int, replaced: Mapping[str, tuple[str, int]]
) -> Iterator[str]:
    """Runs it; gives the address of the app behind it, with the sub-path.

    Args:
        shipped: The configuration.
        folder: For everything that is written; the log is ``access.log``.
        port: To listen on.
        replaced: See ``made_local``.
    """
    program = nginx()
    if program is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    folder.chmod(0o755)
    config = folder / "nginx.conf"
    config.write_text(made_local(shipped.read_text("utf-8"), folder, port, replaced))
    user = ["-g", "user root;"] if folder.owner() == "root" else []
    checked = subprocess.run(
        [program, "-t", "-c", str(config), *user], capture_output=True, text=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    server = subprocess.Popen(
        [program, "-c", str(config), *user], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(server, f"http://127.0.0.1:{port}/convnets/")
        yield f"http://127.0.0.1:{port}/convnets"
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(server: subprocess.Popen[bytes], address: str) -> None:
    ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            ask(address, timeout=5).close()
            return
        except OSError:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
