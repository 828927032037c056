"""The component's JavaScript: its own tests in Node, its size, and how its modules are joined."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from explorer.ui.graph_view import bundle
from explorer.ui.graph_view.words import kind_names, labels

HERE = Path(__file__).parent
MODULES = sorted((bundle.FOLDER / "js").glob("*.js"))
MOST_LINES = 1500  # of JavaScript, tests included: a component that one person can read

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


@needs_node
def test_javascript_tests_pass() -> None:
    command = ["node", "--test", str(HERE / "graph_view.test.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    passed = re.search(r"^# pass (\d+)", done.stdout, re.MULTILINE)
    assert passed
    assert int(passed.group(1)) >= 13


@needs_node
def test_the_joined_modules_are_one_valid_module(tmp_path: Path) -> None:
    # Two modules that name something alike would clash here.
    joined = tmp_path / "joined.mjs"
    joined.write_text(bundle.script(), encoding="utf-8")
    done = subprocess.run(["node", "--check", str(joined)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_joining_leaves_no_import_and_one_export() -> None:
    script = bundle.script()
    assert not re.search(r"^import ", script, re.MULTILINE)
    assert re.findall(r"^export .*", script, re.MULTILINE) == [
        "export default function graphView(component) {"
    ]
    for module in MODULES:
        assert f"// {module.name}\n" in script


def test_small_enough_to_read() -> None:
    files = [*MODULES, *HERE.glob("*.mjs")]
    assert len(MODULES) > 5
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files) < MOST_LINES


def test_nothing_is_fetched_from_outside() -> None:
    text = bundle.script() + bundle.style()
    addresses = set(re.findall(r"https?://[^\s\"'`]+", text))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a namespace, not an address
    assert not re.search(r"\b(fetch|XMLHttpRequest|importScripts|eval)\b|@import|url\(", text)


def test_every_word_that_the_modules_ask_for_is_sent() -> None:
    used = set(re.findall(r"\btext\.(\w+)", bundle.script())) - {"includes", "trim"}  # of strings
    assert used == set(labels())


def test_every_kind_has_a_name_and_a_colour() -> None:
    from explorer.graph import KINDS

    assert tuple(kind_names()) == KINDS
    colours = (bundle.FOLDER / "js" / "colour.js").read_text(encoding="utf-8")
    block = re.search(r"const KINDS = \{(.*?)\n\};", colours, re.DOTALL)
    assert block
    assert set(re.findall(r"(\w+): \[", block.group(1))) == set(KINDS)
