"""Every cache is on one list, and every one is bounded."""

from __future__ import annotations

import ast
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer import caches as listed
from explorer.caches import FUNCTIONS, SHOWN, CacheInfo, caches
from explorer.own_weights import SessionFolder

ROOT = Path(__file__).resolve().parents[2]
NAMES = {"cache", "lru_cache", "cache_data", "cache_resource", "cached_property"}
BOUNDS = ("maxsize", "max_entries")


def cached_functions(source: str, module: str) -> Iterator[tuple[str, int | str | None, bool]]:
    """(name, bound as written, whether it takes anything) of each cached function of a module."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            target = call.func if call else decorator
            name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
            if name not in NAMES or name == "cached_property":
                continue
            bound: int | str | None = None
            values = [k.value for k in call.keywords if k.arg in BOUNDS] if call else []
            if call and name == "lru_cache" and call.args:
                values.append(call.args[0])
            if name == "lru_cache" and not values:
                bound = 128  # Python's own
            for value in values:
                bound = value.value if isinstance(value, ast.Constant) else ast.unparse(value)
            arguments = node.args
            takes = bool(arguments.args or arguments.kwonlyargs or arguments.posonlyargs)
            yield f"{module}.{node.name}", bound, takes


def found() -> dict[str, tuple[int | str | None, bool, str]]:
    result = {}
    for path in [*(ROOT / "explorer").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        source = path.read_text("utf-8")
        for name, bound, takes in cached_functions(source, module):
            result[name] = (bound, takes, source)
    return result


def test_every_cached_function_is_listed_and_nothing_else() -> None:
    assert len(found()) > 20
    assert set(FUNCTIONS) == set(found())


def test_the_bounds_are_those_of_the_code() -> None:
    wrong = []
    for name, (bound, _takes, source) in found().items():
        written = bound
        if isinstance(bound, str) and bound.isidentifier():  # a constant of the module
            (line,) = [x for x in source.splitlines() if x.startswith(f"{bound} = ")]
            written = int(line.partition("=")[2])
        said = FUNCTIONS[name]
        if isinstance(said, int) != (written is not None) or (written or said) != said:
            wrong.append(f"{name}: {bound} in the code, {said} in explorer/caches.py")
    assert not wrong, "\n".join(wrong)


def test_what_is_unbounded_says_which_few_inputs_it_takes() -> None:
    for name, (bound, takes, _source) in found().items():
        if bound is None and takes:
            assert len(str(FUNCTIONS[name])) > 10, f"{name} needs a bound, or words for its inputs"


@pytest.mark.parametrize(
    ("source", "bound", "takes"),
    [
        ("@cache\ndef f(x): ...", None, True),
        ("@functools.cache\ndef f(): ...", None, False),
        ("@lru_cache(maxsize=None)\ndef f(x): ...", None, True),
        ("@lru_cache(7)\ndef f(x): ...", 7, True),
        ("@lru_cache\ndef f(x): ...", 128, True),
        ("@st.cache_data\ndef f(x): ...", None, True),
        ("@st.cache_resource(max_entries=3)\ndef f(*, x): ...", 3, True),
        ("class A:\n    @cache\n    def f(self): ...", None, True),
    ],
)
def test_the_search_reads_decorators_as_python_does(
    source: str, bound: int | None, takes: bool
) -> None:
    assert list(cached_functions(source, "m")) == [("m.f", bound, takes)]


def test_the_large_ones_are_shown_with_a_bound() -> None:
    by_id = {cache.id: cache for cache in caches()}
    assert {"results", "models", "traces", "peaks"} <= set(by_id)
    assert len(by_id) == len(caches())  # ids are labels: no two alike
    for cache in by_id.values():
        waits = cache.id == "models"  # bounded once a worker has looked at the free memory
        assert waits or cache.id == "constants" or cache.max_entries or cache.max_bytes, cache
    assert set(SHOWN) <= set(FUNCTIONS)


def test_own_weights_of_all_sessions_are_counted() -> None:
    def seen() -> CacheInfo:
        (found,) = [cache for cache in caches() if cache.id == "own_weights"]
        return found

    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    data = struct.pack("<Q", len(header)) + header + bytes(4)
    one, two = SessionFolder(), SessionFolder()
    for session in (one, two):
        session.keep("mine.safetensors", memoryview(data))
    assert (seen().entries, seen().nbytes) == (2, 2 * len(data))
    assert seen().max_bytes == 4 * 600 * 2**20  # TOTAL_FILES times EXPLORER_MAX_WEIGHTS_MB
    del one, session
    assert seen().entries == 1
    two.clear()
    assert (seen().entries, seen().nbytes) == (0, 0)


def test_the_bound_of_peaks_is_that_of_their_store() -> None:
    from explorer.roofline.store import MAX_FILES, folder
    from explorer.settings import get_settings

    assert listed.MAX_PEAKS == MAX_FILES
    assert folder() == get_settings().cache_dir / "roofline"


def test_the_fill_is_of_the_nearer_bound() -> None:
    assert CacheInfo("a", "a", "server", 1, 10, 90, 100).fill == 0.9
    assert CacheInfo("a", "a", "server", 1, None, None, None).fill is None
    assert CacheInfo("a", "a", "worker", None, None, 5, None).fill is None


def test_module_level_stores_of_the_code_are_known() -> None:
    """Containers that live as long as the process and grow: each is bounded where it is."""
    known = {
        # Keyed weakly by modules: gone with the network.
        ("explorer.attribution.spatial", "_default_layers"),
        # Emptied every few seconds.
        ("explorer.ui.sessions", "_ended"),
        # ``MOST`` of them.
        ("explorer.ui.latency.feed", "_feeds"),
        # Four words.
        ("explorer.telemetry", "_outcomes"),
    }
    stores = set()
    for path in (ROOT / "explorer").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
                continue
            if isinstance(node, ast.AnnAssign) and "Mapping" in ast.unparse(node.annotation):
                continue  # never written
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            empty = isinstance(node.value, ast.Dict | ast.List) and not (
                node.value.keys if isinstance(node.value, ast.Dict) else node.value.elts
            )
            made = ast.unparse(node.value)
            grows = empty or made in ("dict()", "list()", "set()", "deque()", "OrderedDict()")
            if grows or made.startswith("Weak"):
                stores |= {(module, ast.unparse(target)) for target in targets}
    assert stores <= known, f"bound these, and name them here: {sorted(stores - known)}"
