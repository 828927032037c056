"""The engine's request for timing several networks in turn."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from explorer.errors import ModelTooLargeError
from explorer.i18n import N_
from explorer.paired.result import PairedRequest, PairedResult, Refused
from explorer.requests import ModelRef


@dataclass(frozen=True, slots=True)
class MeasurePaired:
    """Times of several networks, interleaved; partial results come after each round or block.

    They are loaded together and take turns round by round. Where the budget for models holds each,
    but not all, they are loaded one after another, in a few blocks. One that is larger than the
    budget by itself is left out, and said in the result.

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
        """Seconds by round and network; ``context`` is an ``explorer.tasks.Context``.

        Raises:
            ModelTooLargeError: Each of them is larger than the budget by itself.
        """
        from explorer.paired_timing import measure_in_blocks, measure_paired

        context.stage(N_("Loading the networks"))
        sizes, refused = self._sizes(context)
        if not sizes:
            raise refused[0].error
        together, budget = sum(sizes.values()), context.pool.budget_bytes

        def progress(done: float, total: float | None, so_far: PairedResult | None = None) -> None:
            told = None if so_far is None else replace(so_far, refused=refused)
            context.progress(done, total, told)

        if together <= budget:
            with ExitStack() as held:
                loaded = [
                    held.enter_context(context.pool.use(ref, progress=context.progress))
                    for ref in sizes
                ]
                context.stage(N_("Measuring in turn"))
                found = measure_paired(loaded, self.request, progress=progress)
        else:
            context.stage(N_("Measuring in blocks"))
            openers = [partial(context.pool.use, ref) for ref in sizes]
            found = measure_in_blocks(openers, self.request, (together, budget), progress)
        return replace(found, refused=refused)

    def _sizes(self, context: Any) -> tuple[dict[ModelRef, int], tuple[Refused, ...]]:
        """Bytes of each network once loaded (its buffers are in no catalog), and those too large.

        This also downloads what is not there yet. Networks that fit together stay loaded.
        """
        sizes: dict[ModelRef, int] = {}
        refused: list[Refused] = []
        for ref in self.refs:
            try:
                sizes[ref] = _size(context, ref)
            except ModelTooLargeError as error:
                refused.append(Refused(ref.model, ref.weights, error))
        return sizes, tuple(refused)


def _size(context: Any, ref: ModelRef) -> int:
    """Bytes of one; a function of its own, so that no variable keeps the network alive."""
    with context.pool.use(ref, progress=context.progress) as loaded:
        return int(loaded.nbytes)
