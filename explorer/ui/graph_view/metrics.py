"""What boxes can be coloured by, and how values of ops become values of boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.i18n import _
from explorer.layout import Arrangement


@dataclass(frozen=True, slots=True)
class Metric:
    """One way of colouring.

    Attributes:
        id: For the URL.
        label: Translated.
        unit: Shown beside it: "MAC", "FLOP/byte", "px"; "" for a plain number.
        values: By box id; boxes without a value stay blank.
        si: Unit that takes prefixes beside the number itself: "B", "s".
    """

    id: str
    label: str
    unit: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    si: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As the component takes it."""
        found = {"id": self.id, "label": self.label, "unit": self.unit, "si": self.si}
        return found | {"values": {key: value for key, value in self.values.items() if value > 0}}


def own_metrics() -> list[dict[str, Any]]:
    """What every arrangement carries itself."""
    return [
        {"id": "params", "label": _("Parameters"), "unit": "", "si": "", "field": "params"},
        {"id": "macs", "label": "MACs", "unit": "MAC", "si": "", "field": "macs"},
        {"id": "bytes", "label": _("Activation bytes"), "unit": "B", "si": "B", "field": "bytes"},
    ]


def box_values(
    arrangement: Arrangement,
    per_op: Mapping[str, float],
    combine: Callable[[list[float]], float] = sum,
) -> dict[str, float]:
    """Values of ops as values of the boxes that hold them.

    Args:
        arrangement: What is drawn.
        per_op: By op id; ops that are missing count for nothing.
        combine: ``sum`` for times and counts, ``max`` for a receptive field.
    """
    found: dict[str, float] = {}
    for box in arrangement.boxes:
        values = [per_op[op] for op in box.ops if op in per_op]
        if values:
            found[box.id] = float(combine(values))
    return found
