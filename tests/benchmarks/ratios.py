"""What ratios that were found in turn say together: their median with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 4000


@dataclass(frozen=True, slots=True)
class Difference:
    """The median of ratios, less one, with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.1%} [{self.low:+.1%}, {self.high:+.1%}]"

    def within(self, limit: float) -> bool:
        """Whether it is shown to be no further from 0 than this: by its whole interval."""
        return -limit <= self.low and self.high <= limit


def difference(logs: Sequence[float]) -> Difference:
    """Of log ratios, by bootstrap over them (seeded: the same ratios say the same)."""
    values = np.asarray(logs)
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(np.median(values[drawn], axis=1), (2.5, 97.5))
    return Difference(*(float(np.expm1(value)) for value in (np.median(values), low, high)))
