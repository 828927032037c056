"""``tools/audit.py``: what it finds in a small world of its own, and that it finds nothing here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tools import audit
from tools.audit import Distribution, read_advisories, read_lock, read_requirements

ROOT = Path(__file__).resolve().parents[2]

REQUIREMENTS = """\
# What the app needs.
web>=1.2,<2
draw[fast]>=3  # pictures
"""
HAVE = {
    "web": Distribution(
        "1.5", ("Http-Core>=1", 'watch; platform_system != "Darwin"', "old<1; python_version<'3'")
    ),
    "draw": Distribution(
        "3.1+cpu",
        ('cuda; platform_system == "Linux"', "speed; extra=='fast'", "docs; extra=='doc'"),
    ),
    "http-core": Distribution("1.0", ("web",)),  # a circle
    "watch": Distribution("7"),
    "cuda": Distribution("13.0"),
    "speed": Distribution("2.0rc1", ('tint; platform_system == "Windows"',)),
    "docs": Distribution("1"),
}
LOCKED = [
    'cuda==13.0; platform_system == "Linux"',
    "draw==3.1",
    "http-core==1.0",
    "speed==2.0rc1",
    'watch==7; platform_system != "Darwin"',
    "web==1.5",
]
ADVISORIES = """
[[advisory]]
package = "web"
fixed = "1.2"
id = "CVE-2020-0001"
what = "it told everything"
url = "https://example.org/1"
"""


class World:
    """A checkout of three files and an environment that is only said to be there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.have = dict(HAVE)
        (folder / "tools").mkdir()
        self.write("tools/advisories.toml", ADVISORIES)
        self.write("requirements.txt", REQUIREMENTS)
        self.lock(*LOCKED)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def lock(self, *lines: str) -> None:
        self.write("requirements.lock", "".join(f"{line}\n" for line in lines))

    def audit(self, *arguments: str) -> int:
        return audit.main(list(arguments), self.folder, self.have)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    # As if on Linux, wherever the tests run.
    here = {**audit.default_environment(), "platform_system": "Linux"}
    monkeypatch.setattr(audit, "default_environment", lambda: dict(here))
    monkeypatch.setattr("packaging.markers.default_environment", lambda: dict(here))
    return World(tmp_path)


def test_a_clean_world_passes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.audit() == 0
    said = capsys.readouterr()
    assert said.out == "6 distributions as locked, past 1 known weaknesses\n"
    assert said.err == ""


