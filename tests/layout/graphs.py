"""Small made-up networks as ``LayerGraph``s: chain, residual, inception, dense, flat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from explorer.graph import Edge, LayerGraph, ModuleNode, Op, Parameter, Tensor

KIND = {
    "conv2d": "convolution", "relu": "activation", "add": "elementwise", "cat": "layout",
    "batch_norm": "normalisation", "linear": "linear", "max_pool2d": "pooling",
}  # fmt: skip


@dataclass
class Builder:
    """Writes a graph op by op; a module is made by the first op that names it."""

    name: str
    ops: list[Op] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    classes: dict[str, str] = field(default_factory=dict)
    parameters: list[Parameter] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=lambda: {"input": Tensor((1, 3, 32, 32))})

    def op(self, target: str, module: str, sources: list[str], shape: tuple[int, ...]) -> str:
        """Adds an op of a module; returns its id."""
        name = f"{target}_{len(self.ops)}"
        inputs = tuple(self.tensors[source] for source in sources)
        params: tuple[str, ...] = ()
        attributes: dict[str, object] = {}
        macs = 0
        if target == "conv2d":
            weight = Tensor((shape[1], inputs[0].shape[1], 3, 3))
            self.parameters.append(Parameter(f"{module}.weight", weight, True))
            params = (f"{module}.weight",)
            attributes = {"kernel_size": (3, 3), "stride": (1, 1), "groups": 1}
            macs = weight.numel * shape[2] * shape[3]
        self.tensors[name] = Tensor(shape)
        self.ops.append(
            Op(
                name,
                target,
                KIND[target],
                module,
                inputs,
                (Tensor(shape),),
                attributes,
                params,
                macs,
            )
        )
        self.edges += [Edge(source, name, self.tensors[source]) for source in sources]
        return name

    def leaf(self, target: str, path: str, source: str, shape: tuple[int, ...]) -> str:
        """An op that is all its module does."""
        classes = {"conv2d": "Conv2d", "relu": "ReLU", "batch_norm": "BatchNorm2d"}
        self.classes[path] = classes.get(target, target.title())
        return self.op(target, path, [source], shape)

    def graph(self, last: str) -> LayerGraph:
        """The finished graph; ``last`` is what it puts out."""
        self.edges.append(Edge(last, "output", self.tensors[last]))
        paths: dict[str, None] = {"": None}
        for op in self.ops:
            parts = op.module.split(".") if op.module else []
            for end in range(1, len(parts) + 1):
                paths.setdefault(".".join(parts[:end]))
        modules = tuple(self._module(path) for path in paths)
        return LayerGraph(
            self.name, (1, 3, 32, 32), tuple(self.ops), modules, tuple(self.edges),
            tuple(self.parameters), "export", (), {},
        )  # fmt: skip

    def _module(self, path: str) -> ModuleNode:
        parent = None if path == "" else path.rpartition(".")[0]
        inside = [op for op in self.ops if path == "" or f"{op.module}.".startswith(f"{path}.")]
        total = sum(p.tensor.numel for p in self.parameters if p.name.startswith(path))
        macs = sum(op.macs for op in inside)
        name = self.classes.get(path, "Sequential")
        return ModuleNode(
            path, path, parent, name, f"made.{name}", inside[0].inputs, inside[-1].outputs, 0,
            total, 0, macs,
        )  # fmt: skip


def chain(length: int = 5) -> LayerGraph:
    """Convolution and ReLU in turn, each a module of its own, no nesting."""
    made, at = Builder("chain"), "input"
    for place in range(length):
        at = made.leaf("conv2d", f"conv{place}", at, (1, 8, 32, 32))
        at = made.leaf("relu", f"relu{place}", at, (1, 8, 32, 32))
    return made.graph(at)


def residual(blocks: int = 6) -> LayerGraph:
    """One projected block, then equal ones that fold; each adds its input to its output."""
    made = Builder("residual")
    at = made.leaf("conv2d", "stem", "input", (1, 16, 32, 32))
    for place in range(blocks):
        path, shape = f"layer.{place}", (1, 16, 32, 32)
        made.classes[path] = "BasicBlock"
        inner = made.leaf("conv2d", f"{path}.conv1", at, shape)
        inner = made.leaf("relu", f"{path}.relu", inner, shape)
        inner = made.leaf("conv2d", f"{path}.conv2", inner, shape)
        side = at
        if place == 0:
            side = made.leaf("conv2d", f"{path}.downsample.0", at, shape)
            side = made.leaf("batch_norm", f"{path}.downsample.1", side, shape)
        at = made.op("add", path, [inner, side], shape)
    return made.graph(made.leaf("linear", "fc", at, (1, 10)))


def inception(blocks: int = 2) -> LayerGraph:
    """Four branches of different lengths, joined by a concatenation."""
    made = Builder("inception")
    at = made.leaf("conv2d", "stem", "input", (1, 16, 32, 32))
    for place in range(blocks):
        path = f"mixed{place}"
        made.classes[path] = "Inception"
        ends = []
        for branch in range(4):
            end = at
            for depth in range(branch + 1):
                end = made.leaf("conv2d", f"{path}.branch{branch}.{depth}", end, (1, 8, 32, 32))
            ends.append(end)
        at = made.op("cat", path, ends, (1, 32, 32, 32))
    return made.graph(made.leaf("linear", "fc", at, (1, 10)))


def dense(layers: int = 8) -> LayerGraph:
    """Every layer reads all that came before it in its block."""
    made = Builder("dense")
    features = [made.leaf("conv2d", "stem", "input", (1, 16, 32, 32))]
    for place in range(layers):
        path, width = f"block.layer{place}", 16 + 8 * place
        made.classes[path] = "DenseLayer"
        joined = made.op("cat", path, features, (1, width, 32, 32))
        inner = made.leaf("batch_norm", f"{path}.norm", joined, (1, width, 32, 32))
        features.append(made.leaf("conv2d", f"{path}.conv", inner, (1, 8, 32, 32)))
    end = made.op("cat", "block", features, (1, 16 + 8 * layers, 32, 32))
    return made.graph(made.leaf("linear", "fc", end, (1, 10)))


def flat(length: int = 40) -> LayerGraph:
    """No modules at all, with a skip edge over every third op: what a fallback trace gives."""
    made = Builder("flat")
    at = made.op("conv2d", "", ["input"], (1, 8, 32, 32))
    for place in range(length):
        before = at
        at = made.op("relu", "", [at], (1, 8, 32, 32))
        if place % 3 == 0:
            at = made.op(
                "add", "", [made.op("relu", "", [at], (1, 8, 32, 32)), before], (1, 8, 32, 32)
            )
    return made.graph(at)


SYNTHETIC: dict[str, Callable[[], LayerGraph]] = {
    "chain": chain, "residual": residual, "inception": inception, "dense": dense, "flat": flat,
}  # fmt: skip
