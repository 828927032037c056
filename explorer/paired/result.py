"""What was timed in turn, and the ratio of two of them with its interval. No torch here.

In each round every network runs a few times, one network after the other, in an order that is drawn
anew. The median of a network's runs of one round is one observation; two networks are compared
within rounds, so that a machine that slows down slows both. The interval is a percentile bootstrap
over rounds (Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13).

Networks that do not fit into memory together are timed in blocks: in each block each network is
loaded once and has several turns in a row. Its turns of one block share what the machine did just
then, so that a block is one observation, and the bootstrap is over blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.errors import ExplorerError

#: Resamples of the bootstrap; the seed makes the interval of one sample one number.
RESAMPLES, SEED = 4000, 0
#: Rounds below which no interval is given.
LEAST_ROUNDS = 8
#: Blocks below which no interval is given: five values leave their median out of their whole range
#: in 2 · (1/2)^5 = 6.2 % of all samples, six in 3.1 %.
LEAST_BLOCKS = 6
#: Tails of the interval in percent. Percentiles of few resampled values lie too near each other
#: (Hesterberg 2015, *The American Statistician* 69:371, "expanded percentile"): for six blocks the
#: tail is Φ(-√(6/5) · t(0.975; 5)) = Φ(-2.82) = 0.24 %.
TAIL, BLOCK_TAIL = 2.5, 0.24


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
        blocks: How often each network is loaded where they do not fit together; the rounds are
            shared out among the blocks.
    """

    batch_size: int = 1
    rounds: int = 30
    runs: int = 3
    turn_seconds: float = 0.03
    threads: int | None = None
    seed: int = 0
    blocks: int = LEAST_BLOCKS

    @property
    def turns(self) -> int:
        """Turns of a network in each block: at least as many in all as there are rounds."""
        return -(-self.rounds // self.blocks)


@dataclass(frozen=True, slots=True)
class Blocks:
    """How networks were timed that do not fit into memory together.

    Attributes:
        turns: Turns of each network in each block.
        model_bytes: What the networks take together.
        budget_bytes: What loaded networks may take.
    """

    turns: int
    model_bytes: int
    budget_bytes: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A network that was not timed.

    Attributes:
        model: Catalog id.
        weights: Its weights; None for untrained.
        error: Why.
    """

    model: str
    weights: str | None
    error: ExplorerError


@dataclass(frozen=True, slots=True)
class PairedResult:
    """Times of several networks, round by round.

    Attributes:
        models: Catalog ids, in the order asked for.
        weights: Their weights; None for untrained.
        seconds: (rounds, models) float64: median seconds per batch of each turn; in blocks, the
            turns of the first block come first.
        batch_size: Images per forward pass.
        device: Where.
        threads: Intra-op CPU threads.
        versions: Library versions.
        blocks: None where all networks were loaded together and took turns round by round.
        refused: Networks that were asked for and not timed.
    """

    models: tuple[str, ...]
    weights: tuple[str | None, ...]
    seconds: npt.NDArray[np.float64]
    batch_size: int
    device: str
    threads: int
    versions: dict[str, str]
    blocks: Blocks | None = None
    refused: tuple[Refused, ...] = ()

    @property
    def observations(self) -> npt.NDArray[np.float64]:
        """(rounds or blocks, models): what networks are compared by, seconds per batch."""
        if self.blocks is None:
            return self.seconds
        turns = self.seconds.reshape(-1, self.blocks.turns, len(self.models))
        return np.asarray(np.median(turns, axis=1), np.float64)

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
        rounds: How many; of blocks where ``in_blocks``.
        in_blocks: Whether the networks were compared by blocks instead of by rounds.
    """

    value: float
    low: float | None
    high: float | None
    rounds: int
    in_blocks: bool = False

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
    seen = result.observations
    in_blocks = result.blocks is not None
    logs = np.log(seen[:, one]) - np.log(seen[:, other])
    value = float(np.exp(np.median(logs)))
    rounds = len(logs)
    if rounds < (LEAST_BLOCKS if in_blocks else LEAST_ROUNDS):
        return Ratio(value, None, None, rounds, in_blocks)
    drawn = np.random.default_rng(SEED).integers(0, rounds, (RESAMPLES, rounds))
    tail = BLOCK_TAIL if in_blocks else TAIL
    low, high = np.percentile(np.median(logs[drawn], axis=1), (tail, 100 - tail))
    return Ratio(value, float(np.exp(low)), float(np.exp(high)), rounds, in_blocks)