def test_writing_makes_that_lock_and_again_the_same(world: World) -> None:
    (world.folder / "requirements.lock").unlink()
    assert world.audit("--write") == 0
    written = (world.folder / "requirements.lock").read_bytes()
    assert read_lock(written.decode()) == {
        Requirement(line).name: Requirement(line) for line in LOCKED
    }
    assert world.audit("--write") == 0
    assert (world.folder / "requirements.lock").read_bytes() == written


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda world: world.lock(*LOCKED, "docs==1"),
            "docs is in requirements.lock and nothing needs it: run python -m tools.audit --write",
        ),
        (
            lambda world: world.lock(*LOCKED[1:]),
            "cuda 13.0 is needed and not in requirements.lock: run python -m tools.audit --write",
        ),
        (
            lambda world: world.lock(*LOCKED[:2], "http-core==1.1", *LOCKED[3:]),
            "http-core is 1.0, requirements.lock says 1.1: run make venv-dev for that one, "
            "or python -m tools.audit --write to keep this one",
        ),
        (
            lambda world: world.lock(*LOCKED[:2], "http-core>=1", *LOCKED[3:]),
            "requirements.lock has “http-core>=1”, not one version: "
            "run python -m tools.audit --write",
        ),
        (
            lambda world: world.lock(*LOCKED[:2], "http-core", *LOCKED[3:]),
            "requirements.lock has “http-core”, not one version: run python -m tools.audit --write",
        ),
        (
            lambda world: world.have.pop("speed"),
            "speed is needed and not installed: run make venv-dev",
        ),
        (
            lambda world: world.write("requirements.txt", REQUIREMENTS.replace("1.2,<2", "1.6,<2")),
            "requirements.txt asks for web<2,>=1.6, requirements.lock has 1.5: "
            "run make venv-dev LOCK=, then python -m tools.audit --write",
        ),
        (
            lambda world: world.write("requirements.txt", REQUIREMENTS.replace(">=1.2", ">=1.1")),
            "requirements.txt admits versions of web with CVE-2020-0001: write web>=1.2",
        ),
        (
            lambda world: world.write("requirements.txt", REQUIREMENTS.replace(">=1.2,<2", "<2")),
            "requirements.txt admits versions of web with CVE-2020-0001: write web>=1.2",
        ),
        (
            lambda world: world.write("tools/advisories.toml", ADVISORIES.replace("web", "docs")),
            "tools/advisories.toml has CVE-2020-0001 of docs, which requirements.lock has not: "
            "remove it there",
        ),
        (
            lambda world: (world.folder / "requirements.lock").unlink(),
            "requirements.lock is not there: run python -m tools.audit --write",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_its_remedy(
    world: World, capsys: pytest.CaptureFixture[str], change: object, sentence: str
) -> None:
    assert callable(change)
    change(world)
    assert world.audit() == 1
    assert capsys.readouterr().err == f"{sentence}\n"


def test_a_weak_version_is_named_where_it_is_locked_and_where_it_is_installed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = ADVISORIES.replace('"web"', '"speed"').replace('"1.2"', '"2.0"')
    world.write("tools/advisories.toml", fixed)  # a release candidate is older than its release
    assert world.audit() == 1
    about = "fixed in 2.0 is CVE-2020-0001: it told everything (https://example.org/1)"
    assert capsys.readouterr().err.splitlines() == [
        f"requirements.lock has speed 2.0rc1, {about}; "
        "upgrade it and run python -m tools.audit --write",
        f"speed 2.0rc1 is installed, {about}; run make venv-dev",
    ]
    # The one who upgraded without the lock, and the one who has not installed yet.
    world.have["speed"] = Distribution("2.0")
    assert world.audit() == 1
    assert "speed 2.0rc1 is installed" not in capsys.readouterr().err
    world.lock(*[line.replace("2.0rc1", "2.0") for line in LOCKED])
    assert world.audit() == 0


def test_a_cpu_build_needs_no_libraries_of_a_gpu_and_leaves_their_lines(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.write("requirements.txt", REQUIREMENTS + "torch\n")
    world.have["torch"] = Distribution("2.1+cpu")
    world.have["draw"] = Distribution("3.1", ("speed",))  # asks for no cuda
    world.lock(*LOCKED, "torch==2.1")
    assert world.audit() == 0, capsys.readouterr().err
    world.have["torch"] = Distribution("2.1")
    assert world.audit() == 1
    assert capsys.readouterr().err.startswith("cuda is in requirements.lock and nothing needs it")


# --- this checkout --------------------------------------------------------------------------------


def test_this_checkout_is_clean() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tools.audit"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.stderr == ""
    assert said.returncode == 0
    assert re.fullmatch(r"\d+ distributions as locked, past \d+ known weaknesses\n", said.stdout)


def test_the_lock_has_what_it_is_for() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    lock = read_lock(text)
    asked = {
        audit.canonicalize_name(one.name)
        for one in read_requirements((ROOT / "requirements.txt").read_text("utf-8"))
    }
    assert asked < set(lock)
    assert all(audit.locked_version(line) for line in lock.values())
    names = [line.split("==")[0] for line in text.splitlines() if not line.startswith("#")]
    assert names == sorted(set(names))
    assert "python -m tools.audit --write" in text
    gpu = [name for name in lock if name.startswith("nvidia-") and name != "nvidia-ml-py"]
    assert gpu
    assert all(str(lock[name].marker) == 'platform_system == "Linux"' for name in gpu)


def test_the_weaknesses_are_well_formed_and_said_once() -> None:
    found = read_advisories((ROOT / audit.ADVISORIES).read_text("utf-8"))
    assert len({one.id for one in found}) == len(found) > 20
    for one in found:
        assert one.package == audit.canonicalize_name(one.package), one.id
        assert str(Version(one.fixed)) == one.fixed, one.id
        assert re.fullmatch(r"CVE-20\d\d-\d{4,}|GHSA(-[0-9a-z]{4}){3}", one.id)
        assert one.url.startswith("https://")
        assert one.what.strip() == one.what
        assert "\n" not in one.what


def test_lint_asks_it() -> None:
    said = subprocess.run(
        ["make", "-n", "lint"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert re.search(r"^\S+python -m tools\.audit$", said, re.MULTILINE)
