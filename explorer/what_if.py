"""What a network would cost with another batch, precision or number of classes; without torch.

    changed = what_if(graph, WhatIf(batch=8, dtype="float16", classes=10))

The input size is not here: another size is another trace.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.costs import batch_scaled
from explorer.errors import InputSizeError
from explorer.graph import DTYPE_BYTES, Edge, LayerGraph, ModuleNode, Op, Parameter, Tensor
from explorer.i18n import N_

DTYPES = ("float32", "bfloat16", "float16", "int8")
MOST_CLASSES = 1_000_000
_FLOATING = frozenset({"float64", "float32", "float16", "bfloat16"})
# Between the classifier and the network's output only these may stand.
_PASSED = frozenset({"elementwise", "activation", "layout", "pooling", "normalisation", "other"})

_WIDTHS = frozenset({"out_channels", "out_features"})


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What is changed.

    Attributes:
        batch: Images in one pass.
        dtype: Of parameters and activations.
        classes: Width of the output; None leaves it.
    """

    batch: int = 1
    dtype: str = "float32"
    classes: int | None = None


def what_if(graph: LayerGraph, change: WhatIf) -> LayerGraph:
    """The graph as it would be traced after the change.

    Raises:
        InputSizeError: The batch, or the number of classes, is not possible.
        ValueError: The dtype is not known.
    """
    if change.classes is not None:
        graph = with_classes(graph, change.classes)
    return with_dtype(batch_scaled(graph, change.batch), change.dtype)


