"""Positions and routes of one level at a time, innermost first.

Coordinates here are (u, v): u across the flow, v along it. ``layout`` turns them into x and y.
Since a level knows its open children only by their sizes and ports, equal blocks are arranged
alike, and opening one moves its neighbours without reordering them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache

import graphlay

from explorer.layouting import series
from explorer.layouting.gutter import route_skips
from explorer.layouting.levels import Level, Segment

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """The room that an open box keeps free around its content, px.

    Attributes:
        before: Along the flow, ahead of the content.
        after: Along the flow, behind it.
        first: Across the flow, on the side of smaller u.
        last: Across the flow, on the side of larger u.
        gap: Between consecutive boxes where nothing is written on the edge.
        label_gap: Between them where a shape is.
        side: Where along an open box skip edges enter it.
        node_gap: Between boxes side by side.
        across: Whether an open box's title runs across the flow (else along it).
    """

    before: float
    after: float
    first: float
    last: float
    gap: float
    label_gap: float
    side: float
    node_gap: float = 22.0
    across: bool = True


DOWN = Frame(before=40, after=18, first=14, last=14, gap=16, label_gap=26, side=32)
RIGHT = Frame(before=26, after=26, first=32, last=14, gap=24, label_gap=74, side=18, across=False)


@dataclass(eq=False)
class Placed:
    """A box with its inside.

    Attributes:
        width: Across the flow.
        height: Along the flow.
        at: Offset of each child from this box's corner.
        inlet: u of the port of each outside source at the beginning.
        outlet: u of the port of each inside source at the end.
        routes: Points of the level's segments, from this box's corner.
    """

    width: float
    height: float
    at: dict[str, Point] = field(default_factory=dict)
    inlet: dict[str, float] = field(default_factory=dict)
    outlet: dict[str, float] = field(default_factory=dict)
    routes: dict[Segment, list[Point]] = field(default_factory=dict)

    def port_in(self, source: str) -> float:
        """Where across a main edge from ``source`` enters."""
        return self.inlet.get(source, self.width / 2)

    def port_out(self, source: str) -> float:
        """Where across the edges of ``source`` leave."""
        return self.outlet.get(source, self.width / 2)


@dataclass(eq=False)
class Site:
    """A level while it is being arranged: its vertices, in order, and its main edges.

    Vertices are entries (one per outside source), children, and exits (one per inside source).
    """

    level: Level
    frame: Frame
    boxes: dict[str, Placed]
    labelled: set[Segment]
    names: list[str] = field(default_factory=list)
    entries: dict[str, int] = field(default_factory=dict)
    children: dict[str, int] = field(default_factory=dict)
    exits: dict[str, int] = field(default_factory=dict)
    holder: dict[str, int] = field(default_factory=dict)
    edges: list[tuple[int, int, Segment]] = field(default_factory=list)

    def box(self, vertex: int) -> Placed:
        """The box of a child; nothing for ports."""
        return self.boxes.get(self.names[vertex], _PORT)

    def is_child(self, vertex: int) -> bool:
        """Whether the vertex is a child rather than a port."""
        return len(self.entries) <= vertex < len(self.entries) + len(self.children)


_PORT = Placed(1.0, 0.0)


def place(level: Level, frame: Frame, boxes: dict[str, Placed], labelled: set[Segment]) -> Placed:
    """Arranges the inside of an open box.

    Args:
        level: Its children and segments.
        frame: The room to keep.
        boxes: Every child's box, already arranged inside.
        labelled: Segments that carry a written shape.
    """
    if not boxes:
        return Placed(frame.first + frame.last, frame.before + frame.after)
    site = _site(level, frame, boxes, labelled)
    run = series.parse(site)
    if run is None:
        placed = _layered(site)
    else:
        placed = Placed(0, 0)
        series.stack(site, run, placed)
    _settle(site, placed)
    return placed


def _site(level: Level, frame: Frame, boxes: dict[str, Placed], labelled: set[Segment]) -> Site:
    site = Site(level, frame, boxes, labelled)
    owner = level.owner
    inside: dict[str, str] = {}
    for name, segment in ((key[0], segment) for key, segment in level.segments.items()):
        if name in inside or name in site.entries:
            continue
        child = segment.source
        while child.parent is not None and child.parent is not owner:
            child = child.parent
        if child.parent is owner:
            inside[name] = child.id
        elif name not in level.side:
            site.entries[name] = len(site.entries)
    count = len(site.entries)
    site.children = {child.id: count + place for place, child in enumerate(owner.children)}
    count += len(owner.children)
    for (name, _), segment in level.segments.items():
        if segment.target is None:
            site.exits[name] = count + len(site.exits)
    site.names = ["", *[""] * (len(site.entries) - 1)] if site.entries else []
    site.names += [child.id for child in owner.children] + [""] * len(site.exits)
    site.holder = {name: site.children[child] for name, child in inside.items()} | site.entries
    for (name, _), segment in level.segments.items():
        if not segment.skip:
            target = segment.target
            end = site.exits[name] if target is None else site.children[target.id]
            site.edges.append((site.holder[name], end, segment))
    return site


def _layered(site: Site) -> Placed:
    """Branches and joins, arranged in layers by graphlay."""
    nodes = []
    shift: list[float] = []
    for vertex in range(len(site.names)):
        box = site.box(vertex)
        spine = _spine(site, vertex, box)
        half = max(spine, box.width - spine)
        shift.append(half - spine)
        node: dict[str, object] = {"size": {"width": 2 * half, "height": max(box.height, 1.0)}}
        if vertex < len(site.entries):
            node["rank"] = "first"
        elif not site.is_child(vertex):
            node["rank"] = "last"
        nodes.append(node)
    edges = []
    for start, end, segment in site.edges:
        name = segment.source.id
        edge: dict[str, object] = {"source": start, "target": end}
        # Ports of open boxes are fixed by their inside; elsewhere the engine spreads them.
        if name in site.box(start).outlet:
            edge["source_port"] = _hint(
                "bottom", site.box(start).outlet[name] + shift[start], nodes[start]
            )
        if name in site.box(end).inlet:
            edge["target_port"] = _hint("top", site.box(end).inlet[name] + shift[end], nodes[end])
        edges.append(edge)
    request = {"graph": {"nodes": nodes, "edges": edges}, "preset": "layered"}
    request["options"] = _options(site.frame, bool(site.labelled))
    centres, routes = _engine(json.dumps(request))
    placed = Placed(0, 0)
    for vertex, (u, v) in enumerate(centres):
        box = site.box(vertex)
        if site.is_child(vertex):
            half = nodes[vertex]["size"]["width"] / 2  # type: ignore[index]
            placed.at[site.names[vertex]] = (u - half + shift[vertex], v - box.height / 2)
    for (start, end, segment), drawn in zip(site.edges, routes, strict=True):
        points = drawn
        name, target = segment.source.id, segment.target
        if name in site.box(start).outlet:  # exactly at the ports of open boxes
            u = placed.at[site.names[start]][0] + site.box(start).outlet[name]
            points = ((u, points[0][1]), *points)
        if target is not None and name in site.box(end).inlet:
            u = placed.at[target.id][0] + site.box(end).inlet[name]
            points = (*points, (u, points[-1][1]))
        placed.routes[segment] = _square(points)
        if start < len(site.entries):
            placed.inlet[segment.source.id] = centres[start][0]
        if end >= len(site.names) - len(site.exits):
            placed.outlet[segment.source.id] = centres[end][0]
    return placed


def _square(points: tuple[Point, ...]) -> list[Point]:
    """The engine's polyline with right angles only: it lets ends slant by less than a px."""
    found = [points[0]]
    for u, v in points[1:]:
        last = found[-1]
        if last[0] != u and last[1] != v:
            found.append((last[0], v))
        found.append((u, v))
    return found


