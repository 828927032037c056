"""What must not be in the repository: other people's paths, unfinished business, large files."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = {
    ".py", ".md", ".toml", ".txt", ".sh", ".js", ".css", ".po", ".pot", ".json", ".csv", ".svg", "",
}  # fmt: skip
# Put together here, so that this file does not contain what it looks for.
FORBIDDEN = {
    "unfinished business": re.compile("TO" + "DO|FIX" + "ME|coming " + "soon", re.IGNORECASE),
    "a path of somebody's machine": re.compile(
        r"(?<![\w.])/(?:home|Users|work|root)/" + r"[A-Za-z.]"
    ),
}
# Words of the data that only look like it, and Apache's licence.
EXEMPT = {"assets/data/imagenet_classes.json"}
LARGEST = 5_500_000  # bytes of a file: the perceptron's 1.3 million weights are the largest


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of what belongs to the repository")
    said = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=60
    ).stdout.decode()
    paths = [ROOT / name for name in said.split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_texts(what: str) -> None:
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix not in TEXT or name in EXEMPT:
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if FORBIDDEN[what].search(line):
                found.append(f"{name}:{number}: {line.strip()[:120]}")
    assert not found, f"{what}:\n" + "\n".join(found[:20])


def test_files_are_not_large() -> None:
    large = {
        path.relative_to(ROOT).as_posix(): size
        for path in tracked()
        if (size := path.stat().st_size) > LARGEST
    }
    assert not large


def test_no_generated_files() -> None:
    wrong = [
        path.relative_to(ROOT).as_posix()
        for path in tracked()
        if path.suffix in {".pyc", ".mo", ".log"} or "__pycache__" in path.parts
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("what", "line", "matches"),
    [
        ("unfinished business", "# to" + "do: later", True),
        ("unfinished business", "# done", False),
        ("a path of somebody's machine", "see /ho" + "me/me/x", True),
        ("a path of somebody's machine", "https://example.org/home/page", False),
        ("a path of somebody's machine", "/usr/bin/chromium", False),
    ],
)
def test_the_search_can_find(what: str, line: str, matches: bool) -> None:
    assert bool(FORBIDDEN[what].search(line)) is matches
