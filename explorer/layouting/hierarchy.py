"""A layer graph as a tree of what can be shown: wrappers merged, runs of equal siblings folded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from explorer.graph import LayerGraph, ModuleNode, Op, Tensor

MIN_RUN = 3  # shorter runs are as quick to read one by one


@dataclass(eq=False)
class Node:
    """An op, a module call, a fold of equal module calls, or a boundary tensor.

    Attributes:
        id: Module id for modules and for ops that are all a module does; op id; fold id "a..b";
            "input"/"output".
        role: "op", "module", "fold", "boundary" or "root".
        op: The op of a box that is one op.
        module: The innermost module merged into this node.
        tensor: What a boundary carries.
        aliases: Other ids merged into this node.
        header: Px that the title of the open box needs.
    """

    id: str
    role: str
    parent: Node | None = None
    op: Op | None = None
    module: ModuleNode | None = None
    tensor: Tensor | None = None
    aliases: list[str] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    depth: int = 0
    open: bool = False
    signature: int = 0
    header: float = 0.0

    @property
    def openable(self) -> bool:
        """Whether there is anything inside to show."""
        return bool(self.children)

    def walk(self) -> Iterator[Node]:
        """This node and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


def build(graph: LayerGraph) -> Node:
    """The tree of a graph: its root, with the boundary tensors as its first and last children."""
    root = Node("", "root", module=graph.module_by_id.get(""))
    nodes = {"": root}

    def module_node(identifier: str) -> Node:
        known = nodes.get(identifier)
        if known is not None:
            return known
        module = graph.module_by_id.get(identifier)
        above = module_node((module.parent or "") if module is not None else "")
        made = nodes[identifier] = Node(identifier, "module", parent=above, module=module)
        above.children.append(made)
        return made

    for op in graph.ops:
        above = module_node(op.module)
        above.children.append(Node(op.id, "op", parent=above, op=op, ops=[op]))
    root.children = [_merge(child) for child in root.children]
    linked = _neighbours(graph)
    signatures: dict[object, int] = {}
    for child in root.children:
        _sign(child, signatures)
    _fold(root, linked)
    _boundaries(root, graph)
    _finish(root, None, 0)
    return root


def _merge(node: Node) -> Node:
    """Replaces a module around a single child by that child, under the module's own id."""
    node.children = [_merge(child) for child in node.children]
    if node.role != "module" or len(node.children) != 1:
        return node
    inner = node.children[0]
    inner.aliases = [inner.id, *inner.aliases]
    inner.id, inner.parent = node.id, node.parent
    # The innermost module is the one with a telling class; an op alone takes its module's name.
    if inner.module is None:
        inner.module = node.module
    return inner


def _neighbours(graph: LayerGraph) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in graph.edges}


def _sign(node: Node, known: dict[object, int]) -> int:
    """Numbers a node so that equal structure, shapes and attributes get equal numbers."""
    if node.op is not None:
        op = node.op
        shapes = tuple(tensor.shape for tensor in op.outputs)
        key: object = (op.target, shapes, repr(op.attributes), op.macs, len(op.params))
    else:
        name = node.module.class_name if node.module is not None else ""
        key = (name, tuple(_sign(child, known) for child in node.children))
    node.signature = known.setdefault(key, len(known))
    if node.op is None:
        node.ops = [op for child in node.children for op in child.ops]
    return node.signature


def _fold(node: Node, linked: set[tuple[str, str]]) -> None:
    """Gathers runs of equal, consecutive, connected composite children into fold nodes."""
    kept: list[Node] = []
    run: list[Node] = []

    def flush() -> None:
        if len(run) >= MIN_RUN:
            fold = Node(f"{run[0].id}..{run[-1].id}", "fold", module=run[0].module)
            fold.children = list(run)
            fold.ops = [op for member in run for op in member.ops]
            kept.append(fold)
        else:
            kept.extend(run)
        run.clear()

    for child in node.children:
        _fold(child, linked)
        equal = bool(run) and child.signature == run[-1].signature
        if run and not (equal and _connected(run[-1], child, linked)):
            flush()
        if child.role == "module" and child.openable:
            run.append(child)
        else:
            kept.append(child)
    flush()
    node.children = kept


def _connected(first: Node, second: Node, linked: set[tuple[str, str]]) -> bool:
    # Ends of the modules only: a run is a chain, so its link is near the border of both.
    return any(
        (before.id, after.id) in linked for before in reversed(first.ops) for after in second.ops
    )


def _boundaries(root: Node, graph: LayerGraph) -> None:
    """Adds the tensors that enter and leave the network."""
    ops = graph.op_by_id
    found: dict[str, Node] = {}
    for edge in graph.edges:
        for end in (edge.source, edge.target):
            if end not in ops and end not in found:
                found[end] = Node(end, "boundary", tensor=edge.tensor)
    entering = {edge.source for edge in graph.edges}
    root.children = [
        *(node for end, node in found.items() if end in entering),
        *root.children,
        *(node for end, node in found.items() if end not in entering),
    ]


def _finish(node: Node, parent: Node | None, depth: int) -> None:
    node.parent, node.depth = parent, depth
    for child in node.children:
        _finish(child, node, depth + 1)


def open_nodes(root: Node, expanded: str | frozenset[str]) -> None:
    """Opens the root and every node that ``expanded`` names by its id or by an alias."""
    root.open = True
    for node in root.walk():
        if node is root or not node.openable:
            continue
        node.open = (
            expanded == "all"
            or node.id in expanded
            or any(alias in expanded for alias in node.aliases)
        )


def visible(root: Node) -> Iterator[Node]:
    """What is drawn, parents first: the children of open nodes, all the way down."""
    for child in root.children:
        yield child
        if child.open:
            yield from visible(child)
