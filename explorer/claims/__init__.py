"""Folklore, checked: sentences that circulate about these networks, each with a verdict.

``claims`` reads the sentences; ``recompute`` derives their numbers and verdicts from the traced
networks, the catalog and the published tables, so that what the page shows is never only asserted.
"""

from explorer.claims.recompute import CHECKS, Check, Computed, recompute
from explorer.claims.statements import VERDICTS, Claim, Verdict, claims, counts

__all__ = [
    "CHECKS", "VERDICTS", "Check", "Claim", "Computed", "Verdict", "claims", "counts", "recompute",
]  # fmt: skip
