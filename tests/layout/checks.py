"""What must hold for every drawing; each function returns the faults it finds."""

from __future__ import annotations

from itertools import pairwise

from explorer.layout import Arrangement, Box

NEAR = 0.11  # px: positions are rounded to tenths


def overlaps(drawing: Arrangement) -> list[tuple[str, str]]:
    """Siblings that cover each other."""
    found = []
    families: dict[str, list[Box]] = {}
    for box in drawing.boxes:
        families.setdefault(box.parent, []).append(box)
    for family in families.values():
        family.sort(key=lambda box: box.y)
        for place, first in enumerate(family):
            for second in family[place + 1 :]:
                if second.y >= first.y + first.height:
                    break
                apart = second.x >= first.x + first.width or first.x >= second.x + second.width
                if not apart:
                    found.append((first.id, second.id))
    return found


def escapes(drawing: Arrangement) -> list[str]:
    """Boxes that reach out of the open box around them, or out of the drawing."""
    boxes = {box.id: box for box in drawing.boxes}
    whole = Box("", "", "", "", "", "", 0, 0, drawing.width, drawing.height)
    found = []
    for box in drawing.boxes:
        holder = boxes[box.parent] if box.parent else whole
        inside = (
            holder.x <= box.x
            and holder.y <= box.y
            and box.x + box.width <= holder.x + holder.width + NEAR
            and box.y + box.height <= holder.y + holder.height + NEAR
        )
        if not inside:
            found.append(box.id)
    return found


def loose_ends(drawing: Arrangement) -> list[tuple[str, str]]:
    """Edges that are torn, slant, or do not begin and end on the borders of their boxes."""
    boxes = {box.id: box for box in drawing.boxes}
    found = []
    for line in drawing.lines:
        parts = [drawing.routes[route].points for route in line.routes]
        joined = all(one[-1] == two[0] for one, two in pairwise(parts))
        straight = all(
            abs(a[0] - b[0]) <= NEAR or abs(a[1] - b[1]) <= NEAR
            for part in parts
            for a, b in pairwise(part)
        )
        begins = on_border(boxes[line.source], parts[0][0])
        ends = on_border(boxes[line.target], parts[-1][-1])
        if not (joined and straight and begins and ends):
            found.append((line.source, line.target))
    return found


def on_border(box: Box, point: tuple[float, float]) -> bool:
    """Whether a point lies on the outline of a box."""
    x, y = point
    right, bottom = box.x + box.width, box.y + box.height
    beside = min(abs(x - box.x), abs(x - right)) <= NEAR
    above = min(abs(y - box.y), abs(y - bottom)) <= NEAR
    within_x = box.x - NEAR <= x <= right + NEAR
    within_y = box.y - NEAR <= y <= bottom + NEAR
    return (beside and within_y) or (above and within_x)


def crossed_boxes(drawing: Arrangement) -> list[tuple[str, tuple[float, float]]]:
    """Closed boxes that a route passes under."""
    closed = sorted((box for box in drawing.boxes if not box.open), key=lambda box: box.y)
    found = []
    for route in drawing.routes:
        for (x0, y0), (x1, y1) in pairwise(route.points):
            for box in closed:
                if box.y + 1 > max(y0, y1):
                    break
                if box.y + box.height - 1 <= min(y0, y1):
                    continue
                if box.x + 1 < max(x0, x1) and box.x + box.width - 1 > min(x0, x1):
                    found.append((box.id, (x0, y0)))
    return found


def faults(drawing: Arrangement) -> dict[str, list[object]]:
    """All of the above that is not empty."""
    checks = (overlaps, escapes, loose_ends, crossed_boxes)
    found = {check.__name__: list(check(drawing)) for check in checks}
    return {name: entries for name, entries in found.items() if entries}
