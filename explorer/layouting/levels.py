"""The edges between what is visible, cut into one segment per level that they pass through.

Two boxes in different modules are joined by segments: out of the source's open modules, across the
lowest module that holds both, and into the target's. Every segment belongs to one level (the
inside of one open module), which can therefore be arranged by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from explorer.graph import LayerGraph, Tensor
from explorer.layouting.hierarchy import Node

OUT = "→"  # the target of segments that leave a level


@dataclass(eq=False)
class Segment:
    """One level's part of the edges from one source box to one child (or out of the level).

    Attributes:
        source: The visible box where the tensor comes from; it may lie outside of the level.
        target: The child of the level that it goes to; None when it leaves the level.
        skip: A path of other segments joins the same ends: drawn as a quiet arc.
        index: Its place in the list of routes.
    """

    source: Node
    target: Node | None
    skip: bool = False
    index: int = -1


@dataclass(eq=False)
class Level:
    """The inside of one open node.

    Attributes:
        owner: The open node.
        segments: By source id and target id (``OUT`` for leaving).
        side: Ids of outside sources that enter at the side, since outside they are skip edges.
    """

    owner: Node
    segments: dict[tuple[str, str], Segment] = field(default_factory=dict)
    side: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Link:
    """An edge between two visible boxes, with its segments in order."""

    source: Node
    target: Node
    tensor: Tensor
    segments: list[Segment]


def cut(root: Node, graph: LayerGraph) -> tuple[dict[str, Level], list[Link]]:
    """The levels of all open nodes and the edges between visible boxes, cut at their borders."""
    levels: dict[str, Level] = {}
    home: dict[str, Node] = {}
    paths: dict[str, tuple[Node, ...]] = {}
    _collect(root, (), levels, home, paths)
    links: dict[tuple[str, str], Link] = {}
    for edge in graph.edges:
        source, target = home.get(edge.source), home.get(edge.target)
        if source is None or target is None or source is target:
            continue
        key = (source.id, target.id)
        if key not in links:
            segments = _segments(source, target, levels, paths)
            links[key] = Link(source, target, edge.tensor, segments)
    _classify(root, levels)
    return levels, list(links.values())


def _collect(
    node: Node,
    path: tuple[Node, ...],
    levels: dict[str, Level],
    home: dict[str, Node],
    paths: dict[str, tuple[Node, ...]],
) -> None:
    """Notes for every op its visible box, and for every visible box the open nodes around it."""
    levels[node.id] = Level(node)
    inside = (*path, node)
    for child in node.children:
        if child.open:
            _collect(child, inside, levels, home, paths)
            continue
        paths[child.id] = inside
        if child.role == "boundary":
            home[child.id] = child
        for op in child.ops:
            home[op.id] = child


def _segments(
    source: Node, target: Node, levels: dict[str, Level], paths: dict[str, tuple[Node, ...]]
) -> list[Segment]:
    before, after = paths[source.id], paths[target.id]
    shared = 0
    while shared < min(len(before), len(after)) and before[shared] is after[shared]:
        shared += 1
    found = [_segment(levels[node.id], source, None) for node in reversed(before[shared:])]
    inward = [*after[shared:], target]
    for holder, step in zip(after[shared - 1 :], inward, strict=True):
        found.append(_segment(levels[holder.id], source, step))
    return found


def _segment(level: Level, source: Node, target: Node | None) -> Segment:
    key = (source.id, OUT if target is None else target.id)
    segment = level.segments.get(key)
    if segment is None:
        segment = level.segments[key] = Segment(source, target)
    return segment


def _classify(node: Node, levels: dict[str, Level]) -> None:
    """Marks the skip segments of a level, then of the levels inside it."""
    level = levels[node.id]
    children = {child.id: place for place, child in enumerate(node.children)}
    sources = {key[0]: _child_of(segment.source, node) for key, segment in level.segments.items()}
    outside = [name for name, child in sources.items() if child is None and name not in level.side]
    offset = len(outside)
    entry = {name: place for place, name in enumerate(outside)}
    pairs: dict[tuple[int, int], list[Segment]] = {}
    for (name, _), segment in level.segments.items():
        if segment.target is None:
            continue
        if name in level.side:
            segment.skip = True
            continue
        child = sources[name]
        start = entry[name] if child is None else offset + children[child.id]
        end = offset + children[segment.target.id]
        pairs.setdefault((start, end), []).append(segment)
    for pair in reducible(list(pairs)):
        for segment in pairs[pair]:
            segment.skip = True
    for (name, _), segment in level.segments.items():
        if segment.skip and segment.target is not None and segment.target.open:
            levels[segment.target.id].side.add(name)
    for child in node.children:
        if child.open:
            _classify(child, levels)


def _child_of(node: Node, owner: Node) -> Node | None:
    """The child of ``owner`` that holds ``node``; None where it lies outside."""
    while node.parent is not None and node.parent is not owner:
        node = node.parent
    return node if node.parent is owner else None


def reducible(pairs: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """The edges of a graph that longer paths imply: what its transitive reduction leaves out.

    Vertices are numbered in order of execution, so that every edge goes to a higher number; an edge
    that does not is left alone. Ancestors are bit sets: one pass over the edges.
    """
    before: dict[int, list[int]] = {}
    for start, end in pairs:
        if start < end:
            before.setdefault(end, []).append(start)
    ancestors: dict[int, int] = {}
    found: set[tuple[int, int]] = set()
    for end in sorted(before):
        covered = 0
        for start in sorted(before[end], reverse=True):
            if covered >> start & 1:
                found.add((start, end))
            else:
                covered |= ancestors.get(start, 0) | 1 << start
        ancestors[end] = covered
    return found
