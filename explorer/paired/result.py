"""What was timed in turn, and the ratio of two of them with its interval. No torch here.

In each round every network runs a few times, one network after the other, in an order that is drawn
anew. The median of a network's runs of one round is one observation; two networks are compared
within rounds, so that a machine that slows down slows both. The interval is a percentile bootstrap
over rounds (Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

#: Resamples of the bootstrap; the seed makes the interval of one sample one number.
RESAMPLES, SEED = 4000, 0
#: Rounds below which no interval is given.
LEAST_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class PairedRequest:
    """What to time.

    Attributes:
        batch_size: Images per forward pass.
        rounds: How often each network has its turn.
        runs: Forward passes of each turn, at least.
        turn_seconds: Time of each turn, at least.
        threads: Intra-op CPU threads; None leaves torch's setting.
        seed: Of the order within the rounds.
    """

    batch_size: int = 1
    rounds: int = 30
    runs: int = 3
    turn_seconds: float = 0.03
    threads: int | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class PairedResult:
    """Times of several networks, round by round.

    Attributes:
        models: Catalog ids, in the order asked for.
        weights: Their weights; None for untrained.
        seconds: (rounds, models) float64: median seconds per batch of each turn.
        batch_size: Images per forward pass.
        device: Where.
        threads: Intra-op CPU threads.
        versions: Library versions.
    """

    models: tuple[str, ...]
    weights: tuple[str | None, ...]
    seconds: npt.NDArray[np.float64]
    batch_size: int
    device: str
    threads: int
    versions: dict[str, str]

    @property
    def medians(self) -> tuple[float, ...]:
        """Seconds per batch of each network, over all rounds."""
        return tuple(float(value) for value in np.median(self.seconds, axis=0))


@dataclass(frozen=True, slots=True)
class Ratio:
    """Time of one network over that of another.

    Attributes:
        value: Median over the rounds of the ratio within the round.
        low: Lower end of the 95 % interval; None for too few rounds.
        high: Upper end.
        rounds: How many.
    """

    value: float
    low: float | None
    high: float | None
    rounds: int

    @property
    def shown(self) -> bool:
        """Whether a difference is shown: the interval is there and leaves 1 out."""
        return self.low is not None and self.high is not None and not self.low <= 1 <= self.high


def ratio_of(result: PairedResult, one: int, other: int) -> Ratio:
    """How many times as long ``one`` takes as ``other``.

    Args:
        result: With at least one round.
        one: Its place in ``models``.
        other: The place of the reference.
    """
    logs = np.log(result.seconds[:, one]) - np.log(result.seconds[:, other])
    value = float(np.exp(np.median(logs)))
    rounds = len(logs)
    if rounds < LEAST_ROUNDS:
        return Ratio(value, None, None, rounds)
    drawn = np.random.default_rng(SEED).integers(0, rounds, (RESAMPLES, rounds))
    low, high = np.percentile(np.median(logs[drawn], axis=1), (2.5, 97.5))
    return Ratio(value, float(np.exp(low)), float(np.exp(high)), rounds)
