"""Whether a network became faster or slower on this machine since it was measured last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from explorer.measurements.rows import Row

#: Change of the median that is worth a flag.
CHANGE = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """A measurement beside the one before it under the same conditions.

    Attributes:
        row: The measurement.
        before: None for the first one.
    """

    row: Row
    before: Row | None

    @property
    def relative(self) -> float | None:
        """Change of the median; 0.1 for a tenth slower; None without two medians."""
        if self.before is None or not self.before.median or self.row.median is None:
            return None
        return self.row.median / self.before.median - 1

    @property
    def flagged(self) -> bool:
        """Whether it is a change: over 5 %, and the medians' confidence intervals lie apart."""
        one, two = self.before, self.row
        if self.relative is None or abs(self.relative) <= CHANGE or one is None:
            return False
        if one.low is None or one.high is None or two.low is None or two.high is None:
            return False
        return two.low > one.high or two.high < one.low


def changes(rows: Iterable[Row]) -> tuple[Change, ...]:
    """Each measurement with the one before it, oldest first.

    Those belong together whose machine, threads, mode, element type, layout, input size, batch size
    and network are the same. The machine's fingerprint holds torch's version and the driver's: here
    only the device and the processor have to agree, so that what an update changed is seen.
    """
    last: dict[tuple[object, ...], Row] = {}
    found = []
    for row in sorted(rows, key=lambda row: (row.started_at, row.run_id)):
        machine = (row.device, row.machine.cpu if row.machine else "", row.origin)
        key = (machine, row.model, row.mode, row.dtype, row.memory_format, row.threads,
               row.input_size, row.batch_size)  # fmt: skip
        found.append(Change(row, last.get(key)))
        last[key] = row
    return tuple(found)
