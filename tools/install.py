"""Installs into the environment it runs in: with uv, which takes a quarter of pip's time, else pip.

    .venv/bin/python tools/install.py -r requirements.txt -c requirements.lock

uv knows nothing of pip's configuration, so what names servers, folders and bounds there is handed
to it. Where uv is not to be had, or fails for whatever reason, pip does the same and has the last
word. Only the standard library: it runs in an environment that is still empty.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

UV = "uv>=0.9,<1"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
# pip's option → uv's variable. Addresses may hold a password: never on a command line.
VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
    "no-index": "UV_NO_INDEX",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}
BETWEEN = {"UV_FIND_LINKS": ","}  # the others take blanks


def read_config(listed: str) -> dict[str, str]:
    """``pip config list`` → option → value; the sections in the order of pip's belief.

    Args:
        listed: Lines as ``global.index-url='https://…'`` and ``:env:.cert='…'``.
    """
    found: dict[str, str] = {}
    for prefix in ("global.", "install.", ":env:."):
        for line in listed.splitlines():
            name, sign, value = line.partition("=")
            if sign and name.startswith(prefix):
                found[name.removeprefix(prefix)] = str(ast.literal_eval(value))
    return found


def uv_environment(config: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The variables for uv; those that somebody set for uv itself stay.

    Args:
        config: Of ``read_config``.
        given: The environment so far.
    """
    # pip takes the best version of all servers, and so shall uv.
    made = {"UV_INDEX_STRATEGY": "unsafe-best-match", "VIRTUAL_ENV": sys.prefix}
    for option, variable in VARIABLES.items():
        if config.get(option):
            made[variable] = BETWEEN.get(variable, " ").join(config[option].split())
    return made | dict(given) | {"VIRTUAL_ENV": sys.prefix}


def find_uv() -> str | None:
    """The uv of the PATH, else that of this environment, where pip puts it; None without one."""
    beside = str(Path(sys.executable).parent / "uv")
    for name in ("uv", beside):
        if (found := shutil.which(name)) is not None:
            return found
    subprocess.run([*PIP, "install", "-q", UV], check=False, stderr=subprocess.DEVNULL)
    return shutil.which(beside)


def install(arguments: list[str]) -> int:
    """Installs; gives the exit status.

    Args:
        arguments: What follows ``pip install``.
    """
    if (uv := find_uv()) is not None:
        listed = subprocess.run(
            [*PIP, "config", "list"], check=False, capture_output=True, text=True
        ).stdout
        environment = uv_environment(read_config(listed), os.environ)
        # Compiled once, as pip does: where PYTHONDONTWRITEBYTECODE is set every process would do it
        # anew, which for torch takes longer than all else that a worker does to start.
        command = [uv, "pip", "install", "-q", "--compile-bytecode", *arguments]
        done = subprocess.run(command, check=False, env=environment)
        if done.returncode == 0:
            return 0
        print("uv could not install that (see above); pip tries.", file=sys.stderr)
    return subprocess.run([*PIP, "install", "-q", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(install(sys.argv[1:]))
