"""The Pareto front of points in the plane, and how much of the plane it dominates."""

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


def hypervolume(points: Sequence[tuple[float, float]], reference: tuple[float, float]) -> float:
    """The area that the points dominate, up to a reference point that is worse than all of them.

    A place is dominated when some point has no larger x and no smaller y; the area is bounded by
    ``reference`` on the right and below (Zitzler & Thiele 1998, there "size of the space covered").
    On the front sorted by x it is Σ (x_ref - x_i) · (y_i - y_(i-1)), beginning with y_0 = y_ref.

    Args:
        points: (cost, merit); those that are not better than the reference in both add nothing.
        reference: (largest cost, smallest merit) that counts.
    """
    better = [(x, y) for x, y in points if x < reference[0] and y > reference[1]]
    area, below = 0.0, reference[1]
    for index in pareto_front(better):
        x, y = better[index]
        area += (reference[0] - x) * (y - below)
        below = y
    return area
