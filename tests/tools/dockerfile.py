"""Reads a Dockerfile and a .dockerignore: as much of both as this repository writes."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

KEYWORDS = {
    "ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL",
    "USER", "VOLUME", "WORKDIR",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction.

    Attributes:
        keyword: In capitals.
        text: All after it and its options, with the lines joined.
        options: Of ``--name=value``.
        number: The line on which it begins.
    """

    keyword: str
    text: str
    options: Mapping[str, str]
    number: int

    @property
    def arguments(self) -> list[str] | None:
        """The list of the exec form; None for the shell form."""
        if not self.text.startswith("["):
            return None
        found = json.loads(self.text)
        assert all(isinstance(word, str) for word in found)
        return list(found)

    @property
    def words(self) -> list[str]:
        """The words of the shell form, without quotes."""
        return shlex.split(self.text)

    @property
    def pairs(self) -> dict[str, str]:
        """Of ENV and ARG: names and values; None is an argument without a default."""
        return {name: value for name, _equals, value in (w.partition("=") for w in self.words)}


@dataclass(frozen=True, slots=True)
class Stage:
    """What follows a FROM.

    Attributes:
        base: As written, with its variables.
        name: After AS; "" without.
        steps: The instructions after FROM.
    """

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def of(self, keyword: str) -> list[Step]:
        """Its instructions of one kind."""
        return [step for step in self.steps if step.keyword == keyword]

    def only(self, keyword: str) -> Step:
        """The one instruction of a kind that may stand once."""
        (step,) = self.of(keyword)
        return step


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """All of it.

    Attributes:
        arguments: Defaults of the ARGs before the first FROM.
        stages: In order; the last one is the image.
    """

    arguments: dict[str, str]
    stages: list[Stage]

    @property
    def image(self) -> Stage:
        """What is run in the end."""
        return self.stages[-1]


def parse(text: str) -> Dockerfile:
    """Reads a Dockerfile.

    Raises:
        ValueError: A line is no instruction that this module knows.
    """
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for step in _steps(text):
        if step.keyword == "FROM":
            base, *rest = step.words
            if rest and rest[0].upper() != "AS":
                raise ValueError(f"line {step.number}: FROM {step.text}")
            stages.append(Stage(base, rest[1] if rest else ""))
        elif stages:
            stages[-1].steps.append(step)
        elif step.keyword == "ARG":
            arguments.update(step.pairs)
        else:
            raise ValueError(f"line {step.number}: {step.keyword} before FROM")
    return Dockerfile(arguments, stages)


def _steps(text: str) -> Iterable[Step]:
    begun, number = "", 0
    for now, line in enumerate([*text.splitlines(), ""], 1):
        if line.lstrip().startswith("#"):  # also between the lines of one instruction
            continue
        if not begun:
            number = now
        begun += line
        if begun.endswith("\\"):
            begun = begun[:-1]
            continue
        if begun.strip():
            yield _step(begun.strip(), number)
        begun = ""


def _step(line: str, number: int) -> Step:
    keyword, _space, rest = line.partition(" ")
    if keyword not in KEYWORDS:
        raise ValueError(f"line {number}: {keyword} is not known")
    options = {}
    rest = rest.strip()
    while found := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
        options[found[1]] = found[2]
        rest = rest[found.end() :]
    return Step(keyword, rest, options, number)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with ``$NAME`` and ``${NAME}`` replaced; what has no value becomes empty."""
    return re.sub(
        r"\$(?:\{(\w+)\}|(\w+))", lambda found: values.get(found[1] or found[2], ""), text
    )


class Ignored:
    """What a .dockerignore keeps out of the context."""

    def __init__(self, text: str) -> None:
        self.rules = [
            (not line.startswith("!"), _pattern(line.lstrip("!").strip("/")))
            for line in (line.strip() for line in text.splitlines())
            if line and not line.startswith("#")
        ]

    def __contains__(self, path: str) -> bool:
        """Whether a file is kept out: the last rule that meets it or a folder above decides."""
        parts = path.split("/")
        above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        out = False
        for excludes, pattern in self.rules:
            if any(pattern.fullmatch(one) for one in above):
                out = excludes
        return out


def _pattern(glob: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*|\?)", glob)
    meaning = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part) or re.escape(part) for part in parts))


def context_of(root: Path) -> list[str]:
    """The files of a checkout that Docker would be sent without a .dockerignore, but git's own."""
    said = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout.decode()
    return sorted({name for name in said.split("\0") if name and (root / name).is_file()})
