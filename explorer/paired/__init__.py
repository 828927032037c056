"""Several networks timed in turn, so that what disturbs the machine disturbs them alike."""

from explorer.paired.result import Blocks, PairedRequest, PairedResult, Ratio, Refused, ratio_of

__all__ = ["Blocks", "PairedRequest", "PairedResult", "Ratio", "Refused", "ratio_of"]
