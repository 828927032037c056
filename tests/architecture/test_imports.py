"""The arrows of the house point down, streamlit stays in its room, and torch is late."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "explorer"

# Lowest first; a unit may import units of lower floors, and itself. A new module gets its place
# here, which is the moment to think about where it belongs.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"i18n"}),
    frozenset({"errors"}),
    frozenset(
        {
            "jpeg_header",
            "memory",
            "patching",
            "requests",
            "settings",
            "telemetry",
            "throughput",
            "task_keys",
            "timing_statistics",
        }
    )
    | {"paired"},
    frozenset({"latency_results"}),
    frozenset({"graph", "results", "catalog", "own_models", "own_weights"}),
    frozenset({"exports", "graph_exports", "module_state", "patching", "preprocess", "timing"})
    | {"energy", "watching"},
    frozenset(
        {"device", "images", "latency_modes", "networks", "preprocess", "skip_init", "weights"}
        | {"findings", "offered"}
    ),
    frozenset({"downloads", "machine", "settings_check", "state_dicts"}),
    frozenset({"own_state"}),
    frozenset({"zoo"}),
    frozenset({"layouting", "pool", "tracing"}),
    frozenset({"trace"}),
    frozenset({"own_describe"}),
    frozenset({"attribution", "costs", "latency", "layout", "history", "compare", "predict"})
    | {"structural_diff", "paired_timing", "compare_table", "compare_report"},
    frozenset({"bottleneck", "inspection", "live", "reconcile", "roofline", "what_if"}),
    frozenset({"claims", "explainers", "subgraph"}),
    frozenset({"onnx_export"}),
    frozenset({"charts", "measurements"}),
    frozenset({"paper_points", "sweeps"}),
    frozenset({"tasks"}),
    frozenset({"engine"}),
    frozenset({"atlas", "tour", "qr"}),
    frozenset({"prefetch"}),
    frozenset({"caches"}),
    frozenset({"serving"}),
    frozenset({"ui", "__main__"}),
    frozenset({"app", "pages"}),
)
FLOOR = {unit: number for number, units in enumerate(FLOORS) for unit in units}
# Files that are one unit with a package of another name.
SAME_UNIT = {
    "claim_tasks": "tasks", "cost_tasks": "tasks", "own_tasks": "tasks", "paired_task": "tasks",
    "worker": "engine", "result_cache": "engine", "tour_tasks": "tour",
}  # fmt: skip
CHARTS_MAY_SEE = {
    "bottleneck", "catalog", "charts", "compare_table", "costs", "errors", "explainers", "findings",
    "graph", "i18n", "latency_results", "paired", "requests", "results", "throughput",
    "timing_statistics",
}  # fmt: skip
STREAMLIT_ROOMS = {"app", "pages", "ui"}

HEAVY = ("torch", "torchvision", "timm", "captum")
# What the server process loads, hence never torch, also not through what these import.
LIGHT = {
    "", "app", "atlas", "bottleneck", "catalog", "charts", "claims", "compare_table",
    "compare_report", "costs", "engine", "errors", "explainers", "exports", "subgraph",
    "findings", "graph", "graph_exports", "i18n", "images", "latency_results", "layout",
    "layouting", "measurements", "memory", "own_models", "own_weights",
    "paired", "pages", "paper_points", "requests", "results",
    "caches", "serving", "settings", "structural_diff", "sweeps", "task_keys", "tasks", "telemetry",
    "throughput",
    "offered", "settings_check", "timing_statistics", "ui", "weights", "what_if", "__main__",
}  # fmt: skip
LIGHT_ATTRIBUTION = {"explorer.attribution", "explorer.attribution.methods"} | {
    "explorer.attribution.overlay"
}
LIGHT_INSPECTION = {"explorer.inspection"} | {
    f"explorer.inspection.{name}"
    for name in ("choosing", "formulas", "grids", "snippets", "tiles", "types")
}
LONGEST = {"explorer": 500, "pages": 110}


@dataclass(frozen=True, slots=True)
class Import:
    """One import statement: where, of what, and whether it runs when the module is loaded."""

    path: Path
    line: int
    module: str
    at_load: bool

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} imports {self.module}"


def files() -> list[Path]:
    """Every Python file of the app."""
    return sorted([*ROOT.glob("app.py"), *ROOT.glob("pages/*.py"), *PACKAGE.rglob("*.py")])


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def unit_of(module: str) -> str:
    """ "explorer.charts.theme" → "charts"; "pages.graph" → "pages"; "explorer" → ""."""
    parts = module.split(".")
    name = parts[0] if parts[0] != "explorer" else (parts[1] if len(parts) > 1 else "")
    return SAME_UNIT.get(name, name)


def imports_of(path: Path, source: str | None = None) -> Iterator[Import]:
    """Every import of a file, lazy and type-only ones included."""
    tree = ast.parse(path.read_text("utf-8") if source is None else source)
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    late = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.FunctionDef | ast.AsyncFunctionDef) or _is_type_checking(block)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            # `from explorer import costs` is an import of explorer.costs
            names = [start]
            if start == "explorer":
                names = [f"explorer.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield Import(path, node.lineno, name, id(node) not in late)


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


# When first asked for: every process of the tests loads this file, and one of them runs it.
@cache
def all_imports() -> list[Import]:
    return [found for path in files() for found in imports_of(path)]


@cache
def own_imports() -> list[Import]:
    ours = ("explorer", "pages", "app")
    return [found for found in all_imports() if found.module.split(".")[0] in ours]


def test_there_is_something_to_check() -> None:
    assert len(own_imports()) > 20
    assert {unit_of(module_name(path)) for path in files()} >= {"catalog", "charts", "engine", "ui"}


def test_every_module_has_its_floor() -> None:
    units = {unit_of(module_name(path)) for path in files()} - {""}
    assert units <= set(FLOOR), f"give these a floor in FLOORS: {sorted(units - set(FLOOR))}"


def test_arrows_point_down() -> None:
    up = []
    for found in own_imports():
        source, target = unit_of(module_name(found.path)), unit_of(found.module)
        known = source in FLOOR and target in FLOOR and source != target
        if known and FLOOR[target] >= FLOOR[source]:
            up.append(str(found))
    assert not up, "\n".join(up)


def test_nothing_below_the_pages_is_the_top_package_itself() -> None:
    # `explorer/__init__.py` is a map: it imports nothing of the house.
    assert [str(found) for found in own_imports() if found.path == PACKAGE / "__init__.py"] == []


def test_charts_see_result_types_only() -> None:
    wrong = [
        str(found)
        for found in own_imports()
        if unit_of(module_name(found.path)) == "charts"
        and unit_of(found.module) not in CHARTS_MAY_SEE | {""}
    ]
    assert not wrong, "\n".join(wrong)


def test_streamlit_stays_in_its_room() -> None:
    wrong = [
        str(found)
        for found in all_imports()
        if found.module.split(".")[0] == "streamlit"
        and unit_of(module_name(found.path)) not in STREAMLIT_ROOMS
    ]
    assert not wrong, "\n".join(wrong)


def is_light(module: str) -> bool:
    """Whether loading the module must not load torch."""
    unit = unit_of(module)
    if unit == "inspection":
        return module in LIGHT_INSPECTION
    return module in LIGHT_ATTRIBUTION if unit == "attribution" else unit in LIGHT


def test_torch_is_not_loaded_with_a_light_module() -> None:
    wrong = [
        str(found)
        for found in all_imports()
        if found.at_load
        and found.module.split(".")[0] in HEAVY
        and is_light(module_name(found.path))
    ]
    assert not wrong, "\n".join(wrong)


PROOF = """
import importlib, sys
heavy, names = sys.argv[1].split(","), sys.argv[2].split(",")
for name in names:
    importlib.import_module(name)
    loaded = [found for found in heavy if found in sys.modules]
    if loaded:
        sys.exit(f"import {name} loads {', '.join(loaded)}")
