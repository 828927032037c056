"""The roofline model: what limits each layer here, arithmetic or memory (Williams et al. 2009).

Williams, Waterman & Patterson, "Roofline: An Insightful Visual Performance Model for Multicore
Architectures", Communications of the ACM 52(4), doi:10.1145/1498765.1498785.
"""

from __future__ import annotations

from explorer.roofline.layers import roofline, time_layers
from explorer.roofline.peaks import device_peaks, measure_peaks
from explorer.roofline.store import keep_peaks, kept_peaks

__all__ = [
    "device_peaks",
    "keep_peaks",
    "kept_peaks",
    "measure_peaks",
    "roofline",
    "time_layers",
]
