"""Where everything in a layer graph stands: boxes, nested modules and the routes between them.

``arrange`` turns a ``LayerGraph`` and the set of opened modules into an ``Arrangement``: plain
frozen data that pickles, goes to the browser as JSON (``Arrangement.to_dict``) and is the same for
the same input. Branches and joins are arranged by graphlay on transitively reduced edges; skip
edges run as quiet arcs in lanes beside their level. Neither torch nor streamlit is imported here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from explorer.graph import KINDS, LayerGraph, Op
from explorer.layouting import words
from explorer.layouting.arrangement import (
    Arrangement,
    Box,
    Direction,
    Expanded,
    Hidden,
    Line,
    Openable,
    Route,
    px,
)
from explorer.layouting.hierarchy import Node, build, open_nodes, visible
from explorer.layouting.levels import Level, Link, Segment, cut
from explorer.layouting.place import DOWN, RIGHT, Placed, place

__all__ = ["Arrangement", "Box", "Direction", "Expanded", "Line", "Route", "arrange"]

PILLS = {"normalisation", "activation", "elementwise", "layout", "other"}  # kinds of one line


def arrange(
    graph: LayerGraph, expanded: Expanded = frozenset(), direction: Direction = "down"
) -> Arrangement:
    """Arranges a layer graph with some of its modules open.

    Args:
        graph: The network as it runs.
        expanded: Ids of the modules and folds to open, or "all". Ids that do not exist are ignored;
            an id inside a closed module waits until that one is opened.
        direction: Where the data flows: "down" or "right".
    """
    root = build(graph)
    open_nodes(root, expanded)
    numel = {p.name: p.tensor.numel for p in graph.parameters if p.trainable}
    cards = {node.id: _card(node, numel) for node in visible(root)}
    levels, links = cut(root, graph)
    labelled = _labelled(links)
    placed = _place_all(root, levels, cards, (direction, labelled))
    corners = {"": (0.0, 0.0)}
    for node in visible(root):
        above = node.parent.id if node.parent is not None else ""
        base, offset = corners[above], placed[above].at[node.id]
        corners[node.id] = (base[0] + offset[0], base[1] + offset[1])
    turn = direction == "right"
    routes = _routes(levels, placed, corners, turn)
    boxes = tuple(
        _box(node, cards[node.id], corners[node.id], (placed[node.id], turn))
        for node in visible(root)
    )
    whole = placed[""]
    size = (whole.height, whole.width) if turn else (whole.width, whole.height)
    return Arrangement(
        model=graph.model,
        direction=direction,
        expanded=expanded,
        width=size[0],
        height=size[1],
        boxes=boxes,
        lines=tuple(_line(link) for link in links),
        routes=routes,
        openable=tuple(_openable(root)),
        hidden=tuple(_hidden(root)),
    )


@dataclass(frozen=True, slots=True)
class _Card:
    """The words and numbers of a box, before it has a place."""

    title: str
    subtitle: str
    width: float
    height: float
    shape_in: str
    shape_out: str
    params: int
    macs: int
    activation_bytes: int
    mix: tuple[tuple[str, int], ...]


def _card(node: Node, numel: dict[str, int]) -> _Card:
    title, subtitle = _words(node)
    ops = node.ops
    names = {name for op in ops for name in op.params}
    wide = 34.0 if node.openable else 0.0
    if node.role == "boundary":
        width, height = words.box_width(title, subtitle, 8), 40.0
    elif node.op is not None and node.op.kind in PILLS and not subtitle:
        width, height = words.box_width(title, "", 0), 26.0
    else:
        width, height = words.box_width(title, subtitle, wide), 48.0 if node.openable else 42.0
    text = len(title) * words.TITLE_WIDTH + len(subtitle) * words.SUBTITLE_WIDTH
    node.header = float(2 * math.ceil(text / 2) + 64)
    first = next((tensor for op in ops for tensor in op.inputs), node.tensor)
    last = next((tensor for op in reversed(ops) for tensor in op.outputs), node.tensor)
    mix: dict[str, int] = {}
    if node.openable and not node.open:
        for op in ops:
            mix[op.kind] = mix.get(op.kind, 0) + 1
    return _Card(
        title=title,
        subtitle=subtitle,
        width=width,
        height=height,
        shape_in=words.shape_text(first),
        shape_out=words.shape_text(last),
        params=sum(numel.get(name, 0) for name in names),
        macs=sum(op.macs for op in ops),
        activation_bytes=sum(op.output_bytes for op in ops),
        mix=tuple((kind, mix[kind]) for kind in KINDS if kind in mix),
    )


def _words(node: Node) -> tuple[str, str]:
    if node.role == "boundary":
        return node.id.replace("_", " "), words.shape_text(node.tensor)
    if node.op is not None:
        return words.op_title(node.op, node.module), _leaf_subtitle(node, node.op)
    if node.role == "fold":
        first, last = (
            words.local_name(child.id) for child in (node.children[0], node.children[-1])
        )
        title = words.module_words(node.children[0].module)[0] if node.children[0].module else first
        return title, f"{first} … {last}"
    if node.module is None:
        return node.id, ""
    # A merged wrapper keeps its own path; the class is the inner one's.
    return words.module_words(replace(node.module, id=node.id))


def _leaf_subtitle(node: Node, op: Op) -> str:
    if op.kind in PILLS:
        return ""
    detail = words.op_detail(op)
    where = words.local_name(node.id) if node.module is not None else ""
    return " · ".join(part for part in (where, detail) if part)


def _labelled(links: Iterable[Link]) -> set[Segment]:
    """The segments that carry a written shape: the last one of every labelled edge."""
    return {link.segments[-1] for link in links if _label(link)}


def _label(link: Link) -> str:
    """The shape, where the source changed it and the edge is not a skip edge."""
    if any(segment.skip for segment in link.segments):
        return ""
    op = link.source.op
    if op is not None and op.inputs and op.inputs[0].shape == link.tensor.shape:
        return ""
    if link.source.role == "boundary":
        return ""
    return words.shape_text(link.tensor)


def _place_all(
    root: Node,
    levels: dict[str, Level],
    cards: dict[str, _Card],
    mode: tuple[Direction, set[Segment]],
) -> dict[str, Placed]:
    direction, labelled = mode
    frame = DOWN if direction == "down" else RIGHT
    bare = replace(frame, before=12, after=12, first=12, last=12)
    root.header = 0.0
    done: dict[str, Placed] = {}

    def settle(node: Node) -> None:
        inside: dict[str, Placed] = {}
        for child in node.children:
            if child.open:
                settle(child)
            else:
                card = cards[child.id]
                turn = (card.height, card.width) if direction == "right" else None
                width, height = turn or (card.width, card.height)
                done[child.id] = Placed(width, height)
            inside[child.id] = done[child.id]
        room = frame if node is not root else bare
        done[node.id] = place(levels[node.id], room, inside, labelled)

    settle(root)
    return done


def _routes(
    levels: dict[str, Level],
    placed: dict[str, Placed],
    corners: dict[str, tuple[float, float]],
    turn: bool,
) -> tuple[Route, ...]:
    """All segments as routes in the drawing's coordinates; numbers the segments."""
    found: list[Route] = []
    for name, level in levels.items():
        across, along = corners[name]
        # Inside a dense layer all skip edges run alike from its border to the op that reads them.
        known: dict[tuple[tuple[float, float], ...], int] = {}
        for segment in level.segments.values():
            points = tuple(placed[name].routes[segment])
            index = known.get(points)
            if index is None:
                index = known[points] = len(found)
                drawn = [(px(across + u), px(along + v)) for u, v in points]
                if turn:
                    drawn = [(x, y) for y, x in drawn]
                found.append(Route(tuple(_straighten(drawn)), segment.skip))
            segment.index = index
    return tuple(found)


