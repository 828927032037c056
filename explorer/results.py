"""What the analyses return: frozen, picklable, free of torch and streamlit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.latency_results import LatencyResult as LatencyResult  # noqa: PLC0414 - part of it
from explorer.latency_results import LatencySeries as LatencySeries  # noqa: PLC0414

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


def named_device(name: str, node: str) -> str:
    """A device as results call it: on a cluster with the node that it is in."""
    return f"{name} (node {node})" if node else name


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
class ClassifiedFrames:
    """One image classified again and again.

    Attributes:
        top: Most probable classes of the last frame, best first.
        frames: Classified so far.
        seconds: Since the loop began.
        recent_rate: Frames per second over the last 30.
        pass_share: Share of that time in the network, 0…1; the rest is resizing and normalising.
        device: Where it ran.
    """

    top: tuple[ClassScore, ...]
    frames: int
    seconds: float
    recent_rate: float
    pass_share: float
    device: str


@dataclass(frozen=True, slots=True)
class SpatialLayer:
    """A layer whose output lies over the image, so that a map can be read from it.

    Attributes:
        path: Module path.
        kind: Class of the module.
        channels: Values at each place.
        height: Places from top to bottom.
        width: Places from left to right.
    """

    path: str
    kind: str
    channels: int
    height: int
    width: int


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
        also: Further classes whose scores were added.
        against: Class whose score was subtracted; None for none.
        output: "logit" or "probability".
        repaired: Sentences (English, msgids) on what had to be treated apart in this network.
        channels: (C, H, W) float32, the values by colour channel that the map joins, where they
            were asked for and the method has them.
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
    also: tuple[int, ...] = ()
    against: int | None = None
    output: str = "logit"
    repaired: tuple[str, ...] = ()
    channels: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class PerturbationCurve:
    """The class's probability while places are taken out of the image, or put into a blurred one.

    Attributes:
        shares: (S + 1,) share of the places that were changed, 0…1.
        scores: (S + 1,) probability of the class, the map's strongest places first.
        random_scores: (N, S + 1), the same in N random orders of the same places.
        removes: True for deletion (the lower the area the better), False for insertion.
    """

    shares: FloatArray
    scores: FloatArray
    random_scores: FloatArray
    removes: bool

    @property
    def auc(self) -> float:
        """Area under the curve, by trapezoids."""
        return _area(self.shares, self.scores)

    @property
    def random_aucs(self) -> tuple[float, ...]:
        """Area under each random curve."""
        return tuple(_area(self.shares, scores) for scores in self.random_scores)

    @property
    def better_than(self) -> int:
        """Number of random orders that the map's own order beats."""
        sign = 1 if self.removes else -1
        return sum(sign * self.auc < sign * area for area in self.random_aucs)


def _area(x: FloatArray, y: FloatArray) -> float:
    return float(np.sum((y[1:] + y[:-1]) / 2 * np.diff(x)))


@dataclass(frozen=True, slots=True)
class TrustCard:
    """What checks say of a map; None where a check was not made, or has no answer.

    Attributes:
        model: Catalog id.
        weights: Weights id; None for an untrained network.
        method: Id in ``METHODS``.
        target: Class that the map explains.
        flat: Whether no pixel of the map differs from another.
        delta: Completeness delta, relative, where the method promises completeness.
        deletion: Places taken out, strongest first.
        insertion: Places put in, strongest first.
        randomisation: Rank correlation with the map of the network with shuffled weights, -1…1,
            over the pixels where not both are zero; near 0 where it depends on what was learned.
        randomisation_abs: The same of |map|.
        agreement: Method id → rank correlation of |map| with that method's, over small squares.
        infidelity: Share, 0…1, of the change of the logit under removed squares that the map's sum
            over the square, scaled at best, leaves unexplained.
        sensitivity: Largest relative change of the map under noise of 2 % of the pixel range.
        level: "good", "care", "bad" or "noise".
        verdict: One sentence (English msgid).
        values: What fills its fields.
        seconds: Of the checks.
    """

    model: str
    weights: str | None
    method: str
    target: int
    flat: bool = False
    delta: float | None = None
    deletion: PerturbationCurve | None = None
    insertion: PerturbationCurve | None = None
    randomisation: float | None = None
    randomisation_abs: float | None = None
    agreement: dict[str, float] = field(default_factory=dict)
    infidelity: float | None = None
    sensitivity: float | None = None
    level: str = ""
    verdict: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


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


