"""Compares what is installed with ``requirements.lock`` and with known weaknesses.

``python -m tools.audit`` asks no network and says, one line each with its remedy: what the app
needs and the lock does not have, or has in another version; lines of the lock that nothing needs;
ranges of ``requirements.txt`` that do not admit what is locked; and what is older, or may be, than
the fix of a weakness in ``tools/advisories.toml``. ``--write`` makes the lock of what is installed.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = "requirements.txt"
LOCK = "requirements.lock"
ADVISORIES = "tools/advisories.toml"
HEADER = """\
# Every distribution that requirements.txt needs, in the version that the tests ran with. Made by
#   python -m tools.audit --write
# from an environment that was installed without it (SECURITY.md says how). pip takes it as it is:
#   pip install -r requirements.txt -c requirements.lock
"""
PYTHONS = ("3.11", "3.12", "3.13")
# What the markers of packages ask about a platform, and how a line says that it is meant for some.
PLATFORMS = {
    "Linux": ("linux", "posix"),
    "Darwin": ("darwin", "posix"),
    "Windows": ("win32", "nt"),
}
WRITE = "run python -m tools.audit --write"


@dataclass(frozen=True, slots=True)
class Distribution:
    """What is installed under a name.

    Attributes:
        version: As its metadata say, with a local label such as ``+cpu``.
        requires: What it asks for, as its metadata write it.
    """

    version: str
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advisory:
    """A weakness of a package that was made public.

    Attributes:
        package: Its canonical name.
        fixed: The first version without the weakness.
        id: Of CVE, or of GitHub where there is none.
        what: One line on what could happen.
        url: Where it is described.
    """

    package: str
    fixed: str
    id: str
    what: str
    url: str


Installed = Mapping[str, Distribution]


def installed() -> dict[str, Distribution]:
    """Every distribution of this environment by its canonical name."""
    found: dict[str, Distribution] = {}
    for one in metadata.distributions():
        # The first on the path is the one that is imported.
        found.setdefault(
            canonicalize_name(one.metadata["Name"]),
            Distribution(one.version, tuple(one.requires or ())),
        )
    return found


def read_requirements(text: str) -> list[Requirement]:
    """The lines of a requirements file that name a distribution."""
    lines = (line.split(" #", 1)[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def needed(
    wanted: Iterable[Requirement], have: Installed, environment: Mapping[str, Any]
) -> set[str]:
    """The names of everything that ``wanted`` leads to there, itself included.

    What is not installed is named too, but where it would lead is not known.
    """
    seen: set[tuple[str, str]] = set()
    ahead = list(wanted)
    while ahead:
        requirement = ahead.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for line in have[name].requires if name in have else ():
                found = Requirement(line)
                if found.marker is None or found.marker.evaluate({**environment, "extra": extra}):
                    ahead.append(found)
    return {name for name, _ in seen}


def platforms_of(wanted: Iterable[Requirement], have: Installed) -> dict[str, frozenset[str]]:
    """For every name that is needed somewhere: on which platforms, with any Python of ours."""
    wanted = list(wanted)
    found: dict[str, set[str]] = {}
    for system, (sys_platform, os_name) in PLATFORMS.items():
        for python in PYTHONS:
            environment = {
                **default_environment(),
                "platform_system": system,
                "sys_platform": sys_platform,
                "os_name": os_name,
                "python_version": python,
                "python_full_version": f"{python}.0",
            }
            for name in needed(wanted, have, environment):
                found.setdefault(name, set()).add(system)
    return {name: frozenset(systems) for name, systems in found.items()}


def render(wanted: Iterable[Requirement], have: Installed) -> str:
    """The lock as it should be."""
    lines = []
    for name, systems in sorted(platforms_of(wanted, have).items()):
        if name not in have:  # of another platform: what is not here cannot have been tested
            continue
        line = f"{name}=={Version(have[name].version).public}"
        if len(systems) == 1:
            line += f'; platform_system == "{min(systems)}"'
        elif len(systems) == len(PLATFORMS) - 1:
            line += f'; platform_system != "{min(PLATFORMS.keys() - systems)}"'
        lines.append(line)
    return HEADER + "".join(f"{line}\n" for line in lines)


def read_lock(text: str) -> dict[str, Requirement]:
    """The lines of a lock by name."""
    return {canonicalize_name(line.name): line for line in read_requirements(text)}


def locked_version(line: Requirement) -> Version | None:
    """The version of a line of the lock; None where it does not name exactly one."""
    (one, *others) = [*line.specifier] or [None]
    if one is None or others or one.operator != "==" or "*" in one.version:
        return None
    return Version(one.version)


def read_advisories(text: str) -> list[Advisory]:
    """The weaknesses of the file.

    Raises:
        TypeError: An entry lacks a field, or has one too many.
    """
    return [Advisory(**entry) for entry in tomllib.loads(text)["advisory"]]


def audit(
    wanted: list[Requirement],
    lock: Mapping[str, Requirement],
    advisories: Iterable[Advisory],
    have: Installed,
) -> Iterator[str]:
    """One sentence for everything that is not as it should be."""
    yield from _against_lock(wanted, lock, have)
    yield from _ranges(wanted, lock)
    yield from _weaknesses(wanted, lock, advisories, have)


def _against_lock(
    wanted: list[Requirement], lock: Mapping[str, Requirement], have: Installed
) -> Iterator[str]:
    for name in sorted(needed(wanted, have, default_environment())):
        if name not in have:
            yield f"{name} is needed and not installed: run make venv-dev"
            continue
        version = Version(have[name].version).public
        if name not in lock:
            yield f"{name} {version} is needed and not in {LOCK}: {WRITE}"
        elif (locked := locked_version(lock[name])) is None:
            yield f"{LOCK} has “{lock[name]}”, not one version: {WRITE}"
        elif locked != Version(version):
            yield (
                f"{name} is {version}, {LOCK} says {locked}: run make venv-dev for that one, "
                f"or {WRITE.removeprefix('run ')} to keep this one"
            )
    somewhere = platforms_of(wanted, have)
    # A CPU build of torch asks for no libraries of a GPU; the lock has them for those who do.
    cpu = "torch" in have and Version(have["torch"].version).local is not None
    for name, line in sorted(lock.items()):
        if name not in somewhere and not (line.marker and (cpu or not line.marker.evaluate())):
            yield f"{name} is in {LOCK} and nothing needs it: {WRITE}"


def _ranges(wanted: list[Requirement], lock: Mapping[str, Requirement]) -> Iterator[str]:
    for requirement in wanted:
        line = lock.get(canonicalize_name(requirement.name))
        version = locked_version(line) if line is not None else None
        if version is not None and not requirement.specifier.contains(version, prereleases=True):
            yield (
                f"{REQUIREMENTS} asks for {requirement}, {LOCK} has {version}: "
                f"run make venv-dev LOCK=, then {WRITE.removeprefix('run ')}"
            )


def _weaknesses(
    wanted: list[Requirement],
    lock: Mapping[str, Requirement],
    advisories: Iterable[Advisory],
    have: Installed,
) -> Iterator[str]:
    newest: dict[str, Advisory] = {}  # of each package: what is past it is past all of them
    for advisory in advisories:
        name, fixed = advisory.package, Version(advisory.fixed)
        if name not in newest or Version(newest[name].fixed) < fixed:
            newest[name] = advisory
        if name not in lock:
            yield f"{ADVISORIES} has {advisory.id} of {name}, which {LOCK} has not: remove it there"
            continue
        about = f"fixed in {fixed} is {advisory.id}: {advisory.what} ({advisory.url})"
        locked = locked_version(lock[name])
        if locked is not None and locked < fixed:
            yield f"{LOCK} has {name} {locked}, {about}; upgrade it and {WRITE}"
        if name in have and Version(have[name].version) < fixed:
            yield f"{name} {have[name].version} is installed, {about}; run make venv-dev"
    for requirement in wanted:
        last = newest.get(canonicalize_name(requirement.name))
        if last is not None and not _asks_for_at_least(requirement, Version(last.fixed)):
            yield (
                f"{REQUIREMENTS} admits versions of {requirement.name} with {last.id}: "
                f"write {requirement.name}>={last.fixed}"
            )


def _asks_for_at_least(requirement: Requirement, version: Version) -> bool:
    floors = [
        Version(one.version.removesuffix(".*"))
        for one in requirement.specifier
        if one.operator in {">=", ">", "==", "~="}
    ]
    return bool(floors) and max(floors) >= version


def main(
    arguments: list[str] | None = None, root: Path = ROOT, have: Installed | None = None
) -> int:
    """Writes the lock, or says what is wrong; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"make {LOCK} from what is installed")
    options = parser.parse_args(arguments)
    have = installed() if have is None else have
    wanted = read_requirements((root / REQUIREMENTS).read_text("utf-8"))
    if options.write:
        (root / LOCK).write_text(render(wanted, have), "utf-8", newline="\n")
        print(f"wrote {LOCK}")
    if not (root / LOCK).exists():
        print(f"{LOCK} is not there: {WRITE}", file=sys.stderr)
        return 1
    lock = read_lock((root / LOCK).read_text("utf-8"))
    advisories = read_advisories((root / ADVISORIES).read_text("utf-8"))
    wrong = list(audit(wanted, lock, advisories, have))
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if not wrong:
        print(f"{len(lock)} distributions as locked, past {len(advisories)} known weaknesses")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
