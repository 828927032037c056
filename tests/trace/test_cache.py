"""Traces on disk: found again, renewed, bounded, and never the reason for a failure."""

from __future__ import annotations

import gzip
import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from explorer.catalog import find
from explorer.graph import LayerGraph
from explorer.trace import cached_trace, trace, trace_spec
from explorer.tracing import cache
from explorer.tracing.encoding import decode, encode
from tests.trace.networks import Residual, Splits

SIZE = (4, 8, 8)


@pytest.fixture(scope="module")
def graph() -> LayerGraph:
    return trace(Residual(), torch.empty(1, *SIZE), name="residual")


def no_graph() -> LayerGraph:
    raise AssertionError("traced again")


@pytest.mark.parametrize("module", [Residual(), Splits()])
def test_a_graph_survives_json(module: torch.nn.Module) -> None:
    channels = 4 if isinstance(module, Residual) else 3
    made = trace(module, torch.empty(1, channels, 8, 8))
    assert decode(json.loads(json.dumps(encode(made)))) == made


def test_the_second_time_is_read(cache_dir: Path, graph: LayerGraph) -> None:
    assert cache.load("residual", SIZE) is None
    assert cache.load_or_make("residual", SIZE, lambda: graph) == graph
    assert cache.load_or_make("residual", SIZE, no_graph) == graph
    assert cache.load("residual", (4, 9, 9)) is None
    assert cache.load("other", SIZE) is None
    assert [p.name for p in cache_dir.glob(".*.part")] == []


def test_names_of_models_are_no_paths(cache_dir: Path) -> None:
    path = cache.path_of("timm/../../etc/passwd", SIZE)
    assert path.parent == cache_dir


@pytest.mark.parametrize("what", ["versions", "code"])
def test_another_version_is_another_file(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    before = cache.path_of("residual", SIZE)
    if what == "versions":
        monkeypatch.setattr(cache, "library_versions", lambda: {"torch": "0.0"})
    else:
        monkeypatch.setattr(cache, "code_version", lambda: "other")
    assert cache.path_of("residual", SIZE) != before


def damage(data: bytes, how: str) -> bytes:
    if how == "cut":
        return data[: len(data) // 2]
    if how == "empty":
        return b""
    if how == "text":
        return b"not a trace"
    content = json.loads(gzip.decompress(data))
    if how == "old format":
        content["format"] = 0
    elif how == "field missing":
        del content["edges"]
    elif how == "row too short":
        content["ops"][0] = content["ops"][0][:3]
    elif how == "tensor missing":
        content["tensors"] = []
    elif how == "a list":
        content = [content]
    elif how == "another network":
        content["model"] = "other"
    return gzip.compress(json.dumps(content).encode())


@pytest.mark.parametrize(
    "how",
    ["cut", "empty", "text", "old format", "field missing", "row too short", "tensor missing",
     "a list", "another network"],
)  # fmt: skip
def test_a_broken_file_is_made_again_and_said_in_the_log(
    cache_dir: Path, graph: LayerGraph, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache.store(graph, SIZE)
    path = cache.path_of("residual", SIZE)
    path.write_bytes(damage(path.read_bytes(), how))
    with caplog.at_level(logging.WARNING, logger="explorer.tracing.cache"):
        assert cache.load_or_make("residual", SIZE, lambda: graph) == graph
    assert path.name in caplog.text
    assert cache.load_or_make("residual", SIZE, no_graph) == graph


def test_a_folder_that_cannot_be_used_costs_only_the_cache(
    tmp_path: Path,
    graph: LayerGraph,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A file where the folder should be fails for every user, root included.
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "file" / "traces")
    with caplog.at_level(logging.WARNING, logger="explorer.tracing.cache"):
        assert cache.load_or_make("residual", SIZE, lambda: graph) == graph
    assert "without the cache" in caplog.text


def test_a_full_disk_costs_only_the_cache(
    cache_dir: Path,
    graph: LayerGraph,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert cache.load_or_make("residual", SIZE, lambda: graph) == graph
    assert "No space left" in caplog.text
    assert list(cache_dir.glob(".*.part")) == []


def test_the_folder_is_bounded_and_the_longest_unused_goes(
    cache_dir: Path, graph: LayerGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "MAX_FILES", 3)
    for number, size in enumerate([(4, 1, 1), (4, 2, 2), (4, 3, 3)]):
        cache.store(graph, size)
        os.utime(cache.path_of("residual", size), (number + 1, number + 1))
    assert cache.load("residual", (4, 1, 1)) == graph  # Used now: no longer the oldest.
    cache.store(graph, (4, 4, 4))
    kept = [size for size in range(1, 5) if cache.path_of("residual", (4, size, size)).exists()]
    assert kept == [1, 3, 4]
    monkeypatch.setattr(cache, "MAX_BYTES", 1)
    cache.store(graph, (4, 5, 5))
    assert len(list(cache_dir.glob("*.json.gz"))) == 1


def test_of_many_who_ask_at_once_one_traces(cache_dir: Path, graph: LayerGraph) -> None:
    made, found = [], []
    gate = threading.Barrier(8)

    def make() -> LayerGraph:
        made.append(1)
        return graph

    def ask() -> None:
        gate.wait(timeout=30)
        found.append(cache.load_or_make("residual", SIZE, make))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(made) == 1
    assert found == [graph] * 8


def test_two_processes_at_once_both_get_it(cache_dir: Path) -> None:
    code = (
        "from explorer.catalog import find; from explorer.trace import trace_spec;"
        "print(trace_spec(find('lenet5')).total_macs)"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    # LeNet-5 in its dense form: 5·5·6·28·28 + 5·5·6·16·10·10 + 400·120 + 120·84 + 84·10
    expected = 25 * 6 * 784 + 25 * 6 * 16 * 100 + 400 * 120 + 120 * 84 + 84 * 10
    assert [int(process.communicate(timeout=120)[0]) for process in both] == [expected] * 2
    assert len(list(cache_dir.glob("lenet5-*.json.gz"))) == 1


def test_a_kept_trace_is_read_without_torch(cache_dir: Path) -> None:
    spec = find("lenet5")
    assert cached_trace(spec) is None
    made = trace_spec(spec)
    assert cached_trace(spec) == made
    code = (
        "import sys; from explorer.catalog import find; from explorer.trace import cached_trace;"
        "import explorer.costs;"
        "assert cached_trace(find('lenet5')).total_macs > 0; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
