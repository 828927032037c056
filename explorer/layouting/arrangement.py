"""The result of ``layout.arrange``: plain frozen data, and how it is written for the browser."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

SCHEMA = 1  # of ``to_dict``; raised when a reader of an older one would misread it
Direction = Literal["down", "right"]
Expanded = Literal["all"] | frozenset[str]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the drawing, in px from the top left corner.

    Attributes:
        id: Module id, op id, fold id ("layer3.1..layer3.35"), "input…" or "output".
        parent: Id of the open box around it; "" at top level.
        role: "op", "module", "fold" or "boundary".
        kind: One of ``graph.KINDS`` for an op; otherwise the role.
        title: Class or operation: "Conv2d 7×7 /2", "Bottleneck".
        subtitle: Where it is, or its channels: "layer1.0", "64 → 128".
        count: Equal modules in a fold; 1 otherwise.
        openable: Whether there is anything inside to show.
        open: Whether it is shown.
        ops: Ids of the ops inside, in order of execution.
        aliases: Other ids that name this box: modules and ops merged into it.
        shape_in: Shape of the first tensor read, without the batch.
        shape_out: Shape of the last tensor written, without the batch.
        params: Trainable parameters inside, each once.
        macs: Multiply–accumulates inside.
        activation_bytes: Bytes written by the ops inside.
        mix: What a closed module consists of: kinds with their number of ops, in the order of
            KINDS.
    """

    id: str
    parent: str
    role: str
    kind: str
    title: str
    subtitle: str
    x: float
    y: float
    width: float
    height: float
    count: int = 1
    openable: bool = False
    open: bool = False
    ops: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    shape_in: str = ""
    shape_out: str = ""
    params: int = 0
    macs: int = 0
    activation_bytes: int = 0
    mix: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A polyline with right angles inside one level; edges that pass the same way share it.

    Attributes:
        points: (x, y) in px.
        skip: Drawn as a quiet arc.
    """

    points: tuple[tuple[float, float], ...]
    skip: bool


@dataclass(frozen=True, slots=True)
class Line:
    """An edge between two boxes that are not open.

    Attributes:
        source: Box id.
        target: Box id.
        shape: Of the tensor carried, without the batch.
        label: The shape where it should be written: where the source changed it. Otherwise "".
        routes: Indices into ``Arrangement.routes``; joined, they lead from the source's border to
            the target's.
    """

    source: str
    target: str
    shape: str
    label: str
    routes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Openable:
    """Something that opens, drawn or not.

    Attributes:
        id: As of its box.
        depth: 1 at top level.
        parent: Id of what must be open for its box to be seen; "" at top level.
        aliases: Other ids that name it.
    """

    id: str
    depth: int
    parent: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hidden:
    """Something that is not drawn since a box around it is closed.

    Attributes:
        id: As of its box when it is drawn.
        title: As of its box.
        holder: Id of the closed box that is drawn.
        parent: Id of what it lies in directly.
    """

    id: str
    title: str
    holder: str
    parent: str


@dataclass(frozen=True)
class Arrangement:
    """A drawing of a layer graph.

    Attributes:
        model: As in the graph.
        direction: "down" (input at the top) or "right" (input at the left).
        expanded: What was asked for.
        width: px.
        height: px.
        boxes: Parents before children, in order of execution.
        lines: Edges, in order of their targets.
        routes: Shared by the lines.
        openable: Everything that opens, folds included, drawn or not.
        hidden: All that is not drawn, for searching.
    """

    model: str
    direction: Direction
    expanded: Expanded
    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    routes: tuple[Route, ...]
    openable: tuple[Openable, ...]
    hidden: tuple[Hidden, ...] = field(default=(), repr=False)

    def find(self, identifier: str) -> Box | None:
        """The box that shows an op or module: itself, or the closed box around it."""
        for box in self.boxes:
            if box.id == identifier or identifier in box.aliases:
                return box
        for box in self.boxes:
            if not box.open and identifier in box.ops:
                return box
        return next((self.find(h.holder) for h in self.hidden if h.id == identifier), None)

    def to_depth(self, depth: int) -> frozenset[str]:
        """What to expand so that everything down to ``depth`` levels is open; 0 is nothing."""
        return frozenset(entry.id for entry in self.openable if entry.depth <= depth)

    @cached_property
    def levels(self) -> int:
        """How deep modules are nested: what ``to_depth`` needs to open all."""
        return max((entry.depth for entry in self.openable), default=0)

    @cached_property
    def depth(self) -> int | None:
        """The depth that everything is open to; None where it differs."""
        if self.expanded == "all":
            return self.levels
        present = {entry.id for entry in self.openable if self._is_open(entry)}
        return next((d for d in range(self.levels + 1) if self.to_depth(d) == present), None)

    def _is_open(self, entry: Openable) -> bool:
        return self.expanded == "all" or not self.expanded.isdisjoint((entry.id, *entry.aliases))

    def toggled(self, identifier: str, deep: bool = False) -> frozenset[str]:
        """What to expand so that one box opens or closes and everything else stays.

        Args:
            identifier: Id of the box; one that does not open changes nothing.
            deep: Together with all that lies in it.
        """
        now = frozenset(entry.id for entry in self.openable if self._is_open(entry))
        inside = {identifier}
        if deep:
            for entry in self.openable:  # parents come before what lies in them
                if entry.parent in inside:
                    inside.add(entry.id)
        inside &= {entry.id for entry in self.openable}
        return now - inside if identifier in now else now | inside

    def revealing(self, identifier: str) -> Expanded:
        """What to expand so that an op or module is drawn."""
        parents = {entry.id: entry.parent for entry in self.openable}
        parents |= {entry.id: entry.parent for entry in self.hidden}
        wanted: set[str] = set()
        above = parents.get(identifier, "")
        while above:
            wanted.add(above)
            above = parents.get(above, "")
        if self.expanded == "all" or not wanted:
            return self.expanded
        return self.expanded | wanted

    @cached_property
    def payload(self) -> str:
        """``to_dict`` as compact JSON."""
        return json.dumps(self.to_dict(), separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def digest(self) -> str:
        """Names the drawing: equal where nothing that is drawn differs."""
        return hashlib.sha256(self.payload.encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """The drawing as plain data for JSON, compact: keys at their usual value are left out.

        Schema: ``{"schema": 1, "model": str, "direction": str, "size": [w, h], "boxes": […],
        "lines": […], "routes": […], "hidden": [[id, title, holder], …]}``. A box is ``{"i": id,
        "p": parent, "k": kind, "t": title, "s": subtitle, "r": [x, y, w, h], "n": count, "o": 1
        open or 0 closed (absent: cannot open), "a": aliases, "in": shape, "out": shape, "v":
        [params, macs, bytes], "m": [[kind, ops], …]}``; a line ``[source, target, shape, labelled,
        route, …]`` with places in ``boxes`` and in ``routes`` (shape "": the source's "out"); a
        route ``[skip, x0, y0, x1, y1, …]``.
        """
        index = {box.id: place for place, box in enumerate(self.boxes)}
        return {
            "schema": SCHEMA,
            "model": self.model,
            "direction": self.direction,
            "size": [px(self.width), px(self.height)],
            "boxes": [_box_dict(box) for box in self.boxes],
            "lines": [
                [
                    index[line.source],
                    index[line.target],
                    "" if line.shape == self.boxes[index[line.source]].shape_out else line.shape,
                    int(bool(line.label)),
                    *line.routes,
                ]
                for line in self.lines
            ],
            "routes": [
                [int(route.skip), *(px(value) for point in route.points for value in point)]
                for route in self.routes
            ],
            "hidden": [[entry.id, entry.title, entry.holder] for entry in self.hidden],
        }


def px(value: float) -> float:
    """To a tenth of a px, as an int where it is one: shorter in JSON."""
    tenths = round(value * 10)
    return tenths // 10 if tenths % 10 == 0 else tenths / 10


def _box_dict(box: Box) -> dict[str, Any]:
    found: dict[str, Any] = {
        "i": box.id,
        "k": box.kind,
        "t": box.title,
        "r": [box.x, box.y, box.width, box.height],
        "v": [box.params, box.macs, box.activation_bytes],
    }
    optional: dict[str, Any] = {
        "p": box.parent,
        "s": box.subtitle,
        "a": list(box.aliases),
        "in": box.shape_in,
        "out": box.shape_out,
        "m": [list(entry) for entry in box.mix],
    }
    found |= {key: value for key, value in optional.items() if value}
    if box.count > 1:
        found["n"] = box.count
    if box.openable:
        found["o"] = int(box.open)
    return found
