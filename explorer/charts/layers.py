"""The rows that cost charts draw: what a module call does itself, and how to read a quantity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Literal, Protocol

from explorer.charts.axes import AXES, Axis
from explorer.i18n import _

if TYPE_CHECKING:
    from explorer.graph import LayerGraph, Op

Quantity = Literal["macs", "flops", "canziani_ops", "params", "activation_bytes", "latency"]


class CostRow(Protocol):
    """A layer with what it costs; ``explorer.costs`` has such rows, ``layer_costs`` makes them."""

    @property
    def name(self) -> str:
        """Module path ("layer1.0.conv1")."""

    @property
    def kind(self) -> str:
        """One of ``explorer.graph.KINDS``."""

    @property
    def params(self) -> int:
        """Trainable parameters of its own."""

    @property
    def macs(self) -> int:
        """Multiply–accumulates."""

    @property
    def activation_bytes(self) -> int:
        """Bytes that it writes."""


@dataclass(frozen=True, slots=True)
class LayerCost:
    """A ``CostRow`` as data.

    Attributes:
        name: Id of the module call ("layer1.0.conv1", "relu@2"); "" for the network itself.
        kind: Of the op that weighs most.
        params: Trainable parameters that it is the first to read.
        macs: Multiply–accumulates of the ops that it runs itself.
        activation_bytes: Bytes that these ops write.
        canziani_ops: Operations of these ops as the 2016 chart counts them.
        class_name: Of the module.
        stage: See ``explorer.costs.stages``.
        shape: Of the last tensor that it writes, batch first.
        receptive_field: Side in pixels of the input, the larger one; None off convolutional paths.
        live_bytes: Bytes of live activations while it runs, the most.
        seconds: Measured time of one pass; None where it was not measured.
        counted: False where an op inside has no formula.
    """

    name: str
    kind: str
    params: int
    macs: int
    activation_bytes: int
    canziani_ops: int = 0
    class_name: str = ""
    stage: str = ""
    shape: tuple[int, ...] = ()
    receptive_field: int | None = None
    live_bytes: int = 0
    seconds: float | None = None
    counted: bool = True

    @property
    def channels(self) -> int:
        """Of what it writes: the second size of a map, the last one of tokens and vectors."""
        if len(self.shape) < 2:
            return 0
        return self.shape[1] if len(self.shape) == 4 else self.shape[-1]

    @property
    def positions(self) -> int:
        """Places at which it writes them: height × width, or tokens."""
        if len(self.shape) == 4:
            return prod(self.shape[2:])
        return prod(self.shape[1:-1])


def layer_costs(graph: LayerGraph, seconds: Mapping[str, float] | None = None) -> list[LayerCost]:
    """One row for each module call that runs operations itself, in order of execution.

    The sums over all rows are the graph's totals: parameters read in several places count once, at
    the first.

    Args:
        graph: From ``explorer.trace``.
        seconds: Measured times by module call.
    """
    from explorer.costs import memory_profile, receptive_fields, stages
    from explorer.costs.conventions import canziani_ops

    numel = {p.name: p.tensor.numel for p in graph.parameters if p.trainable and not p.aux}
    stage, fields = stages(graph), receptive_fields(graph)
    live = dict(memory_profile(graph).live)
    nodes = graph.module_by_id
    by_module: dict[str, list[Op]] = {}
    for op in graph.ops:
        by_module.setdefault(op.module, []).append(op)
    rows = []
    for module, ops in by_module.items():
        names = dict.fromkeys(name for op in ops for name in op.params)
        weight = max(ops, key=lambda op: (op.macs, op.output_bytes))
        seen = [max(fields[op.id].size) for op in ops if op.id in fields]
        rows.append(
            LayerCost(
                name=module,
                kind=weight.kind,
                params=sum(numel.pop(name, 0) for name in names),
                macs=sum(op.macs for op in ops),
                activation_bytes=sum(op.output_bytes for op in ops),
                canziani_ops=sum(canziani_ops(op) for op in ops),
                class_name=nodes[module].class_name if module in nodes else "",
                stage=stage[weight.id],
                shape=ops[-1].outputs[0].shape if ops[-1].outputs else (),
                receptive_field=max(seen) if seen else None,
                live_bytes=max(live[op.id] for op in ops),
                seconds=None if seconds is None else seconds.get(module),
                counted=all(op.counted for op in ops),
            )
        )
    return rows


def reader(quantity: Quantity, setting: str = "") -> tuple[Axis, Callable[[CostRow], float]]:
    """The axis of a quantity, and how to read it from a row.

    Args:
        quantity: What to show.
        setting: What it was counted for, where that is not one image at the network's own size.
    """
    readers: dict[str, Callable[[CostRow], float]] = {
        "macs": lambda row: row.macs,
        "flops": lambda row: 2 * row.macs,
        "canziani_ops": lambda row: int(getattr(row, "canziani_ops", 0)),
        "params": lambda row: row.params,
        "activation_bytes": lambda row: row.activation_bytes,
        "latency": lambda row: float(getattr(row, "seconds", None) or 0.0),
    }
    axis = AXES[quantity]
    if setting and quantity != "params":
        rule = {"flops": _("2 × multiply–accumulates"), "canziani_ops": _("as in 2016")}
        parts = [rule[quantity]] if quantity in rule else []
        axis = replace(axis, convention=", ".join([*parts, setting]))
    return axis, readers[quantity]
