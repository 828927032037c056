"""What the layer panel shows: frozen, picklable, free of torch and streamlit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Order = Literal["mean", "max"]
KernelKind = Literal["rgb", "grey", "matrix", "none"]
MapLayout = Literal["grid", "tokens", "vector"]


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """The largest weight tensor of a layer, as pictures and numbers.

    Attributes:
        model: Catalog id.
        weights: Weights id; None for an untrained network.
        parameter: Fully qualified name of the tensor.
        shape: Its sizes, outputs first.
        kind: "rgb": ``kernels`` are (n, h, w, 3), one an output channel; "grey": (n, h, w), one an
            (output, input) pair; "matrix": one (rows, columns) picture of the whole tensor, each
            pixel the value of largest magnitude of its block; "none": no picture.
        kernels: Weights as they are, largest L2 norm first.
        pairs: (n, 2) output and input channel of each kernel (input -1 for "rgb").
        kernels_total: How many there are in all.
        counts: (bins,) of the histogram over all weights.
        edges: (bins + 1,) of the histogram.
        norms: (outputs,) L2 norm of each output channel's weights.
        mean: Of all weights.
        std: Of all weights, population.
        low: Smallest weight.
        high: Largest weight.
        zeros: Share of weights that are exactly zero, 0…1.
    """

    model: str
    weights: str | None
    parameter: str
    shape: tuple[int, ...]
    kind: KernelKind
    kernels: FloatArray
    pairs: IntArray
    kernels_total: int
    counts: IntArray
    edges: FloatArray
    norms: FloatArray
    mean: float
    std: float
    low: float
    high: float
    zeros: float


@dataclass(frozen=True, slots=True)
class ChannelStats:
    """One number a channel over all positions, each (C,) float32.

    Attributes:
        mean: Average.
        std: Population standard deviation.
        low: Smallest value.
        high: Largest value.
        active: Share of positions above zero, 0…1.
    """

    mean: FloatArray
    std: FloatArray
    low: FloatArray
    high: FloatArray
    active: FloatArray


@dataclass(frozen=True, slots=True)
class FeatureMaps:
    """What a layer answers to an image.

    Attributes:
        model: Catalog id.
        weights: Weights id; None for an untrained network.
        layer: As asked for.
        shape: Of the layer's output, batch first.
        layout: "grid": ``maps`` holds planes; "tokens": no grid, ``profile`` holds the L2 norm of
            each token; "vector": ``profile`` holds the values.
        order: What the planes are sorted by, largest first.
        maps: (n, h, w) float32, the values unchanged; empty without a grid.
        channels: (n,) which channel each plane is.
        stats: Over all channels, not only those in ``maps``; None without a grid.
        profile: (m,) float32; empty with a grid.
        prefix: Tokens in front of the grid (class and register tokens).
        crop: What the network saw, (H, W, 3) uint8 RGB.
    """

    model: str
    weights: str | None
    layer: str
    shape: tuple[int, ...]
    layout: MapLayout
    order: Order
    maps: FloatArray
    channels: IntArray
    stats: ChannelStats | None
    profile: FloatArray
    prefix: int
    crop: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class EffectiveField:
    """Which pixels one position of a layer depends on, for this image.

    Attributes:
        model: Catalog id.
        weights: Weights id; None for an untrained network.
        layer: As asked for.
        grid: (rows, columns) of the layer's output.
        position: (row, column) that was asked about.
        map: (H, W) float32, |gradient| summed over the input's channels; the largest is 1, or all
            are 0 where the position depends on no pixel.
        extent: First and last row, first and last column with a gradient; None where there is none.
        half_mass: Side in pixels of the centred square that holds half of the gradient's mass.
        crop: What the network saw, (H, W, 3) uint8 RGB.
    """

    model: str
    weights: str | None
    layer: str
    grid: tuple[int, int]
    position: tuple[int, int]
    map: FloatArray
    extent: tuple[int, int, int, int] | None
    half_mass: int
    crop: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ClassCode:
    """The source of a module's class.

    Attributes:
        source: "package.module.Class".
        file: Relative to the folder that holds the package ("torchvision/models/resnet.py").
        line: Where the class begins, from 1.
        text: Its source, at most ``LONGEST_CODE`` lines.
        lines: How many lines it has in all.
        version: Of the package; "" where it states none.
    """

    source: str
    file: str
    line: int
    text: str
    lines: int
    version: str


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """A network in the ONNX format.

    Attributes:
        model: Catalog id.
        weights: Weights id; None for an untrained network.
        data: The file.
        opset: Version of ONNX's operator set.
        input_shape: Batch first; fixed in the file.
        producer: Library and version that wrote it.
    """

    model: str
    weights: str | None
    data: bytes
    opset: int
    input_shape: tuple[int, ...]
    producer: str
