"""Where a network's trained weights are, found out without torch and without opening them."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlparse

from explorer.catalog import find_weights
from explorer.catalog.spec import ModelSpec, WeightsSpec

WEIGHTS_DIR = Path(__file__).resolve().parent.parent / "assets" / "weights"
HUB_FILES = (
    "model.safetensors", "pytorch_model.bin",
    "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
)  # fmt: skip
"""File names that timm uses on Hugging Face, in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class WeightsStatus:
    """Where weights are.

    Attributes:
        kind: "disk" (a file that is there), "package" (inside an installed package), "download", or
            "none" (this network has no weights, or the package that carries them is missing).
        place: File, distribution name, or URL; "" for "none".
        size_bytes: Of the file; None where it is not known before the download.
    """

    kind: Literal["disk", "package", "download", "none"]
    place: str
    size_bytes: int | None

    @property
    def local(self) -> bool:
        """Whether they can be had without a network."""
        return self.kind in {"disk", "package"}


def weights_status(spec: ModelSpec, weights_id: str | None) -> WeightsStatus:
    """Where the weights are; "none" for None, the untrained network.

    Raises:
        UnknownWeightsError: The model has no weights of this id.
    """
    if weights_id is None:
        return WeightsStatus("none", "", None)
    weights = find_weights(spec, weights_id)
    path = local_path(spec, weights)
    if path is not None:
        if weights.package:
            return WeightsStatus("package", weights.package.partition(":")[0], path.stat().st_size)
        return WeightsStatus("disk", str(path), path.stat().st_size)
    if weights.hub or weights.url:
        place = f"https://huggingface.co/{weights.hub}" if weights.hub else weights.url
        return WeightsStatus("download", place, weights.size_bytes)
    return WeightsStatus("none", "", None)


def own_weights_spec(spec: ModelSpec, weights_id: str | None, file: str) -> WeightsSpec:
    """A visitor's own weights as the catalog would have them: nothing about them is known."""
    return WeightsSpec(
        id=weights_id or "own",
        dataset=spec.dataset,
        num_classes=spec.num_classes,
        top1=None,
        top5=None,
        preprocessing=spec.preprocessing,
        file=file,
        uploaded=True,
    )


def default_weights(spec: ModelSpec) -> str | None:
    """Id of the first weights that are on disk or in a package; None where there are none."""
    for weights in spec.weights:
        if local_path(spec, weights) is not None:
            return weights.id
    return None


def local_path(spec: ModelSpec, weights: WeightsSpec) -> Path | None:
    """The file of the weights where it is there, else None."""
    if weights.file:
        return _existing(Path(weights.file))
    if weights.package:
        return package_file(weights.package)
    if weights.hub:
        found = hub_file(weights.hub)
        if found is not None or not weights.url:
            return found
    if weights.url:
        return _existing(torch_hub_path(weights.url))
    return _existing(WEIGHTS_DIR / spec.builder / f"{spec.builder}.safetensors")


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def torch_hub_path(url: str) -> Path:
    """Where ``torch.hub`` keeps the file of a URL; its rules, without importing it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "torch"
    home = Path(os.environ.get("TORCH_HOME", str(cache))).expanduser()
    return home / "hub" / "checkpoints" / Path(urlparse(url).path).name


def package_file(package: str) -> Path | None:
    """The file named "distribution:module/file", where the package is installed."""
    module, _, inside = package.partition(":")[2].partition("/")
    found = importlib.util.find_spec(module) if module else None
    if found is None or found.origin is None:
        return None
    return _existing(Path(found.origin).parent / inside)


def hub_file(repository: str) -> Path | None:
    """The weights file of a Hugging Face repository in its cache, else None."""
    from huggingface_hub import constants

    # A stat before the real look-up: listing 1,400 models must not walk the cache 1,400 times.
    name, _, revision = repository.partition("@")
    folder = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    if not folder.is_dir():
        return None
    from huggingface_hub import try_to_load_from_cache

    for file in HUB_FILES:
        path = try_to_load_from_cache(
            name, file, cache_dir=constants.HF_HUB_CACHE, revision=revision or None
        )
        if isinstance(path, str):
            return Path(path)
    return None
