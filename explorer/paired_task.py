"""The engine's request for timing several networks in turn."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from explorer.i18n import N_
from explorer.paired.result import PairedRequest, PairedResult
from explorer.requests import ModelRef


@dataclass(frozen=True, slots=True)
class MeasurePaired:
    """Times of several networks, interleaved; partial results come after each round.

    All of them are loaded at once: together they must fit into the budget for models.

    Attributes:
        refs: The networks, each once.
        request: How often, and how large a batch.
    """

    refs: tuple[ModelRef, ...]
    request: PairedRequest = field(default_factory=PairedRequest)

    def key(self) -> str:
        """Never shared nor kept: each measurement is one of its own."""
        return ""

    def run(self, context: Any) -> PairedResult:
        """Seconds by round and network; ``context`` is an ``explorer.tasks.Context``."""
        from explorer.paired_timing import measure_paired

        context.stage(N_("Loading the networks"))
        with ExitStack() as held:
            loaded = [
                held.enter_context(context.pool.use(ref, progress=context.progress))
                for ref in self.refs
            ]
            context.stage(N_("Measuring in turn"))
            return measure_paired(loaded, self.request, progress=context.progress)
