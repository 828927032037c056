"""What was clicked in the graph → the layer whose tensor a worker can get; no torch."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.errors import LayerError
from explorer.graph import LayerGraph, ModuleNode, Op, Tensor
from explorer.i18n import N_

OP = "op:"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A box of the graph.

    Attributes:
        id: As selected: op id, module id, or "" for the whole network.
        op: The op; None for a module.
        module: The module call: itself, or the one that runs the op.
        ops: What runs inside, in order; the op alone for an op.
        layer: Name for tasks: the module's id, or "op:" and the op's id where no module hands out
            the op's result.
    """

    id: str
    op: Op | None
    module: ModuleNode
    ops: tuple[Op, ...]
    layer: str

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Tensors that leave it."""
        return self.op.outputs if self.op is not None else self.module.outputs

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """Tensors that enter it."""
        return self.op.inputs if self.op is not None else self.module.inputs

    @property
    def only_op(self) -> Op | None:
        """The op itself; of a module, its one op that multiplies, or its one op at all."""
        if self.op is not None:
            return self.op
        working = [op for op in self.ops if op.macs] or [op for op in self.ops if not op.view]
        return working[0] if len(working) == 1 and not self._has_children else None

    @property
    def _has_children(self) -> bool:
        return any(op.module != self.module.id for op in self.ops)


def choose(graph: LayerGraph, selected: str) -> Chosen:
    """The box with this id.

    Args:
        graph: The network.
        selected: Op id, module id, or "" for the whole network.

    Raises:
        LayerError: The network has no such op and no such module.
    """
    module = graph.module_by_id.get(selected)
    if module is not None:
        return Chosen(selected, None, module, tuple(ops_inside(graph, selected)), selected)
    op = graph.op_by_id.get(selected)
    if op is None:
        raise no_such_layer(graph.model, selected)
    owner = graph.module_by_id.get(op.module, graph.modules[0])
    return Chosen(selected, op, owner, (op,), layer_of(graph, op))


def no_such_layer(model: str, layer: str) -> LayerError:
    """The sentence for a name that is no layer."""
    return LayerError(
        N_("{model} has no layer “{layer}”; click a box of the graph, or search for its name."),
        model=model,
        layer=layer.removeprefix(OP),
    )


def ops_inside(graph: LayerGraph, module: str) -> list[Op]:
    """The ops that run inside a module call, its children's included."""
    if module == "":
        return list(graph.ops)
    inside = {module}
    for node in graph.modules:  # parents come first
        if node.parent in inside and node.parent != "":
            inside.add(node.id)
    return [op for op in graph.ops if op.module in inside]


def layer_of(graph: LayerGraph, op: Op) -> str:
    """The module call whose one result is the op's, else "op:" and the op's id."""
    if op.module == "" or len(op.outputs) != 1:
        return OP + op.id
    node = graph.module_by_id[op.module]
    inside = {one.id for one in ops_inside(graph, op.module)}
    leaving = {
        edge.source for edge in graph.edges if edge.source in inside and edge.target not in inside
    }
    if leaving == {op.id} and node.outputs == op.outputs:
        return node.id
    return OP + op.id