def _straighten(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The polyline without repeated points and without points inside a straight part."""
    kept: list[tuple[float, float]] = []
    for x, y in points:
        if kept:
            bx, by = kept[-1]
            if bx == x and by == y:
                continue
            if len(kept) > 1:
                ax, ay = kept[-2]
                # A line that turns back keeps its corner.
                if (ax == bx == x and (by - ay) * (y - by) > 0) or (
                    ay == by == y and (bx - ax) * (x - bx) > 0
                ):
                    kept.pop()
        kept.append((x, y))
    return kept


def _box(node: Node, card: _Card, corner: tuple[float, float], place_: tuple[Placed, bool]) -> Box:
    placed, turn = place_
    u, v = corner
    x, y, width, height = u, v, placed.width, placed.height
    if turn:
        x, y, width, height = v, u, placed.height, placed.width
    return Box(
        id=node.id,
        parent=node.parent.id if node.parent is not None else "",
        role=node.role,
        kind=node.op.kind if node.op is not None else node.role,
        title=card.title,
        subtitle=card.subtitle,
        x=px(x),
        y=px(y),
        width=px(width),
        height=px(height),
        count=len(node.children) if node.role == "fold" else 1,
        openable=node.openable,
        open=node.open,
        ops=tuple(op.id for op in node.ops),
        aliases=tuple(node.aliases),
        shape_in=card.shape_in,
        shape_out=card.shape_out,
        params=card.params,
        macs=card.macs,
        activation_bytes=card.activation_bytes,
        mix=card.mix,
    )


def _line(link: Link) -> Line:
    routes = tuple(segment.index for segment in link.segments)
    shape = words.shape_text(link.tensor)
    return Line(link.source.id, link.target.id, shape, _label(link), routes)


def _openable(root: Node) -> Iterator[Openable]:
    for node in root.walk():
        if node.openable and node.parent is not None:
            yield Openable(node.id, node.depth, node.parent.id, tuple(node.aliases))


def _hidden(root: Node) -> Iterator[Hidden]:
    for node in visible(root):
        if not node.open:
            for inner in node.walk():
                if inner is not node and inner.parent is not None:
                    yield Hidden(inner.id, _words(inner)[0], node.id, inner.parent.id)
