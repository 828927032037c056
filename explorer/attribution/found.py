"""What a method hands back, before it becomes an ``Attribution``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from explorer.i18n import N_

#: Completeness delta under which a map counts as complete.
CONVERGED = 0.02

NOT_CONVERGED = N_(
    "Not converged: the completeness delta is over 2 %; raise the number of steps, or read the map "
    "with care."
)
NO_CHANNELS = N_(
    "This method gives one value to a place, for all colour channels together; there is none for "
    "each."
)
NOT_COMPLETE = N_(
    "Not complete: the map misses the difference of the scores by over 2 %; read it with care."
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a method hands back.

    Attributes:
        map: (H, W), any device.
        channels: (C, H, W), what the map was joined from; None where a method has no values by
            channel.
        delta: Completeness delta, relative.
        layer: Module path.
        extra: What was found out about the options ("steps_used").
        warnings: Sentences.
        repaired: Sentences on what Captum alone would have computed wrongly.
    """

    map: Tensor
    delta: float | None = None
    layer: str | None = None
    extra: tuple[tuple[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    channels: Tensor | None = None


def summed(channels: Tensor, **more: Any) -> Found:
    """Found of values by channel, (C, H, W), whose sum is the map."""
    return Found(channels.sum(dim=0), channels=channels, **more)


def delta_of(total: Tensor, difference: float) -> float:
    """|sum of the map − difference of the scores| over |difference|."""
    return abs(float(total.double().sum()) - difference) / max(abs(difference), 1e-6)