@dataclass(frozen=True, slots=True)
class DevicePeaks:
    """What a device reaches at best, measured.

    Attributes:
        device: Its name.
        kind: "cpu", "cuda" or "mps".
        threads: Intra-op CPU threads used.
        flops: FLOP/s of a large matrix product by element type ("float32", "bfloat16", "float16";
            "tf32" is float32 in tensor cores).
        bandwidth: Bytes/s of copying a large tensor, read and written bytes counted.
        measured_at: Date and time in UTC, ISO 8601.
        versions: Library versions.
    """

    device: str
    kind: str
    threads: int
    flops: dict[str, float]
    bandwidth: float
    measured_at: str
    versions: dict[str, str]

    @property
    def roof(self) -> float:
        """FLOP/s that a float32 network may reach here: with TF32 where convolutions use it."""
        return max(self.flops["float32"], self.flops.get("tf32", 0.0))

    @property
    def ridge(self) -> float:
        """FLOPs per byte from which on arithmetic, not memory, is the limit."""
        return self.roof / self.bandwidth


@dataclass(frozen=True, slots=True)
class LayerTime:
    """Measured time of what one module call does itself, without the modules that it calls.

    Attributes:
        name: Id of the module call, as in the layer graph.
        kind: Of the op that weighs most.
        macs: Multiply–accumulates, batch 1.
        nbytes: Bytes that its ops have to read and write at least once.
        seconds: Median of several passes.
    """

    name: str
    kind: str
    macs: int
    nbytes: int
    seconds: float

    @property
    def intensity(self) -> float:
        """FLOPs (two per multiply–accumulate) per byte; 0 without multiply–accumulates."""
        return 2 * self.macs / self.nbytes if self.nbytes else 0.0

    @property
    def flops_per_second(self) -> float:
        """What it reached."""
        return 2 * self.macs / self.seconds if self.seconds else 0.0

    def least_seconds(self, peaks: DevicePeaks) -> float:
        """The roofline's lower bound: the larger of arithmetic and memory traffic."""
        return max(2 * self.macs / peaks.roof, self.nbytes / peaks.bandwidth)

    def memory_bound(self, peaks: DevicePeaks) -> bool:
        """Whether memory traffic is the larger one."""
        return self.intensity < peaks.ridge


@dataclass(frozen=True, slots=True)
class RooflineResult:
    """A network's layers under the roof of this device, float32, batch 1.

    Attributes:
        model: Catalog id.
        input_size: (C, H, W).
        peaks: Of the device.
        layers: In order of execution.
        seconds: Median time of a whole pass without hooks.
        hooked_seconds: Median time of a whole pass with the hooks that time the layers.
        runs: Passes that were timed with hooks.
    """

    model: str
    input_size: tuple[int, int, int]
    peaks: DevicePeaks
    layers: tuple[LayerTime, ...]
    seconds: float
    hooked_seconds: float
    runs: int

    @property
    def least_seconds(self) -> float:
        """Sum of the layers' lower bounds: a pass cannot be faster while layers run in turn."""
        return sum(layer.least_seconds(self.peaks) for layer in self.layers)

    @property
    def by_layer(self) -> dict[str, float]:
        """Seconds by module call."""
        return {layer.name: layer.seconds for layer in self.layers}


@dataclass(frozen=True, slots=True)
class OtherCount:
    """What another source says of a network's cost, beside our count.

    Attributes:
        source: Who counts ("torchvision", "torchinfo", …), for display.
        how: "published" or "live".
        unit: "macs", or "canziani" for the operations of the 2016 chart.
        amount: Its number; None where it failed or does not know the network.
        ours: Our number in the same unit, at the same input size.
        input_size: (C, H, W) that it is for.
        reason: Why it differs, or why there is no number: a sentence (English msgid); "" if equal.
        values: What fills the sentence's fields.
    """

    source: str
    how: str
    unit: str
    amount: float | None
    ours: float
    input_size: tuple[int, int, int]
    reason: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def deviation(self) -> float | None:
        """(theirs − ours) / ours; None where there is nothing to compare."""
        return None if self.amount is None or not self.ours else self.amount / self.ours - 1


@dataclass(frozen=True, slots=True)
class OwnWeightsReport:
    """What of a file of weights fits a network.

    Attributes:
        matched: Tensors that fit.
        renamed: Tensors whose names were mapped to the network's.
        missing: (name, shape) of what the file lacks.
        unexpected: (name, shape) of what the network has no place for.
        mismatched: (name, shape in the file, the network's shape).
        nonfinite: Names of tensors with NaN or infinite values.
    """

    matched: int
    renamed: int
    missing: tuple[tuple[str, tuple[int, ...]], ...] = ()
    unexpected: tuple[tuple[str, tuple[int, ...]], ...] = ()
    mismatched: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()
    nonfinite: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether the network can run with it."""
        return not (self.missing or self.unexpected or self.mismatched or self.nonfinite)