def _spine(site: Site, vertex: int, box: Placed) -> float:
    """Where across is the line through a box that should be straight: the mean of its ports."""
    ports = [box.port_in(seg.source.id) for _, end, seg in site.edges if end == vertex]
    ports += [box.port_out(seg.source.id) for start, _, seg in site.edges if start == vertex]
    return (min(ports) + max(ports)) / 2 if ports else box.width / 2


def _hint(side: str, u: float, node: dict[str, object]) -> dict[str, object]:
    half = node["size"]["width"] / 2  # type: ignore[index]
    return {"offset": {"side": side, "t": max(-1.0, min(1.0, (u - half) / half))}}


def _options(frame: Frame, labelled: bool) -> dict[str, object]:
    return {
        "direction": "topbottom",
        "spacing": {
            "layer_gap": frame.label_gap if labelled else max(frame.gap, 24.0),
            "node_gap": frame.node_gap,
            "dummy_gap": 14.0,
            "port_gap": 10.0,
            "stub": 8.0,
        },
        "routing": {"style": "orthogonal", "port_sides": "facing_only", "merge_edges": "none"},
        "coords": {"terminal_centering": True, "branch_style": "symmetric"},
    }


@lru_cache(maxsize=4096)
def _engine(request: str) -> tuple[tuple[Point, ...], tuple[tuple[Point, ...], ...]]:
    """Centres and polylines of a request; equal levels of a network ask for the same one."""
    raw = json.loads(graphlay._native.layout(request))
    centres = tuple(_point(node["center"]) for node in raw["nodes"])
    routes = tuple(tuple(_point(point) for point in edge["points"]) for edge in raw["edges"])
    return centres, routes


