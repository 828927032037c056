"""The layer graph as data: what ``trace`` finds and everything else reads. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True, slots=True)
class Tensor:
    """Shape and element type of a tensor, without its values.

    Attributes:
        shape: Sizes, batch first.
        dtype: "float32", "int64", …
    """

    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def numel(self) -> int:
        """Number of elements."""
        count = 1
        for size in self.shape:
            count *= size
        return count

    @property
    def nbytes(self) -> int:
        """Bytes of the elements at this dtype."""
        return self.numel * DTYPE_BYTES.get(self.dtype, 4)


DTYPE_BYTES = {
    "float64": 8, "int64": 8, "complex64": 8, "float32": 4, "int32": 4,
    "float16": 2, "bfloat16": 2, "int16": 2, "int8": 1, "uint8": 1, "bool": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Op:
    """One operation of the forward pass, at the level of ATen.

    Attributes:
        id: Unique in the graph, stable between traces ("conv2d_3").
        target: ATen name without overload ("conv2d", "linear", "scaled_dot_product_attention").
        kind: One of ``KINDS``.
        module: Id of the module call that runs it (``ModuleNode.id``); "" at top level.
        inputs: Tensors read, in order, activations only (parameters are in ``params``).
        outputs: Tensors written; empty shapes for scalars.
        attributes: kernel, stride, padding, dilation, groups, … as the op was called.
        params: Fully qualified names of the parameters and buffers read.
        macs: Multiply–accumulates, batch as traced. 0 for ops that have none by convention.
        counted: False where the op may multiply but no formula is known: totals are "at least".
        view: True when the output shares the input's memory (reshape, transpose, …).
    """

    id: str
    target: str
    kind: str
    module: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    attributes: dict[str, Any]
    params: tuple[str, ...]
    macs: int
    counted: bool = True
    view: bool = False

    @property
    def output_bytes(self) -> int:
        """Bytes written; 0 for a view."""
        return 0 if self.view else sum(tensor.nbytes for tensor in self.outputs)


KINDS = (
    "convolution", "depthwise", "linear", "attention", "normalisation", "activation", "pooling",
    "elementwise", "layout", "other",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter or buffer of the network.

    Attributes:
        name: Fully qualified, as in the state dict; the first name where it is shared.
        tensor: Shape and dtype.
        trainable: False for buffers.
        aux: True when it belongs to an auxiliary head that inference does not run.
    """

    name: str
    tensor: Tensor
    trainable: bool
    aux: bool = False


@dataclass(frozen=True, slots=True)
class ModuleNode:
    """One call of a module; a module called twice is two nodes.

    Attributes:
        id: The path, with "@2", "@3" for later calls ("layer1.0.conv1", "relu@2").
        path: Fully qualified name in the network; "" for the root.
        parent: Id of the node that calls it; "" for children of the root, None for the root.
        class_name: "Bottleneck", "Conv2d", …
        source: "module.QualName" of the class, for showing its code.
        inputs: Tensors that enter from outside.
        outputs: Tensors that leave it.
        own_params: Trainable parameters directly on this module (not on children).
        total_params: Trainable parameters of it and its descendants, each once.
        buffers: Elements of buffers of it and its descendants.
        macs: Sum over the ops inside.
    """

    id: str
    path: str
    parent: str | None
    class_name: str
    source: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    own_params: int
    total_params: int
    buffers: int
    macs: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A tensor that goes from one op to another; ``source`` "input" and ``target`` "output" exist.

    Attributes:
        source: Op id, or "input" / "input_1" ….
        target: Op id, or "output".
        tensor: What is carried.
        index: Which output of the source it is.
    """

    source: str
    target: str
    tensor: Tensor
    index: int = 0


@dataclass(frozen=True)
class LayerGraph:
    """A network as it runs once: the only source of shapes, MACs, parameters and edges.

    Attributes:
        model: Catalog id, or the class name for a module that is not in the catalog.
        input_shape: Batch first.
        ops: In order of execution.
        modules: Root first, then in order of first call.
        edges: In order of their targets.
        parameters: Each once, auxiliary heads included and marked.
        method: How it was traced: "export", "draft_export", "hooks", or "pre_dispatch", which gives
            what "export" gives.
        missing: What the method could not see, one sentence each (English, msgids).
        versions: Library versions that made it ("torch": "2.14.1").
    """

    model: str
    input_shape: tuple[int, ...]
    ops: tuple[Op, ...]
    modules: tuple[ModuleNode, ...]
    edges: tuple[Edge, ...]
    parameters: tuple[Parameter, ...]
    method: str
    missing: tuple[str, ...]
    versions: dict[str, str]

    @cached_property
    def total_macs(self) -> int:
        """Multiply–accumulates of the pass, batch as traced."""
        return sum(op.macs for op in self.ops)

    @cached_property
    def total_params(self) -> int:
        """Trainable parameters, each once, without auxiliary heads."""
        return sum(p.tensor.numel for p in self.parameters if p.trainable and not p.aux)

    @cached_property
    def aux_params(self) -> int:
        """Trainable parameters of auxiliary heads."""
        return sum(p.tensor.numel for p in self.parameters if p.trainable and p.aux)

    @cached_property
    def buffers(self) -> int:
        """Elements in buffers (running statistics and the like), without auxiliary heads."""
        return sum(p.tensor.numel for p in self.parameters if not p.trainable and not p.aux)

    @cached_property
    def activation_bytes(self) -> int:
        """Bytes of the tensors that all ops write, at the traced dtype."""
        return sum(op.output_bytes for op in self.ops)

    @cached_property
    def op_by_id(self) -> dict[str, Op]:
        """Ops by their id."""
        return {op.id: op for op in self.ops}

    @cached_property
    def module_by_id(self) -> dict[str, ModuleNode]:
        """Module calls by their id."""
        return {node.id: node for node in self.modules}

    @cached_property
    def children(self) -> dict[str, tuple[ModuleNode, ...]]:
        """Module calls by their parent's id; the root's children under ""."""
        found: dict[str, list[ModuleNode]] = {}
        for node in self.modules:
            if node.parent is not None:
                found.setdefault(node.parent, []).append(node)
        return {parent: tuple(nodes) for parent, nodes in found.items()}

    @cached_property
    def complete(self) -> bool:
        """Whether every op that may multiply was counted; otherwise totals are lower bounds."""
        return all(op.counted for op in self.ops)
