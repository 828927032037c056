"""The Pareto front of points in the plane."""

from __future__ import annotations

from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points that no other point beats, in order of x.

    A point is beaten when another has no larger x and no smaller y and differs from it. Equal
    points on the front all belong to it.

    Args:
        points: (cost, merit): a small first and a large second number are good.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i))
    front: list[int] = []
    for index in order:
        last = points[front[-1]] if front else None
        if last is None or points[index][1] > last[1] or points[index] == last:
            front.append(index)
    return front
