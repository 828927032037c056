"""Skip edges beside a level: one lane per source, from below it to the side of each reader.

Edges that the transitive reduction leaves out would pull boxes apart if they were laid out; in a
lane beside the boxes they are read like the shortcut lines in papers, and a dense block's hundreds
of them become as many lanes as it has layers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from explorer.layouting.levels import Segment

if TYPE_CHECKING:
    from explorer.layouting.place import Placed, Site

MARGIN = 12.0  # from the boxes to the first lane, px
WIDTH = 150.0  # that all lanes of a level may take, px
SPACING = (3.0, 9.0)  # between lanes: never closer, never farther
TAP = 7.0  # below the source's row


@dataclass(eq=False)
class _Net:
    """The skip segments of one source; all that enter at the side share one."""

    begin: list[tuple[float, float]]
    ends: list[tuple[Segment, list[tuple[float, float]]]] = field(default_factory=list)
    lane: int = 0

    @property
    def span(self) -> tuple[float, float]:
        turns = [points[0][1] for _, points in self.ends] + [self.begin[-1][1]]
        return min(turns), max(turns)


def route_skips(site: Site, placed: Placed, right: float, top: float) -> float:
    """Adds the routes of a level's skip segments to ``placed``.

    Args:
        site: The level.
        placed: Its boxes and main routes, not yet moved into the frame.
        right: Where the boxes and main routes end across the flow.
        top: Where the first box begins along it.

    Returns:
        Where the lanes end across the flow.
    """
    skips = [segment for segment in site.level.segments.values() if segment.skip]
    if not skips:
        return right
    rows = _rows(site, placed)
    nets: dict[str, _Net] = {}
    for segment in skips:
        name = segment.source.id
        group = "" if name in site.level.side else name
        if group not in nets:
            nets[group] = _Net(_begin(site, placed, segment, rows, top))
        nets[group].ends.append((segment, _end(site, placed, segment, rows)))
    lanes = _assign(list(nets.values()))
    spacing = min(SPACING[1], max(SPACING[0], WIDTH // lanes))
    for net in nets.values():
        u = right + MARGIN + net.lane * spacing
        for segment, end in net.ends:
            points = [*net.begin, (u, net.begin[-1][1]), (u, end[0][1]), *end[1:]]
            placed.routes[segment] = points
            if segment.source.id in site.entries:
                placed.inlet.setdefault(segment.source.id, points[0][0])
    return right + MARGIN + (lanes - 1) * spacing


def _rows(site: Site, placed: Placed) -> dict[str, tuple[float, float]]:
    """For every child, where the row of boxes that it shares begins and ends along the flow."""
    spans = sorted((v, v + site.boxes[name].height, name) for name, (_, v) in placed.at.items())
    found: dict[str, tuple[float, float]] = {}
    row: list[str] = []
    begin = end = 0.0
    for first, last, name in spans:
        if row and first >= end:
            found.update(dict.fromkeys(row, (begin, end)))
            row = []
        if not row:
            begin, end = first, last
        row.append(name)
        end = max(end, last)
    found.update(dict.fromkeys(row, (begin, end)))
    return found


def _begin(
    site: Site,
    placed: Placed,
    segment: Segment,
    rows: dict[str, tuple[float, float]],
    top: float,
) -> list[tuple[float, float]]:
    """From the source's port to where its line turns towards the lane."""
    name = segment.source.id
    if name in site.level.side:
        edge = top - site.frame.before + site.frame.side
        return [(0.0, edge)]
    vertex = site.holder[name]
    if not site.is_child(vertex):
        u = placed.inlet.get(name, 0.0)
        return [(u, top - TAP - 4.0), (u, top - TAP)]
    child = site.names[vertex]
    box = site.boxes[child]
    u, v = placed.at[child]
    right = u + box.width
    u += box.port_out(name)
    turn = v + box.height + TAP
    if _blocked(site, placed, right, turn):
        turn = rows[child][1] + TAP
    return [(u, v + box.height), (u, turn)]


def _end(
    site: Site, placed: Placed, segment: Segment, rows: dict[str, tuple[float, float]]
) -> list[tuple[float, float]]:
    """From the lane (its u is not known yet) into the reader: at its side, or from above."""
    target = segment.target
    assert target is not None
    box = site.boxes[target.id]
    u, v = placed.at[target.id]
    edge = u + box.width
    height = site.frame.side if target.open else box.height / 2
    across = v + height
    if target.open or not _blocked(site, placed, edge, across):
        return [(0.0, across), (edge, across)]
    above = rows[target.id][0] - TAP
    door = u + 0.75 * box.width
    return [(0.0, above), (door, above), (door, v)]


def _blocked(site: Site, placed: Placed, edge: float, across: float) -> bool:
    """Whether a box stands between this edge of a reader and the lanes."""
    return any(
        u >= edge and v - 1 < across < v + site.boxes[name].height + 1
        for name, (u, v) in placed.at.items()
    )


def _assign(nets: list[_Net]) -> int:
    """Gives every net the innermost lane that is free along its span; the number of lanes."""
    taken: list[list[tuple[float, float]]] = []
    for net in sorted(nets, key=lambda net: net.span[1] - net.span[0]):
        begin, end = net.span
        free = (
            lane
            for lane, spans in enumerate(taken)
            if all(end + 4 < first or last + 4 < begin for first, last in spans)
        )
        net.lane = next(free, len(taken))
        if net.lane == len(taken):
            taken.append([])
        taken[net.lane].append((begin, end))
    return len(taken)
