"""``LayerGraph`` ↔ plain JSON data, written for quick reading: tensors once, rows as lists.

The same data is the public JSON form of a graph; ``docs/graphs.md`` describes it.
"""

from __future__ import annotations

from typing import Any

from explorer.graph import Edge, LayerGraph, ModuleNode, Op, Parameter, Tensor

FORMAT = 1


class _Table:
    """Equal tensors under one number."""

    def __init__(self) -> None:
        self.numbers: dict[Tensor, int] = {}

    def number(self, tensor: Tensor) -> int:
        return self.numbers.setdefault(tensor, len(self.numbers))

    def all(self, tensors: tuple[Tensor, ...]) -> list[int]:
        return [self.number(tensor) for tensor in tensors]


def encode(graph: LayerGraph) -> dict[str, Any]:
    """The graph as data that ``json.dumps`` takes."""
    table = _Table()
    data: dict[str, Any] = {
        "format": FORMAT,
        "model": graph.model,
        "input_shape": list(graph.input_shape),
        "method": graph.method,
        "missing": list(graph.missing),
        "versions": graph.versions,
        "ops": [
            [
                op.id, op.target, op.kind, op.module, table.all(op.inputs), table.all(op.outputs),
                op.attributes, list(op.params), op.macs, int(op.counted), int(op.view),
            ]
            for op in graph.ops
        ],
        "modules": [
            [
                node.id, node.path, node.parent, node.class_name, node.source,
                table.all(node.inputs), table.all(node.outputs),
                node.own_params, node.total_params, node.buffers, node.macs,
            ]
            for node in graph.modules
        ],
        "edges": [[e.source, e.target, table.number(e.tensor), e.index] for e in graph.edges],
        "parameters": [
            [p.name, table.number(p.tensor), int(p.trainable), int(p.aux)] for p in graph.parameters
        ],
    }  # fmt: skip
    data["tensors"] = [[list(tensor.shape), tensor.dtype] for tensor in table.numbers]
    return data


def decode(data: dict[str, Any]) -> LayerGraph:
    """The graph from its data.

    Raises:
        ValueError: Another format.
        KeyError, TypeError, IndexError: Not such data.
    """
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']!r}, not {FORMAT}")
    tensors = [Tensor(tuple(shape), dtype) for shape, dtype in data["tensors"]]

    def all_of(numbers: list[int]) -> tuple[Tensor, ...]:
        return tuple([tensors[number] for number in numbers])

    return LayerGraph(
        model=data["model"],
        input_shape=tuple(data["input_shape"]),
        ops=tuple(
            [
                Op(
                    op_id, target, kind, module, all_of(inputs), all_of(outputs),
                    {name: _tuples(value) for name, value in attributes.items()},
                    tuple(params), macs, bool(counted), bool(view),
                )
                for op_id, target, kind, module, inputs, outputs, attributes, params, macs,
                counted, view in data["ops"]
            ]
        ),
        modules=tuple(
            [
                ModuleNode(
                    node_id, path, parent, class_name, source, all_of(inputs), all_of(outputs),
                    own_params, total_params, buffers, macs,
                )
                for node_id, path, parent, class_name, source, inputs, outputs, own_params,
                total_params, buffers, macs in data["modules"]
            ]
        ),
        edges=tuple(
            [
                Edge(source, target, tensors[number], index)
                for source, target, number, index in data["edges"]
            ]
        ),
        parameters=tuple(
            [
                Parameter(name, tensors[number], bool(trainable), bool(aux))
                for name, number, trainable, aux in data["parameters"]
            ]
        ),
        method=data["method"],
        missing=tuple(data["missing"]),
        versions=dict(data["versions"]),
    )  # fmt: skip


def _tuples(value: Any) -> Any:
    """JSON knows only lists; attributes hold tuples."""
    return tuple([_tuples(item) for item in value]) if isinstance(value, list) else value
