"""What checks are made of: counts on a layer graph, numbers as text, correlations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from explorer.catalog import find
from explorer.catalog.paper2016 import PaperPoint, load_points
from explorer.graph import LayerGraph, Op


def convolutions(graph: LayerGraph) -> list[Op]:
    """All convolutions in order of execution, depthwise ones included."""
    return [op for op in graph.ops if op.target.startswith("conv")]


def linears(graph: LayerGraph) -> list[Op]:
    """All fully connected layers."""
    return [op for op in graph.ops if op.kind == "linear"]


def side(op: Op) -> str:
    """The kernel of a convolution or a pooling: "3×3"."""
    return "×".join(str(length) for length in op.attributes["kernel"])


def kernels(graph: LayerGraph) -> Counter[str]:
    """Kernel → number of convolutions."""
    return Counter(side(op) for op in convolutions(graph))


def listed(counter: Counter[str]) -> str:
    """In a form that needs no language: "3×3: 3, 1×1: 2"."""
    return ", ".join(f"{name}: {count}" for name, count in counter.most_common())


def inside(graph: LayerGraph, module: str) -> list[Op]:
    """Ops of a module call and of what it calls."""
    return [op for op in graph.ops if op.module == module or op.module.startswith(module + ".")]


def params_of(graph: LayerGraph, ops: Iterable[Op]) -> int:
    """Trainable parameters that some ops read, each once."""
    names = {name for op in ops for name in op.params}
    return sum(p.tensor.numel for p in graph.parameters if p.trainable and p.name in names)


def millions(count: float) -> str:
    """As "61.10 M"."""
    return f"{count / 1e6:.2f} M"


def giga_macs(count: float) -> str:
    """As "0.714 GMACs", with two decimals from 1 GMAC on."""
    return f"{count / 1e9:.{2 if count >= 1e9 else 3}f} GMACs"


def macs(model: str) -> int:
    """The catalog's multiply–accumulates of a network that is known to have them.

    Raises:
        ValueError: It has none.
    """
    value = find(model).macs
    if value is None:
        raise ValueError(model)
    return value


def points() -> dict[str, PaperPoint]:
    """The networks of the 2016 chart by name."""
    return {point.network: point for point in load_points()[0]}


def pearson(x: Sequence[float], y: Sequence[float]) -> float:
    """Correlation of two samples."""
    return float(np.corrcoef(x, y)[0, 1])


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """Correlation of the ranks of two samples; ties share their mean rank."""
    return pearson(ranks(x), ranks(y))


def ranks(values: Sequence[float]) -> list[float]:
    """Rank of each value from 1; equal values get the mean of their ranks."""
    array = np.asarray(values, dtype=float)
    _sorted, places, tied = np.unique(array, return_inverse=True, return_counts=True)
    last = np.cumsum(tied)
    mean = last - (tied - 1) / 2
    return [float(rank) for rank in mean[places]]