def with_dtype(graph: LayerGraph, dtype: str) -> LayerGraph:
    """The graph with every floating-point tensor, parameters included, in ``dtype``.

    Raises:
        ValueError: The dtype is not known.
    """
    if dtype not in DTYPE_BYTES:
        raise ValueError(f"dtype={dtype!r} is none of {', '.join(DTYPE_BYTES)}")

    def cast(tensor: Tensor) -> Tensor:
        return replace(tensor, dtype=dtype) if tensor.dtype in _FLOATING else tensor

    def all_of(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(cast(tensor) for tensor in tensors)

    if dtype == "float32":
        return graph
    return replace(
        graph,
        ops=tuple(
            replace(op, inputs=all_of(op.inputs), outputs=all_of(op.outputs)) for op in graph.ops
        ),
        edges=tuple(replace(edge, tensor=cast(edge.tensor)) for edge in graph.edges),
        parameters=tuple(replace(one, tensor=cast(one.tensor)) for one in graph.parameters),
        modules=tuple(
            replace(node, inputs=all_of(node.inputs), outputs=all_of(node.outputs))
            for node in graph.modules
        ),
    )


def classifiers(graph: LayerGraph) -> tuple[tuple[str, ...], int]:
    """The ops whose width is the number of classes, found from the output backwards.

    Returns:
        (op ids, classes); no ids where the output is not made by a layer with weights.
    """
    incoming: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        incoming.setdefault(edge.target, []).append(edge)
    ends = incoming.get("output", [])
    if not ends or len(ends[0].tensor.shape) < 2:
        return (), 0
    classes = ends[0].tensor.shape[1]
    numel = {p.name: p.tensor for p in graph.parameters}
    found: list[str] = []
    open_ids, seen = [edge.source for edge in ends], set[str]()
    while open_ids:
        op = graph.op_by_id.get(open_ids.pop())
        if op is None or op.id in seen:
            continue
        seen.add(op.id)
        widths = [numel[name].shape[0] for name in op.params if name in numel]
        if op.kind in ("linear", "convolution") and widths:
            if widths[0] == classes:
                found.append(op.id)
            continue
        if op.kind in _PASSED and op.outputs and _has(op.outputs[0], classes):
            open_ids += [edge.source for edge in incoming.get(op.id, ())]
    return tuple(found), classes


def with_classes(graph: LayerGraph, classes: int) -> LayerGraph:
    """The graph with another number of classes: what rebuilding the network would give.

    The classifying layers, whatever follows them, and the auxiliary heads change their width;
    nothing before them does.

    Raises:
        InputSizeError: The number is not possible, or the network has no classifying layer.
    """
    if not 1 <= classes <= MOST_CLASSES:
        raise InputSizeError(
            N_("{model} cannot have {classes} classes; use 1 to {most}."),
            model=graph.model, classes=classes, most=MOST_CLASSES,
        )  # fmt: skip
    heads, before = classifiers(graph)
    if not heads:
        raise InputSizeError(
            N_("{model} ends in no layer of classes, so their number cannot be changed."),
            model=graph.model,
        )
    if classes == before:
        return graph
    wider = _behind(graph, heads)
    renamed = {name for op in graph.ops if op.id in heads for name in op.params}

    def width(tensor: Tensor) -> Tensor:
        """The size that is the number of classes: the first one behind the batch that equals it."""
        shape = list(tensor.shape)
        for place in range(1, len(shape)):
            if shape[place] == before:
                shape[place] = classes
                break
        return replace(tensor, shape=tuple(shape))

    def changed(op: Op) -> Op:
        if op.id not in wider:
            return op
        macs = op.macs // before * classes if op.id in heads else op.macs
        inputs = op.inputs if op.id in heads else tuple(width(one) for one in op.inputs)
        outputs = tuple(width(one) for one in op.outputs)
        attributes = {
            key: classes if key in _WIDTHS and value == before else value
            for key, value in op.attributes.items()
        }
        return replace(op, macs=macs, inputs=inputs, outputs=outputs, attributes=attributes)

    def parameter(one: Parameter) -> Parameter:
        shape = one.tensor.shape
        if shape and shape[0] == before and (one.name in renamed or one.aux):
            return replace(one, tensor=replace(one.tensor, shape=(classes, *shape[1:])))
        return one

    edges = tuple(
        replace(edge, tensor=width(edge.tensor)) if edge.source in wider else edge
        for edge in graph.edges
    )
    ops = tuple(changed(op) for op in graph.ops)
    parameters = tuple(parameter(one) for one in graph.parameters)
    return _with_modules(replace(graph, ops=ops, edges=edges, parameters=parameters), graph)


def _has(tensor: Tensor, classes: int) -> bool:
    return classes in tensor.shape[1:]


def _behind(graph: LayerGraph, heads: tuple[str, ...]) -> frozenset[str]:
    """The classifying ops and all that come after them."""
    found = set(heads)
    incoming: dict[str, list[str]] = {}
    for edge in graph.edges:
        incoming.setdefault(edge.target, []).append(edge.source)
    for op in graph.ops:
        if any(source in found for source in incoming.get(op.id, ())):
            found.add(op.id)
    return frozenset(found)


def _with_modules(graph: LayerGraph, before: LayerGraph) -> LayerGraph:
    """Module sums corrected for the ops and parameters that changed."""
    parents = {node.id: node.parent for node in graph.modules}
    macs = dict.fromkeys(parents, 0)
    for op in graph.ops:
        current: str | None = op.module
        while current is not None:
            macs[current] += op.macs
            current = parents[current]
    more = {
        new.name: new.tensor.numel - old.tensor.numel
        for new, old in zip(graph.parameters, before.parameters, strict=True)
        if new.tensor != old.tensor and new.trainable
    }

    def counted(node: ModuleNode) -> ModuleNode:
        start = f"{node.path}." if node.path else ""
        inside = {name: extra for name, extra in more.items() if name.startswith(start)}
        own = sum(extra for name, extra in inside.items() if "." not in name[len(start) :])
        return replace(
            node,
            macs=macs[node.id],
            own_params=node.own_params + own,
            total_params=node.total_params + sum(inside.values()),
        )

    return replace(graph, modules=tuple(counted(node) for node in graph.modules))