"""


def in_fresh_process(names: list[str], heavy: tuple[str, ...]) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", PROOF, ",".join(heavy), ",".join(names)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr


def test_a_fresh_process_stays_light() -> None:
    names = [
        name
        for name in map(module_name, files())
        if is_light(name) and unit_of(name) not in STREAMLIT_ROOMS | {"__main__"}
    ]
    for face in ("catalog", "charts", "engine", "tasks", "images", "attribution"):
        assert f"explorer.{face}" in names
    in_fresh_process(names, (*HEAVY, "streamlit"))


def test_the_ui_stays_free_of_torch() -> None:
    # The shell is the script itself: the browser tests run it.
    names = [name for name in map(module_name, files()) if unit_of(name) == "ui"]
    assert {"explorer.ui.page", "explorer.ui.attribution.maps"} <= set(names)
    in_fresh_process([name for name in names if not name.endswith(".shell")], HEAVY)


def test_the_proof_can_fail() -> None:
    with pytest.raises(AssertionError, match="import colorsys loads colorsys"):
        in_fresh_process(["json", "colorsys"], ("colorsys",))


@pytest.mark.parametrize(
    ("source", "module", "at_load"),
    [
        ("import torch.nn", "torch.nn", True),
        ("def f():\n    import torch", "torch", False),
        ("if TYPE_CHECKING:\n    import torch", "torch", False),
        ("try:\n    import torch\nexcept ImportError: pass", "torch", True),
        ("class A:\n    import torch", "torch", True),
        ("from explorer import costs", "explorer.costs", True),
        ("from . import theme", "explorer.charts", True),
        ("from ..costs import count", "explorer.costs", True),
    ],
)
def test_imports_are_read_as_python_does(source: str, module: str, at_load: bool) -> None:
    (found,) = imports_of(PACKAGE / "charts" / "bubble.py", source)
    assert (found.module, found.at_load) == (module, at_load)


def test_files_are_short() -> None:
    long = []
    for path in files():
        limit = LONGEST.get(path.relative_to(ROOT).parts[0])
        lines = len(path.read_text("utf-8").splitlines())
        if limit is not None and lines > limit:
            long.append(f"{path.relative_to(ROOT)} has {lines} lines, more than {limit}")
    assert not long, "\n".join(long)
