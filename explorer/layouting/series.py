"""Levels that are chains, with branches that fork and join: stacked, with straight spines.

Most insides of modules are of this form (a residual block, an inception block, a whole stage).
They are placed here since ports of open boxes can then be kept exactly in line and a tall branch
does not tear its neighbour apart; whatever is not of this form goes to graphlay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.layouting.levels import Segment

if TYPE_CHECKING:
    from explorer.layouting.place import Placed, Site

TURN = 12.0  # from a fork to where its branches part, and back at a join, px


@dataclass(frozen=True, slots=True)
class Fork:
    """Branches between the vertex before and the vertex after; none of them is empty."""

    branches: tuple[tuple[int | Fork, ...], ...]


Run = tuple["int | Fork", ...]


@dataclass(eq=False)
class _Wires:
    """Who follows whom, and by which segment."""

    after: dict[int, list[tuple[int, Segment]]]
    before: dict[int, list[tuple[int, Segment]]]


def parse(site: Site) -> Run | None:
    """The level as one run; None where it is not of this form."""
    wires = _wires(site)
    if wires is None:
        return None
    begins = [vertex for vertex in range(len(site.names)) if vertex not in wires.before]
    if len(begins) != 1:
        return None
    found = _run(begins[0], wires)
    if found is None or found[1] is not None or _count(found[0]) != len(site.names):
        return None
    return found[0]


def _wires(site: Site) -> _Wires | None:
    wires = _Wires({}, {})
    for start, end, segment in site.edges:
        if any(known == end for known, _ in wires.after.get(start, ())):
            return None  # two tensors on the same way: they need lines of their own
        wires.after.setdefault(start, []).append((end, segment))
        wires.before.setdefault(end, []).append((start, segment))
    for vertex in range(len(site.names)):
        box = site.box(vertex)
        many_in = len(wires.before.get(vertex, ())) > 1 and len(box.inlet) > 1
        many_out = len(wires.after.get(vertex, ())) > 1 and len(box.outlet) > 1
        if many_in or many_out:
            return None  # an open box with several ports on one side
    return wires


def _run(vertex: int, wires: _Wires) -> tuple[Run, int | None] | None:
    """From a vertex to the next join, which it does not take in; None for the end of the level."""
    items: list[int | Fork] = [vertex]
    while True:
        following = wires.after.get(vertex, [])
        if not following:
            return tuple(items), None
        if len(following) == 1:
            end = following[0][0]
            if len(wires.before[end]) > 1:
                return tuple(items), end
        else:
            fork = _fork(following, wires)
            if fork is None:
                return None
            items.append(fork[0])
            end = fork[1]
        items.append(end)
        vertex = end


def _fork(following: list[tuple[int, Segment]], wires: _Wires) -> tuple[Fork, int] | None:
    branches: list[Run] = []
    joins: set[int | None] = set()
    for end, _ in following:
        if len(wires.before[end]) > 1:
            return None
        branch = _run(end, wires)
        if branch is None:
            return None
        branches.append(branch[0])
        joins.add(branch[1])
    join = joins.pop() if len(joins) == 1 else None
    if join is None or len(wires.before[join]) != len(branches):
        return None
    return Fork(tuple(branches)), join


def _count(run: Run) -> int:
    return sum(
        1 if isinstance(item, int) else sum(_count(branch) for branch in item.branches)
        for item in run
    )


@dataclass(eq=False)
class _Extent:
    """How far a run reaches left and right of its spine, and where it ends along the flow."""

    left: float
    right: float
    end: float


def stack(site: Site, run: Run, placed: Placed) -> None:
    """Places a run, its first vertex at v = 0 with the spine at u = 0, and draws its edges."""
    wires = _wires(site)
    assert wires is not None
    tops: dict[int, tuple[float, float]] = {}
    bottoms: dict[int, tuple[float, float]] = {}
    worker = _Stacker(site, placed, wires, (tops, bottoms))
    worker.run(run, 0.0, 0.0)
    for start, end, segment in site.edges:
        placed.routes[segment] = worker.route(start, end)


class _Stacker:
    """Places vertices; remembers where each begins and ends on its spine."""

    def __init__(
        self,
        site: Site,
        placed: Placed,
        wires: _Wires,
        ends: tuple[dict[int, tuple[float, float]], dict[int, tuple[float, float]]],
    ) -> None:
        self.site, self.placed, self.wires = site, placed, wires
        self.tops, self.bottoms = ends

    def run(self, run: Run, spine: float, begin: float) -> _Extent:
        """Places a run below ``begin``; the gap above its first vertex is the caller's."""
        extent = _Extent(0.0, 0.0, begin)
        first = spine
        for place, item in enumerate(run):
            if isinstance(item, int):
                top = extent.end + (self._gap(item) if place else 0.0)
                spine, left, right = self._vertex(item, spine, top)
                extent.left = max(extent.left, first - left)
                extent.right = max(extent.right, right - first)
                extent.end = self.bottoms[item][1]
            else:
                inner = self._fork(item, spine, extent.end)
                extent.left = max(extent.left, first - spine + inner.left)
                extent.right = max(extent.right, spine - first + inner.right)
                extent.end = inner.end
        return extent

    def _gap(self, vertex: int) -> float:
        entering = self.wires.before[vertex]
        frame = self.site.frame
        written = any(segment in self.site.labelled for _, segment in entering)
        gap = frame.label_gap if written else frame.gap
        return max(gap, 2 * TURN + 6.0) if len(entering) > 1 else gap

    def _vertex(self, vertex: int, spine: float, top: float) -> tuple[float, float, float]:
        """Places one vertex; the spine below it, and how far it reaches."""
        site, box = self.site, self.site.box(vertex)
        entering = self.wires.before.get(vertex, [])
        leaving = self.wires.after.get(vertex, [])
        self.tops[vertex] = (spine, top)
        if not site.is_child(vertex):
            ports = self.placed.inlet if vertex in site.entries.values() else self.placed.outlet
            names = site.entries if vertex in site.entries.values() else site.exits
            ports.update({name: spine for name, place in names.items() if place == vertex})
            self.bottoms[vertex] = (spine, top)
            return spine, spine, spine
        left = spine - box.port_in(entering[0][1].source.id if entering else "")
        self.placed.at[site.names[vertex]] = (left, top)
        below = left + box.port_out(leaving[0][1].source.id if leaving else "")
        self.bottoms[vertex] = (below, top + box.height)
        return below, left, left + box.width

    def _fork(self, fork: Fork, spine: float, begin: float) -> _Extent:
        """Two branches: the longer on the spine, the other beside it; more: around the spine."""
        frame = self.site.frame
        written = any(
            segment in self.site.labelled
            for branch in fork.branches
            if isinstance(branch[0], int)
            for _, segment in self.wires.before[branch[0]]
        )
        below = begin + max(2 * TURN + 6.0, TURN + frame.label_gap if written else 0.0)
        branches = list(fork.branches)
        if len(branches) == 2:
            branches.sort(key=_count, reverse=True)
        trials = [self.run(branch, 0.0, below) for branch in branches]
        widths = [trial.left + trial.right for trial in trials]
        if len(branches) == 2:
            at = spine - trials[0].left
        else:
            at = spine - (sum(widths) + frame.node_gap * (len(widths) - 1)) / 2
        extent = _Extent(spine - at, 0.0, 0.0)
        for branch, trial, width in zip(branches, trials, widths, strict=True):
            self.run(branch, at + trial.left, below)
            extent.right = at + width - spine
            extent.end = max(extent.end, trial.end)
            at += width + frame.node_gap
        return extent

    def route(self, start: int, end: int) -> list[tuple[float, float]]:
        """Straight down, or with one turn near the fork or the join.

        A fork at the border of the level parts below the level's title.
        """
        (u0, v0), (u1, v1) = self.bottoms[start], self.tops[end]
        if abs(u0 - u1) < 0.01:
            return [(u0, v0), (u0, v1)]
        parts = len(self.wires.after[start]) > 1 and self.site.is_child(start)
        turn = v0 + TURN if parts else v1 - TURN
        return [(u0, v0), (u0, turn), (u1, turn), (u1, v1)]
