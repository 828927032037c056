"""A layer graph as a file for other programs: JSON with a schema, and DOT for Graphviz."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any

from explorer.graph import LayerGraph, ModuleNode, Op, Parameter, Tensor

FORMAT = "convnet-explorer layer graph"
VERSION = 1
SCHEMA = "graph.schema.json"
"""The JSON Schema of ``to_json``, a file in ``assets/data``."""


def to_json(graph: LayerGraph) -> str:
    """The whole graph as JSON; every field is described in ``assets/data/graph.schema.json``."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "model": graph.model,
        "input_shape": list(graph.input_shape),
        "totals": {
            "macs": graph.total_macs,
            "flops": 2 * graph.total_macs,
            "params": graph.total_params,
            "aux_params": graph.aux_params,
            "buffers": graph.buffers,
            "activation_bytes": graph.activation_bytes,
            "complete": graph.complete,
        },
        "ops": [_op(op) for op in graph.ops],
        "modules": [_module(node) for node in graph.modules],
        "edges": [
            {
                "source": edge.source,
                "target": edge.target,
                "tensor": _tensor(edge.tensor),
                "index": edge.index,
            }
            for edge in graph.edges
        ],
        "parameters": [_parameter(parameter) for parameter in graph.parameters],
        "method": graph.method,
        "missing": list(graph.missing),
        "versions": dict(graph.versions),
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {"shape": list(tensor.shape), "dtype": tensor.dtype}


def _op(op: Op) -> dict[str, Any]:
    return {
        "id": op.id,
        "target": op.target,
        "kind": op.kind,
        "module": op.module,
        "inputs": [_tensor(tensor) for tensor in op.inputs],
        "outputs": [_tensor(tensor) for tensor in op.outputs],
        "attributes": {name: _plain(value) for name, value in op.attributes.items()},
        "params": list(op.params),
        "macs": op.macs,
        "counted": op.counted,
        "view": op.view,
    }


def _module(node: ModuleNode) -> dict[str, Any]:
    return {
        "id": node.id,
        "path": node.path,
        "parent": node.parent,
        "class_name": node.class_name,
        "source": node.source,
        "inputs": [_tensor(tensor) for tensor in node.inputs],
        "outputs": [_tensor(tensor) for tensor in node.outputs],
        "own_params": node.own_params,
        "total_params": node.total_params,
        "buffers": node.buffers,
        "macs": node.macs,
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "tensor": _tensor(parameter.tensor),
        "trainable": parameter.trainable,
        "aux": parameter.aux,
    }


def _plain(value: Any) -> Any:
    """What JSON can hold; it has no infinity and no NaN, so these go as text."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


# Fills that keep black text readable: a contrast of at least 7 : 1 (WCAG 2.2, 1.4.6).
_FILL = {
    "convolution": "#9ecae9",
    "depthwise": "#c6dbef",
    "linear": "#fdd0a2",
    "attention": "#dadaeb",
    "normalisation": "#e5f5e0",
    "activation": "#fff2ae",
    "pooling": "#fccde5",
    "elementwise": "#d9f0d3",
    "layout": "#f0f0f0",
    "other": "#ffffff",
}


def to_dot(graph: LayerGraph) -> str:
    """The graph in the DOT language, module calls as nested clusters, tensor shapes on the edges.

    Ids of ops serve as names of nodes, so that the file can be edited by hand.
    """
    lines = [
        f"digraph {_quoted(graph.model)} {{",
        '  graph [rankdir="TB", fontname="sans-serif", style="rounded"];',
        '  node [shape="box", style="rounded,filled", fontname="sans-serif", fillcolor="#ffffff"];',
        '  edge [fontname="sans-serif", fontsize="9"];',
        *_ends(graph),
        *_cluster(graph, "", "  ", _ops_by_module(graph)),
    ]
    for edge in graph.edges:
        label = _quoted("×".join(map(str, edge.tensor.shape)))
        lines.append(f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [label={label}];")
    return "\n".join([*lines, "}", ""])


def _ends(graph: LayerGraph) -> Iterator[str]:
    known = graph.op_by_id
    ends = {edge.source for edge in graph.edges} | {edge.target for edge in graph.edges}
    for name in sorted(ends - set(known)):
        yield f'  {_quoted(name)} [shape="oval"];'


def _ops_by_module(graph: LayerGraph) -> dict[str, list[Op]]:
    found: dict[str, list[Op]] = {}
    for op in graph.ops:
        found.setdefault(op.module, []).append(op)
    return found


def _cluster(
    graph: LayerGraph, module: str, indent: str, ops: dict[str, list[Op]]
) -> Iterator[str]:
    """Lines of one module call: its ops, and its children as clusters inside."""
    for op in ops.get(module, ()):
        label = _quoted(f"{op.target}\n{'×'.join(map(str, op.outputs[0].shape))}"
                        if op.outputs else op.target)  # fmt: skip
        fill = _FILL.get(op.kind, "#ffffff")
        yield f'{indent}{_quoted(op.id)} [label={label}, fillcolor="{fill}"];'
    for node in graph.children.get(module, ()):
        yield f"{indent}subgraph {_quoted('cluster_' + node.id)} {{"
        yield f"{indent}  label={_quoted(f'{node.id}: {node.class_name}')};"
        yield from _cluster(graph, node.id, indent + "  ", ops)
        yield f"{indent}}}"


def _quoted(text: str) -> str:
    """A quoted id of DOT: the quote is escaped, and a line break becomes its own escape."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
