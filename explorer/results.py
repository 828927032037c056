"""What the analyses return: frozen, picklable, free of torch and streamlit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What networks run on.

    Attributes:
        kind: "cpu", "cuda" or "mps".
        name: As the maker calls it ("AMD EPYC 9V74", "NVIDIA H100 80GB HBM3").
        memory_bytes: Of the device; on "cpu" and "mps", of the machine. None where unknown.
        threads: Intra-op CPU threads of torch in this process.
    """

    kind: str
    name: str
    memory_bytes: int | None
    threads: int


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class of a prediction.

    Attributes:
        index: In the network's output.
        label: English name of the class.
        probability: Softmax, 0…1.
        logit: Before softmax.
    """

    index: int
    label: str
    probability: float
    logit: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network says of an image.

    Attributes:
        model: Catalog id.
        weights: Weights id; None for an untrained network.
        top: Most probable classes, best first.
        crop: What the network saw, (H, W, 3) uint8 RGB (grey networks: three equal channels).
        seconds: Of the forward pass.
        device: Where it ran.
    """

    model: str
    weights: str | None
    top: tuple[ClassScore, ...]
    crop: npt.NDArray[np.uint8]
    seconds: float
    device: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """Why a network said it, as a signed map over the image that it saw.

    Attributes:
        model: Catalog id.
        weights: Weights id; None for an untrained network.
        method: Id in ``METHODS``.
        map: (H, W) float32, the size of the crop; positive speaks for the target.
        target: Class that is explained.
        probabilities: Softmax over all classes, (K,) float32.
        crop: What the network saw, (H, W, 3) uint8 RGB.
        delta: |sum of the map − difference of outputs| over |difference of outputs|, where the
            method promises completeness; else None.
        layer: Module path for layer methods; else None.
        options: The options used, defaults filled in.
        seconds: Wall time of the computation.
        warnings: Sentences to show beside the map (English, msgids, already formatted).
    """

    model: str
    weights: str | None
    method: str
    map: FloatArray
    target: int
    probabilities: FloatArray
    crop: npt.NDArray[np.uint8]
    delta: float | None
    layer: str | None
    options: dict[str, Any]
    seconds: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LatencySeries:
    """Raw forward times of one batch size; statistics are derived from them.

    Attributes:
        batch_size: Images per forward pass.
        seconds: (N,) float64, seconds per *batch*, in order.
        starts: (N,) float64, when each run began, seconds since the first one.
        warmup_seconds: Times of the runs that were thrown away.
        finished: False while it is being measured, or when it was cancelled.
    """

    batch_size: int
    seconds: npt.NDArray[np.float64]
    starts: npt.NDArray[np.float64]
    warmup_seconds: tuple[float, ...] = ()
    finished: bool = True

    def percentile(self, q: float) -> float | None:
        """The q-th percentile in seconds per batch, q in 0…100; None when the sample is too small.

        A percentile needs ten runs beyond it (p95: 200 runs, p99: 1,000), the median needs one run.
        """
        n = len(self.seconds)
        tail = min(q, 100 - q) / 100
        if n == 0 or (q != 50 and n * tail < 10):
            return None
        return float(np.percentile(self.seconds, q))

    @property
    def median(self) -> float | None:
        """Seconds per batch."""
        return self.percentile(50)

    @property
    def images_per_second(self) -> float | None:
        """Batch size over the median time."""
        return None if self.median is None else self.batch_size / self.median


@dataclass(frozen=True, slots=True)
class LatencyResult:
    """Forward times of a network on one machine.

    Attributes:
        model: Catalog id.
        weights: Weights id; None for an untrained network (speed does not depend on it).
        series: One per batch size.
        device: Name of the device ("AMD EPYC …, 2 threads").
        threads: Intra-op CPU threads used.
        dtype: Element type.
        memory_format: "contiguous" or "channels_last".
        input_size: (C, H, W).
        versions: Library versions.
    """

    model: str
    weights: str | None
    series: tuple[LatencySeries, ...]
    device: str
    threads: int
    dtype: str
    memory_format: str
    input_size: tuple[int, int, int]
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class TorchinfoSummary:
    """What the tool torchinfo says of a network; it sees modules, not functions.

    Attributes:
        model: Catalog id.
        input_size: (C, H, W), batch 1.
        text: Its table, as it prints it.
        total_params: Parameters that it counts.
        trainable_params: Those that require a gradient.
        mult_adds: Multiply–adds that it counts; lower than ours where work is done by functions.
        version: Of torchinfo.
    """

    model: str
    input_size: tuple[int, int, int]
    text: str
    total_params: int
    trainable_params: int
    mult_adds: int
    version: str
