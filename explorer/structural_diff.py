"""What changes between two networks: their operations aligned in order of execution.

A global alignment (Needleman & Wunsch, J. Mol. Biol. 48, 1970, doi:10.1016/0022-2836(70)90057-4) of
the two sequences of operations. Only operations of the same type are ever matched; of those, the
more that agree (shape, attributes, place in the network), the better. What is left over was added
or removed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from explorer.graph import LayerGraph, Op

# What two matched operations are worth: the same type at all, and the shares of what agrees.
_TYPE, _ATTRIBUTES, _SHAPE, _PLACE = 2.0, 2.0, 1.0, 0.5

#: Attributes that say how an operation was called, and not what it computes.
_CALL = frozenset({"training", "cudnn_enabled", "inplace", "momentum"})


class Status(Enum):
    """How an operation of one network relates to the other network."""

    SAME = "same"
    CHANGED = "changed"
    FOLLOWS = "follows"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Step:
    """One place of the alignment.

    Attributes:
        status: ``FOLLOWS``: the same operation on a tensor of another shape, because something
            before it changed.
        first: Op id in the first network; None where it was added.
        second: Op id in the second network; None where it was removed.
        differences: (attribute, value in the first, value in the second).
    """

    status: Status
    first: str | None
    second: str | None
    differences: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Steps of one sort, for a list that can be read.

    Attributes:
        status: Added, removed or changed.
        target: Operation, as ATen calls it ("batch_norm").
        attributes: Names of what changed, sorted; empty for added and removed.
        steps: In order of execution.
    """

    status: Status
    target: str
    attributes: tuple[str, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class StructuralDiff:
    """The alignment of two networks.

    Attributes:
        first: Model id.
        second: Model id.
        steps: In order of execution.
    """

    first: str
    second: str
    steps: tuple[Step, ...]

    @property
    def empty(self) -> bool:
        """Whether the networks run the same operations on the same shapes."""
        return all(step.status is Status.SAME for step in self.steps)

    @property
    def same_skeleton(self) -> bool:
        """Whether nothing was added or removed."""
        return not any(step.status in (Status.ADDED, Status.REMOVED) for step in self.steps)

    def counts(self) -> dict[Status, int]:
        """Number of steps of each status."""
        found = Counter(step.status for step in self.steps)
        return {status: found[status] for status in Status}

    def of(self, second: bool) -> dict[str, Status]:
        """Status by op id of the first network, or of the second."""
        pairs = ((step.second if second else step.first, step.status) for step in self.steps)
        return {op: status for op, status in pairs if op is not None}


def structural_diff(first: LayerGraph, second: LayerGraph) -> StructuralDiff:
    """Aligns two networks; time and memory grow with the product of their numbers of operations.

    Args:
        first: What the second is compared with.
        second: The other network.
    """
    steps = []
    for a, b in _aligned(first.ops, second.ops):
        if a is None:
            assert b is not None
            steps.append(Step(Status.ADDED, None, b.id))
        elif b is None:
            steps.append(Step(Status.REMOVED, a.id, None))
        else:
            steps.append(_step(a, b))
    return StructuralDiff(first.model, second.model, tuple(steps))


def differences(
    diff: StructuralDiff, first: LayerGraph, second: LayerGraph
) -> tuple[Difference, ...]:
    """The steps that are not the same, grouped: most multiply–accumulates concerned first.

    Args:
        diff: Of these two networks.
        first: The first network.
        second: The second network.
    """
    groups: dict[tuple[Status, str, tuple[str, ...]], list[Step]] = {}
    for step in diff.steps:
        if step.status in (Status.SAME, Status.FOLLOWS):
            continue
        names = tuple(sorted(name for name, _a, _b in step.differences))
        groups.setdefault((step.status, _op(step, first, second).target, names), []).append(step)

    def weight(steps: list[Step]) -> int:
        return sum(_op(step, first, second).macs for step in steps)

    ranked = sorted(groups.items(), key=lambda item: (-weight(item[1]), -len(item[1])))
    return tuple(Difference(*key, tuple(steps)) for key, steps in ranked)


def _op(step: Step, first: LayerGraph, second: LayerGraph) -> Op:
    if step.second is not None:
        return second.op_by_id[step.second]
    assert step.first is not None
    return first.op_by_id[step.first]


def _target(op: Op) -> str:
    """In-place or not, it computes the same."""
    return op.target.rstrip("_")


def _attributes(op: Op) -> dict[str, Any]:
    return {name: value for name, value in op.attributes.items() if name not in _CALL}


def _step(a: Op, b: Op) -> Step:
    before, after = _attributes(a), _attributes(b)
    found = tuple(
        (name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )
    shapes = (_shapes(a), _shapes(b))
    if found:
        return Step(Status.CHANGED, a.id, b.id, found)
    if shapes[0] != shapes[1]:
        return Step(
            Status.FOLLOWS, a.id, b.id, (("shape", a.outputs[0].shape, b.outputs[0].shape),)
        )
    return Step(Status.SAME, a.id, b.id)


def _shapes(op: Op) -> tuple[tuple[int, ...], ...]:
    return tuple(tensor.shape for tensor in (*op.inputs, *op.outputs))


def _worth(a: Op, b: Op) -> float:
    """What matching two operations is worth; 0 for those that may not be matched."""
    if _target(a) != _target(b):
        return 0.0
    before, after = _attributes(a), _attributes(b)
    names = before.keys() | after.keys()
    agree = sum(before.get(name) == after.get(name) for name in names)
    share = agree / len(names) if names else 1.0
    return _TYPE + _ATTRIBUTES * share + _SHAPE * (_shapes(a) == _shapes(b))


def _aligned(
    first: tuple[Op, ...], second: tuple[Op, ...]
) -> Iterator[tuple[Op | None, Op | None]]:
    """The alignment that is worth most; of equals, the one whose gaps come late."""
    front = _common(first, second)
    yield from zip(first[:front], second[:front], strict=True)
    first, second = first[front:], second[front:]
    kept: dict[tuple[int, int], float] = {}
    left, right = _classes((*first, *second), len(first))
    rows = [[0.0] * (len(second) + 1) for _row in range(len(first) + 1)]
    for i in range(len(first) - 1, -1, -1):
        row, below, mine = rows[i], rows[i + 1], left[i]
        for j in range(len(second) - 1, -1, -1):
            pair = (mine, right[j])
            worth = kept.get(pair)
            if worth is None:
                worth = kept[pair] = _worth(first[i], second[j])
            best = below[j] if below[j] > row[j + 1] else row[j + 1]
            if worth:
                worth += _PLACE * (first[i].module == second[j].module) + below[j + 1]
                best = worth if worth > best else best
            row[j] = best
    yield from _walk(first, second, rows, kept, (left, right))


def _common(first: tuple[Op, ...], second: tuple[Op, ...]) -> int:
    """Length of the start that is the same in both, which need not be searched."""
    for place, (a, b) in enumerate(zip(first, second, strict=False)):
        if (
            a.module != b.module
            or _target(a) != _target(b)
            or _step(a, b).status is not Status.SAME
        ):
            return place
    return min(len(first), len(second))


def _classes(ops: tuple[Op, ...], split: int) -> tuple[list[int], list[int]]:
    """A number for each operation; those with the same number are worth the same."""
    numbers: dict[str, int] = {}
    found = [
        numbers.setdefault(
            repr((_target(op), sorted(_attributes(op).items()), _shapes(op))), len(numbers)
        )
        for op in ops
    ]
    return found[:split], found[split:]


def _walk(
    first: tuple[Op, ...],
    second: tuple[Op, ...],
    rows: list[list[float]],
    kept: dict[tuple[int, int], float],
    classes: tuple[list[int], list[int]],
) -> Iterator[tuple[Op | None, Op | None]]:
    i = j = 0
    while i < len(first) and j < len(second):
        worth = kept[classes[0][i], classes[1][j]]
        matched = worth + _PLACE * (first[i].module == second[j].module) + rows[i + 1][j + 1]
        if worth and matched >= rows[i][j]:
            yield first[i], second[j]
            i, j = i + 1, j + 1
        elif rows[i + 1][j] >= rows[i][j + 1]:
            yield first[i], None
            i += 1
        else:
            yield None, second[j]
            j += 1
    yield from ((op, None) for op in first[i:])
    yield from ((None, op) for op in second[j:])
