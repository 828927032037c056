"""Which worker runs a job: one that has its networks loaded, as long as that is worth the wait.

Pure rules over what the drivers say; the jobs' order, which is fair to visitors, is the board's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from explorer.requests import ModelRef

# A job waits for a busy worker that has its network for so long; then another one loads it too.
# Most networks are loaded in less. So popular networks come to lie on several nodes, and go where
# nobody asks for them any more, by the pool's own rule.
PATIENCE_SECONDS = 2.0


class Seat(Protocol):
    """What is known of a worker (``crew.NodeDriver``)."""

    @property
    def free(self) -> bool:
        """Whether it could begin a job now."""

    @property
    def networks(self) -> frozenset[ModelRef]:
        """What is loaded there, and what the job that it runs is loading."""


def wants(seat: Seat, others: Iterable[Seat], needs: tuple[ModelRef, ...], waited: float) -> bool:
    """Whether a free worker should take a job.

    Args:
        seat: The worker that asks.
        others: All the others.
        needs: The networks that the job loads.
        waited: Seconds since it was submitted.
    """
    if not needs or seat.networks.issuperset(needs):
        return True
    holders = [other for other in others if other.networks.issuperset(needs)]
    if any(holder.free for holder in holders):
        return False  # it is about to take it
    return not holders or waited > PATIENCE_SECONDS
