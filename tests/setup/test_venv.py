"""``tools/venv.sh``: makes the environment once, and says in one sentence what it lacks."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASIC = "/usr/bin:/bin"

# Stands in for an interpreter: `-m venv --clear DIR` makes a folder that leads to the real one.
PYTHON = f"""#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
  echo venv >> "$LOG"
  rm -rf "$4"; mkdir -p "$4/bin"
  printf '#!/bin/sh\\nexec {sys.executable} "$@"\\n' > "$4/bin/python"; chmod +x "$4/bin/python"
else
  exec {sys.executable} "$@"
fi
"""
PIP = """#!/bin/sh
echo "pip $*" >> "$LOG"
sleep "${PIP_SECONDS:-0}"
exit "${PIP_STATUS:-0}"
"""


REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements-cluster.txt")


class Checkout:
    """A copy of what the script reads, with an interpreter and an installer that take notes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "tools").mkdir(parents=True)
        shutil.copy(ROOT / "tools" / "venv.sh", folder / "tools")
        for name in (*REQUIREMENTS, "requirements.lock"):
            shutil.copy(ROOT / name, folder)
        self.log = folder / "log"
        self.python = self._program("fake-python", PYTHON)
        self.pip = self._program("../fake-pip", PIP).resolve()  # a command, so no spaces

    def _program(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def make(self, kind: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": BASIC,
            "LOG": str(self.log),
            "PYTHON": str(self.python),
            "PIP": str(self.pip),
        }
        environment.update(variables)
        return subprocess.run(
            ["/bin/sh", str(self.folder / "tools" / "venv.sh"), kind],
            env={name: value for name, value in environment.items() if value or name == "LOCK"},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self) -> list[str]:
        found = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return found


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a folder with spaces")


def test_first_call_makes_and_installs_the_second_does_nothing(checkout: Checkout) -> None:
    assert checkout.make("run").returncode == 0
    assert checkout.calls() == ["venv", "pip install -r requirements.txt -c requirements.lock"]
    second = checkout.make("run")
    assert second.returncode == 0
    assert second.stderr == ""
    assert checkout.calls() == []


def test_dev_includes_run(checkout: Checkout) -> None:
    checkout.make("dev")
    assert checkout.calls() == ["venv", "pip install -r requirements-dev.txt -c requirements.lock"]
    checkout.make("run")
    assert checkout.calls() == []


def test_dev_after_run_keeps_the_environment(checkout: Checkout) -> None:
    checkout.make("run")
    checkout.calls()
    checkout.make("dev")
    assert checkout.calls() == ["pip install -r requirements-dev.txt -c requirements.lock"]


@pytest.mark.parametrize(
    ("changed", "kind", "installs"),
    [
        ("requirements.txt", "run", True),
        ("requirements.txt", "dev", True),
        ("requirements-dev.txt", "dev", True),
        ("requirements-cluster.txt", "dev", True),
        ("requirements-cluster.txt", "run", False),
        ("requirements-dev.txt", "run", False),
        ("requirements.lock", "run", True),
        ("requirements.lock", "dev", True),
    ],
)
def test_a_changed_file_is_installed_again_a_touched_one_is_not(
    checkout: Checkout, changed: str, kind: str, installs: bool
) -> None:
    checkout.make("dev")
    checkout.calls()
    os.utime(checkout.folder / changed, (2e9, 2e9))
    checkout.make(kind)
    assert checkout.calls() == []
    with (checkout.folder / changed).open("a") as file:
        file.write("# one more line\n")
    checkout.make(kind)
    assert bool(checkout.calls()) is installs


def test_without_a_lock_the_newest_is_installed_and_noticed(checkout: Checkout) -> None:
    assert checkout.make("run", LOCK="").returncode == 0
    assert checkout.calls() == ["venv", "pip install -r requirements.txt"]
    checkout.make("run", LOCK="")
    assert checkout.calls() == []
    checkout.make("run")  # with the lock it is another environment
    assert checkout.calls() == ["pip install -r requirements.txt -c requirements.lock"]


def test_another_lock_is_taken_and_one_that_is_not_there_is_said(checkout: Checkout) -> None:
    (checkout.folder / "other.lock").write_text("numpy==2.4.6\n")
    assert checkout.make("run", LOCK="other.lock").returncode == 0
    assert checkout.calls() == ["venv", "pip install -r requirements.txt -c other.lock"]
    gone = checkout.make("run", LOCK="gone.lock")
    assert gone.returncode == 1
    assert gone.stderr == "LOCK=gone.lock is not a file: name one, or unset LOCK.\n"


def test_an_install_that_fails_is_said_and_tried_again(checkout: Checkout) -> None:
    first = checkout.make("run", PIP_STATUS="1")
    assert first.returncode == 1
    last = first.stderr.splitlines()[-1]
    assert "could not install requirements.txt" in last
    assert "with LOCK= where requirements.lock has a version" in last
    checkout.calls()
    assert checkout.make("run").returncode == 0
    assert checkout.calls() == ["pip install -r requirements.txt -c requirements.lock"]
    assert not (checkout.folder / ".venv.lock").exists()


def test_a_broken_environment_is_made_anew(checkout: Checkout) -> None:
    checkout.make("run")
    checkout.calls()
    (checkout.folder / ".venv" / "bin" / "python").write_text("#!/nowhere/python\n")
    assert checkout.make("run").returncode == 0
    assert checkout.calls() == ["venv", "pip install -r requirements.txt -c requirements.lock"]


def test_two_at_once_install_once(checkout: Checkout) -> None:
    with ThreadPoolExecutor(2) as threads:
        both = list(threads.map(lambda _: checkout.make("run", PIP_SECONDS="0.5"), range(2)))
    assert [one.returncode for one in both] == [0, 0]
    assert checkout.calls() == ["venv", "pip install -r requirements.txt -c requirements.lock"]


def test_a_lock_whose_owner_is_gone_is_taken_over(checkout: Checkout) -> None:
    lock = checkout.folder / ".venv.lock"
    lock.mkdir()
    ended = subprocess.run(["/bin/sh", "-c", "echo $$"], capture_output=True, check=True)
    (lock / "pid").write_bytes(ended.stdout)
    assert checkout.make("run").returncode == 0
    assert not lock.exists()


def test_no_suitable_python_is_one_sentence(checkout: Checkout) -> None:
    # An interpreter of another version: it fails the question that the script asks of it.
    other = checkout._program("python3", "#!/bin/sh\nexit 1\n")
    tools = checkout.folder / "bin"
    tools.mkdir()
    for name in ("dirname", "cat", "mkdir", "rm", "sleep"):
        (tools / name).symlink_to(shutil.which(name) or name)
    other.rename(tools / "python3")
    answer = checkout.make("run", PYTHON="", PATH=str(tools))
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "3.11, 3.12 or 3.13" in answer.stderr
    assert "PYTHON=" in answer.stderr


def test_a_named_python_that_is_too_old_is_said(checkout: Checkout) -> None:
    old = checkout._program("old-python", "#!/bin/sh\nexit 1\n")
    answer = checkout.make("run", PYTHON=str(old))
    assert answer.returncode == 1
    assert f"PYTHON={old} is not a Python 3.11 or newer" in answer.stderr
