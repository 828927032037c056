"""What the engine on Ray costs over the local one: a warm Grad-CAM, in turn; run by ``make bench``.

Each map has a target of its own, so that each is computed. Both engines compute with one thread;
the cluster is one node on this machine, joined as a part of it and as a client (``ray://``), for
which a process of its own stands. The figure is the difference of the medians in milliseconds.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.catalog import find
from explorer.engine import Engine
from explorer.engine.local import EngineOptions, LocalEngine
from explorer.images import sample_bytes
from explorer.requests import ExplainRequest, ModelRef
from explorer.tasks import Explain

ROOT = Path(__file__).resolve().parents[2]
REF = ModelRef("tf_efficientnet_lite0", find("tf_efficientnet_lite0").weights[0].id)
ROUNDS, EACH = 10, 8
MOST = 15.0  # ms
OPTIONS = EngineOptions(threads=1)


def task(target: int) -> Explain:
    return Explain(REF, sample_bytes("coffee"), ExplainRequest("grad_cam", target=target))


def compare(engines: dict[str, Engine]) -> dict[str, list[float]]:
    """Milliseconds from submission to result, engine by engine, in turn."""
    targets = itertools.count()
    for engine in engines.values():
        maps = [engine.submit(task(next(targets)), "warm").result(120) for _ in range(3)]
        assert maps[0].map.dtype == np.float32
    found: dict[str, list[float]] = {name: [] for name in engines}
    for number in range(ROUNDS):
        names = list(engines) if number % 2 else list(reversed(engines))
        for name in names:
            for _time in range(EACH):
                asked = task(next(targets) % 1000)
                engines[name].forget([asked.key()])
                begin = time.perf_counter()
                engines[name].submit(asked, "bench").result(120)
                found[name].append((time.perf_counter() - begin) * 1000)
    return found


def run(address: str) -> None:
    """Both engines in this process; prints the times as JSON."""
    from explorer.engine.cluster.connection import ConnectionOptions
    from explorer.engine.cluster.engine import ClusterEngine

    engines: dict[str, Any] = {
        "local": LocalEngine(OPTIONS),
        "cluster": ClusterEngine(ConnectionOptions(address, claim=False), replace(OPTIONS)),
    }
    try:
        same = [engine.submit(task(504), "same").result(120).map for engine in engines.values()]
        assert same[0].tobytes() == same[1].tobytes()
        print(json.dumps(compare(engines)))
    finally:
        for engine in engines.values():
            engine.shutdown()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from tests.engine.clusters import nodes

    with nodes("one", cpus=2, client_port=True) as found:
        yield found


def as_part(cluster: Any) -> tuple[str, dict[str, str]]:
    return "ray", {"RAY_ADDRESS": cluster.address}


def as_client(cluster: Any) -> tuple[str, dict[str, str]]:
    return f"ray://127.0.0.1:{cluster.client_port}", {}


@pytest.mark.parametrize("how", [as_part, as_client])
@pytest.mark.timeout(600)
def test_overhead(cluster: Any, how: Callable[[Any], tuple[str, dict[str, str]]]) -> None:
    address, variables = how(cluster)
    done = subprocess.run(
        [sys.executable, "-c", f"from tests.benchmarks.bench_cluster import run; run({address!r})"],
        cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    medians = {name: statistics.median(times) for name, times in found.items()}
    more = medians["cluster"] - medians["local"]
    print(
        f"\nGrad-CAM, warm, {how.__name__}: local {medians['local']:.1f} ms, "
        f"cluster {medians['cluster']:.1f} ms, {more:+.1f} ms (limit {MOST:g})"
    )
    assert more <= MOST
