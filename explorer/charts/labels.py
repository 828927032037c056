"""Labels beside points that do not collide: a small deterministic search, in pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_ANGLES = tuple(math.radians(degrees) for degrees in range(0, 360, 20))
_DISTANCES = (4.0, 12.0, 22.0, 36.0, 54.0, 78.0)
_SWEEPS = 4
_CLASH = 1e6
_DROP = 420.0


@dataclass(frozen=True, slots=True)
class LabelPoint:
    """A circle that wants a label; pixels, y upwards.

    Attributes:
        x: Centre.
        y: Centre.
        radius: Of the circle.
        width: Of the label's box.
        height: Of the label's box.
    """

    x: float
    y: float
    radius: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a label goes.

    Attributes:
        dx: From the circle's centre to the label's centre, pixels to the right.
        dy: Likewise, pixels upwards.
        leader: Whether a line should lead from the label to the circle.
    """

    dx: float
    dy: float
    leader: bool


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; pixels."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share more than an edge."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.bottom < other.top
            and other.bottom < self.top
        )

    def inside(self, other: Box) -> bool:
        """Whether this box lies within ``other``."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.bottom >= other.bottom
            and self.top <= other.top
        )


def label_box(point: LabelPoint, placement: Placement) -> Box:
    """The label's rectangle on the plane of the points."""
    x, y = point.x + placement.dx, point.y + placement.dy
    return Box(x - point.width / 2, y - point.height / 2, x + point.width / 2, y + point.height / 2)


def place_labels(
    points: Sequence[LabelPoint],
    area: Box,
    obstacles: Sequence[LabelPoint] = (),
    *,
    drop: bool = False,
) -> list[Placement | None]:
    """Places one label a point so that labels keep clear of labels, circles and the area's edge.

    Big circles choose first; then every label is tried again a few times against all others. The
    same input gives the same output.

    Args:
        points: Circles with labels.
        area: Where labels may be.
        obstacles: Circles without labels that labels should avoid.
        drop: Leave a label out (None) where it would touch another label, hide much of other
            circles or leave the area.

    Returns:
        One placement a point, in the order of ``points``.
    """
    circles = [*points, *obstacles]
    order = sorted(range(len(points)), key=lambda i: (-points[i].radius, points[i].x, points[i].y))
    choices = [_choices(point, circles, area) for point in points]
    placed: dict[int, _Choice] = {}
    for _ in range(_SWEEPS):
        changed = False
        for index in order:
            others = [(points[i], placed[i]) for i in placed if i != index]
            best = _best(points[index], choices[index], others)
            changed |= placed.get(index) != best
            placed[index] = best
        if not changed:
            break
    if drop:
        for index in reversed(order):
            others = [(points[i], placed[i]) for i in placed if i != index]
            cost = placed[index].cost + _clashes(points[index], placed[index], others)
            if cost > _DROP:
                del placed[index]
    return [placed[i].placement if i in placed else None for i in range(len(points))]


@dataclass(frozen=True, slots=True)
class _Choice:
    """A place for one label, with what it costs before other labels are looked at."""

    cost: float
    placement: Placement
    box: Box


def _choices(point: LabelPoint, circles: Sequence[LabelPoint], area: Box) -> list[_Choice]:
    """All places of a label, cheapest first."""
    reach = _DISTANCES[-1] + point.radius + point.width + 10
    near = [
        circle
        for circle in circles
        if abs(circle.x - point.x) < reach + circle.radius
        and abs(circle.y - point.y) < reach + circle.radius
    ]
    found = []
    for placement in _candidates(point):
        box = label_box(point, placement)
        found.append(_Choice(_static_cost(point, placement, near, area), placement, box))
    return sorted(found, key=lambda choice: choice.cost)


def _best(
    point: LabelPoint,
    choices: Sequence[_Choice],
    others: Sequence[tuple[LabelPoint, _Choice]],
) -> _Choice:
    best, lowest = choices[0], math.inf
    for choice in choices:
        if choice.cost >= lowest:
            break  # cheapest first: no later place can win
        if (cost := choice.cost + _clashes(point, choice, others)) < lowest:
            lowest, best = cost, choice
    return best


