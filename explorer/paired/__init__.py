"""Several networks timed in turn, so that what disturbs the machine disturbs them alike."""

from explorer.paired.result import PairedRequest, PairedResult, Ratio, ratio_of

__all__ = ["PairedRequest", "PairedResult", "Ratio", "ratio_of"]