def _point(raw: dict[str, float]) -> Point:
    # Halves are exact in binary: the same place comes out alike, whatever it is summed up from.
    return round(raw["x"] * 2) / 2, round(raw["y"] * 2) / 2


def _settle(site: Site, placed: Placed) -> None:
    """Adds skip routes, then moves everything so that the frame's room is kept."""
    frame, owner = site.frame, site.level.owner
    at, boxes = placed.at, site.boxes
    left = min(u for u, _ in at.values())
    top = min(v for _, v in at.values())
    right = max(u + boxes[name].width for name, (u, _) in at.items())
    bottom = max(v + boxes[name].height for name, (_, v) in at.items())
    for points in placed.routes.values():
        left = min(left, *(u for u, _ in points))
        right = max(right, *(u for u, _ in points))
    right = route_skips(site, placed, right, top)
    content = right - left
    wide, long = (owner.header, 0.0) if frame.across else (0.0, owner.header)
    room = max(0.0, wide - content - frame.first - frame.last)
    du = frame.first - left + room / 2
    dv = frame.before - top
    placed.width = content + frame.first + frame.last + room
    placed.height = max(long, bottom - top + frame.before + frame.after)
    placed.at = {name: (u + du, v + dv) for name, (u, v) in at.items()}
    placed.inlet = {name: u + du for name, u in placed.inlet.items()}
    placed.outlet = {name: u + du for name, u in placed.outlet.items()}
    for segment, points in placed.routes.items():
        moved = [(u + du, v + dv) for u, v in points]
        placed.routes[segment] = _to_border(site, placed, segment, moved)


def _to_border(site: Site, placed: Placed, segment: Segment, points: list[Point]) -> list[Point]:
    """The route, led to the border of the open box where it comes from or goes to outside."""
    name, frame = segment.source.id, site.frame
    if name in site.level.side:
        return [(placed.width, frame.side), *points[1:]]
    if name in site.entries and segment.skip:
        return [(placed.inlet[name], 0.0), *points[1:]]
    if name in site.entries:
        points = _squeeze(points, points[0][1], frame.before, 0.0)
        points = [(placed.inlet[name], 0.0), *points]
    if segment.target is None:
        begin = placed.height - frame.after
        points = _squeeze(points[::-1], points[-1][1], begin, placed.height)[::-1]
        points = [*points, (placed.outlet[name], placed.height)]
    return points


def _squeeze(points: list[Point], port: float, edge: float, border: float) -> list[Point]:
    """Brings what lies between ``edge`` and a port (its v) between ``edge`` and ``border``."""
    beyond = 1 if border > edge else -1
    if (port - edge) * beyond <= 0:  # the port is beside boxes: straight on
        return [(points[0][0], border), *points]
    scale = (border - edge) / (port - edge)
    return [(u, edge + (v - edge) * scale if (v - edge) * beyond > 0 else v) for u, v in points]
