"""The task that recomputes the statements of folklore; it traces the networks that they need."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.claims import Computed, recompute
from explorer.i18n import N_
from explorer.task_keys import digest
from explorer.tasks import Context


@dataclass(frozen=True, slots=True)
class CheckClaims:
    """Numbers and verdicts of claims, derived anew; needs no weights.

    Attributes:
        claims: Ids; those that cannot be computed are left out of the result.
    """

    claims: tuple[str, ...]

    def key(self) -> str:
        """By the claims."""
        return digest("check-claims", self.claims)

    def run(self, context: Context) -> tuple[Computed, ...]:
        """One result for each claim; with each one that is done, those so far are handed out."""
        from explorer.catalog import find
        from explorer.graph import LayerGraph
        from explorer.trace import trace_spec

        graphs: dict[str, LayerGraph] = {}

        def trace(model: str) -> LayerGraph:
            if model not in graphs:
                graphs[model] = trace_spec(find(model))
            return graphs[model]

        context.stage(N_("Recomputing the statements"))
        found: list[Computed] = []
        for result in recompute(self.claims, trace):
            found.append(result)
            context.progress(len(found), len(self.claims), tuple(found))
        return tuple(found)