def _candidates(point: LabelPoint) -> Iterator[Placement]:
    """Label positions around a circle, nearest first; to the right first at equal distance."""
    for distance in _DISTANCES:
        for angle in _ANGLES:
            cos, sin = math.cos(angle), math.sin(angle)
            # The box's support along the direction puts its nearest edge at the wanted distance.
            support = min(
                point.width / 2 / abs(cos) if abs(cos) > 1e-9 else math.inf,
                point.height / 2 / abs(sin) if abs(sin) > 1e-9 else math.inf,
            )
            length = point.radius + distance + support
            yield Placement(round(length * cos, 1), round(length * sin, 1), distance > 14)


def _static_cost(
    point: LabelPoint, placement: Placement, circles: Sequence[LabelPoint], area: Box
) -> float:
    """Leaving the area, circles covered or nearer than the own one, distance, odd angles."""
    box = label_box(point, placement)
    own = _edge_distance(box, point)
    cost = own + (0.0 if box.inside(area) else _CLASH)
    cost += 0.0 if abs(placement.dy) < 1 or abs(placement.dx) < 1 else 3.0
    cost += 2.0 if placement.dx < 0 else 0.0
    if placement.leader:
        cost += sum(2.0 * _line_depth(point, placement, c) for c in circles if c is not point)
    margin = 1.0 if placement.leader else own + 8.0
    for circle in circles:
        reach = circle.radius + margin
        if (
            circle.x + reach < box.left
            or circle.x - reach > box.right
            or circle.y + reach < box.bottom
            or circle.y - reach > box.top
        ):
            continue
        distance = _edge_distance(box, circle)
        if distance < 1.0:
            # Covering a circle costs more than any distance; a small one would vanish altogether.
            cost += 150.0 + 40.0 * min(1.0 - distance, 12.0)
        if circle is not point and not placement.leader and distance < margin:
            # A name that stands nearer to a foreign circle reads as that one's.
            cost += 6.0 * (margin - distance)
    return cost


def _clashes(
    point: LabelPoint, choice: _Choice, others: Sequence[tuple[LabelPoint, _Choice]]
) -> float:
    """Other labels that a label covers, and leaders that run through labels or cross."""
    cost = 0.0
    for other, where in others:
        if choice.box.overlaps(where.box):
            cost += _CLASH
        if choice.placement.leader and _line_hits(point, choice.placement, where.box):
            cost += 400.0
        if where.placement.leader and _line_hits(other, where.placement, choice.box):
            cost += 400.0
    return cost


def _edge_distance(box: Box, circle: LabelPoint) -> float:
    """Pixels between a box and a circle's edge, negative where they overlap."""
    dx = max(box.left - circle.x, 0.0, circle.x - box.right)
    dy = max(box.bottom - circle.y, 0.0, circle.y - box.top)
    return math.hypot(dx, dy) - circle.radius


def _line_depth(point: LabelPoint, placement: Placement, circle: LabelPoint) -> float:
    """How many pixels a leader runs inside a foreign circle, at most its radius."""
    reach = circle.radius
    if (
        circle.x + reach < min(point.x, point.x + placement.dx)
        or circle.x - reach > max(point.x, point.x + placement.dx)
        or circle.y + reach < min(point.y, point.y + placement.dy)
        or circle.y - reach > max(point.y, point.y + placement.dy)
    ):
        return 0.0
    length = math.hypot(placement.dx, placement.dy)
    along = ((circle.x - point.x) * placement.dx + (circle.y - point.y) * placement.dy) / length**2
    along = min(max(along, point.radius / length), 1.0)
    gap = math.hypot(
        point.x + along * placement.dx - circle.x, point.y + along * placement.dy - circle.y
    )
    return max(0.0, circle.radius - gap)


def _line_hits(point: LabelPoint, placement: Placement, box: Box) -> bool:
    """Whether the leader of a label passes through a box (sampled every twentieth)."""
    left, right = sorted((point.x, point.x + placement.dx))
    bottom, top = sorted((point.y, point.y + placement.dy))
    if not box.overlaps(Box(left - 1, bottom - 1, right + 1, top + 1)):
        return False
    for step in range(1, 20):
        x = point.x + placement.dx * step / 20
        y = point.y + placement.dy * step / 20
        if box.left < x < box.right and box.bottom < y < box.top:
            return True
    return False
