"""Breakdowns: rows of costs by op, module, stage or kind that sum to the totals exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from explorer.costs.conventions import Convention, op_count
from explorer.costs.stages import stages
from explorer.graph import LayerGraph, Op

GROUPINGS = ("op", "module", "block", "stage", "kind")


@dataclass(frozen=True, slots=True)
class CostRow:
    """Costs of one op or of a group of ops.

    Attributes:
        id: Op id, module call id, stage or kind.
        name: For display: the same, or the module's path.
        kind: Op: kind of work; module: class name; stage: ""; kind: the kind.
        target: ATen name for ops; "" for groups.
        ops: How many ops.
        params: Trainable parameters that it reads first (each counted once in a table).
        buffers: Elements of buffers, likewise.
        amount: MACs, FLOPs or 2016 operations, as the table's convention says.
        activation_bytes: Bytes written; views write none.
        share: ``amount`` over the table's total, 0…1; 0 when the total is 0.
        counted: False where an op inside may multiply and has no formula: "at least".
    """

    id: str
    name: str
    kind: str
    target: str
    ops: int
    params: int
    buffers: int
    amount: int
    activation_bytes: int
    share: float
    counted: bool


@dataclass(frozen=True, slots=True)
class CostTable:
    """Rows and what they sum to.

    Attributes:
        model: Of the graph.
        by: One of ``GROUPINGS``.
        convention: What ``amount`` counts.
        rows: In order of execution (kinds: largest amount first).
        total: The sums over the rows; ``params`` are without auxiliary heads.
        aux_params: Trainable parameters that inference never reads; in no row.
        unread_buffers: Elements of buffers that inference never reads (batch counters); in no row.
    """

    model: str
    by: str
    convention: Convention
    rows: tuple[CostRow, ...]
    total: CostRow
    aux_params: int
    unread_buffers: int


@dataclass(slots=True)
class _Sum:
    name: str
    kind: str
    target: str = ""
    ops: int = 0
    params: int = 0
    buffers: int = 0
    amount: int = 0
    activation_bytes: int = 0
    counted: bool = True


def breakdown(
    graph: LayerGraph, by: str = "op", convention: Convention = Convention.MACS
) -> CostTable:
    """Costs by op, module, block, stage or kind.

    Args:
        graph: What was traced.
        by: "op"; "module": each module call with the ops that it runs itself, not those of its
            children; "block": children of the root, one more level down where the whole network is
            one child; "stage": see ``stages``; "kind": see ``explorer.graph.KINDS``.
        convention: What ``amount`` counts.

    Raises:
        ValueError: ``by`` is none of ``GROUPINGS``.
    """
    key = _grouping(graph, by)
    sums: dict[str, _Sum] = {}
    for op, params, buffers in _owned(graph):
        group, name, kind = key(op)
        target = op.target if by == "op" else ""
        _add(sums.setdefault(group, _Sum(name, kind, target)), op, (params, buffers), convention)
    total = sum(entry.amount for entry in sums.values())
    rows = [_row(group, entry, total) for group, entry in sums.items()]
    if by == "kind":
        rows.sort(key=lambda row: (-row.amount, -row.activation_bytes, row.id))
    return CostTable(
        model=graph.model,
        by=by,
        convention=convention,
        rows=tuple(rows),
        total=_total(graph, rows, total),
        aux_params=graph.aux_params,
        unread_buffers=graph.buffers - sum(row.buffers for row in rows),
    )


def module_totals(
    graph: LayerGraph, convention: Convention = Convention.MACS
) -> dict[str, CostRow]:
    """Inclusive costs of every module call: its own ops and those of all calls inside.

    Returns:
        Module id → row; the root under "". ``share`` is of the whole network. A parameter that two
        calls read counts in the first, so that siblings sum to their parent.
    """
    sums = {node.id: _Sum(node.path, node.class_name) for node in graph.modules}
    parents = {node.id: node.parent for node in graph.modules}
    for op, params, buffers in _owned(graph):
        current: str | None = op.module
        while current is not None:
            _add(sums[current], op, (params, buffers), convention)
            current = parents[current]
    total = sums[""].amount
    return {name: _row(name, entry, total) for name, entry in sums.items()}


def _owned(graph: LayerGraph) -> Iterable[tuple[Op, int, int]]:
    """Each op with the trainable parameters and buffers that it is the first to read."""
    known = {p.name: p for p in graph.parameters}
    seen: set[str] = set()
    for op in graph.ops:
        params = buffers = 0
        for name in op.params:
            if name in seen or name not in known:
                continue
            seen.add(name)
            if known[name].trainable:
                params += known[name].tensor.numel
            else:
                buffers += known[name].tensor.numel
        yield op, params, buffers


def _add(entry: _Sum, op: Op, owned: tuple[int, int], convention: Convention) -> None:
    entry.ops += 1
    entry.params += owned[0]
    entry.buffers += owned[1]
    entry.amount += op_count(op, convention)
    entry.activation_bytes += op.output_bytes
    entry.counted = entry.counted and op.counted


def _row(group: str, entry: _Sum, total: int) -> CostRow:
    return CostRow(
        group, entry.name, entry.kind, entry.target, entry.ops, entry.params, entry.buffers,
        entry.amount, entry.activation_bytes, entry.amount / total if total else 0.0,
        entry.counted,
    )  # fmt: skip


def _total(graph: LayerGraph, rows: list[CostRow], amount: int) -> CostRow:
    return CostRow(
        id="", name=graph.model, kind="", target="",
        ops=sum(row.ops for row in rows),
        params=sum(row.params for row in rows),
        buffers=sum(row.buffers for row in rows),
        amount=amount,
        activation_bytes=sum(row.activation_bytes for row in rows),
        share=1.0 if amount else 0.0,
        counted=all(row.counted for row in rows),
    )  # fmt: skip


_Key = Callable[[Op], tuple[str, str, str]]


def _grouping(graph: LayerGraph, by: str) -> _Key:
    """Op → (id, name, kind) of the row that it belongs to."""
    if by == "op":
        return lambda op: (op.id, op.module or op.id, op.kind)
    if by == "kind":
        return lambda op: (op.kind, op.kind, op.kind)
    if by == "stage":
        stage = stages(graph)
        return lambda op: (stage[op.id], stage[op.id], "")
    nodes = graph.module_by_id
    if by == "module":
        return lambda op: (op.module, nodes[op.module].path, nodes[op.module].class_name)
    if by == "block":
        blocks = _blocks(graph)
        return lambda op: (
            blocks[op.module], nodes[blocks[op.module]].path, nodes[blocks[op.module]].class_name
        )  # fmt: skip
    raise ValueError(f"by={by!r} is none of {', '.join(GROUPINGS)}")


def _blocks(graph: LayerGraph) -> dict[str, str]:
    """Module call → the top-level block around it; the root for ops outside all of them.

    A child that is a plain container holding over half of the MACs is opened by one level, so that
    "features" of a VGG or "blocks" of an EfficientNet does not swallow the network.
    """
    half = graph.total_macs / 2
    opened = {""} | {
        node.id
        for node in graph.children.get("", ())
        if node.class_name in ("Sequential", "ModuleList") and node.macs > half
    }
    found: dict[str, str] = {}
    for node in graph.modules:  # Parents come before their children.
        if node.parent is None or node.parent in opened:
            found[node.id] = node.id
        else:
            found[node.id] = found[node.parent]
    return found
