"""A catalog entry → a module with or without trained weights."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from explorer.catalog import class_labels, find_weights
from explorer.catalog.spec import ModelSpec, Preprocessing, WeightsSpec
from explorer.downloads import ProgressCallback, fetch
from explorer.errors import OwnWeightsError, WeightsUnavailableError
from explorer.i18n import N_
from explorer.networks import NETWORKS
from explorer.own_models import own_model
from explorer.own_state import fill_from
from explorer.own_weights import check_header
from explorer.skip_init import skip_init
from explorer.state_dicts import (
    by_position,
    check_file,
    fill,
    read_state_dict,
    set_aside,
    torchvision_keys,
)
from explorer.weights import WeightsStatus, local_path, weights_status

__all__ = [
    "LoadedModel",
    "WeightsStatus",
    "build",
    "load",
    "load_own",
    "nbytes_of",
    "skip_init",
    "weights_status",
]

_log = logging.getLogger(__name__)
_building = threading.Lock()
UNTRAINED_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A network that is ready to run.

    Attributes:
        spec: What it is.
        weights: What it was trained to; None for the untrained network (seed 0).
        module: In eval mode, on ``device``. Hooks and gradients race on it: use it under its lock
            (``ModelPool.use``) and put back what you change.
        device: Where its parameters are.
        preprocessing: How an image becomes its input.
        labels: English class names, one per output.
        nbytes: Of its parameters and buffers.
    """

    spec: ModelSpec
    weights: WeightsSpec | None
    module: nn.Module
    device: torch.device
    preprocessing: Preprocessing
    labels: tuple[str, ...]
    nbytes: int

    @property
    def untrained(self) -> bool:
        """Whether its answers mean nothing."""
        return self.weights is None


def build(spec: ModelSpec, *, init: bool = True) -> nn.Module:
    """The architecture in eval mode on the CPU (or the default device), without trained weights.

    GoogLeNet and Inception-v3 come with their auxiliary heads, which eval mode does not run, and
    without the change of input that torchvision makes for its weights (``transform_input``).
    torchvision's ViTs are built for the input size of ``spec.preprocessing``.

    Args:
        spec: What to build.
        init: True fills the parameters as the library does, always the same (seed 0), and leaves
            torch's own random numbers as they were; False leaves them uninitialised.
    """
    factory = _factory(spec)
    if not init:
        with skip_init():
            return factory().eval()
    # The global generator is seeded and put back; the lock keeps other builds out meanwhile.
    with _building, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(UNTRAINED_SEED)
        return factory().eval()


def _factory(spec: ModelSpec, tag: str = "", **overlay: Any) -> Callable[[], nn.Module]:
    """What builds the module; the library is imported now, so that ``skip_init`` sees it."""
    if spec.source == "torchvision":
        from torchvision import models

        options: dict[str, Any] = {"weights": None}
        if spec.builder in {"googlenet", "inception_v3"}:
            # init_weights=None is the same, with a warning.
            options |= {"aux_logits": True, "transform_input": False, "init_weights": True}
        if spec.builder.startswith("vit_"):
            # One position embedding a patch: the SWAG weights are for larger pictures.
            options["image_size"] = spec.input_size[1]
        return lambda: models.get_model(spec.builder, **options)
    if spec.source == "timm":
        import timm

        name = f"{spec.builder}.{tag}" if tag else spec.builder
        if overlay:
            return lambda: timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay)
        return lambda: timm.create_model(name, pretrained=False)
    if spec.source == "own":
        return own_model(spec.builder).build
    return NETWORKS[spec.builder]


def load(
    spec: ModelSpec,
    weights_id: str | None,
    device: torch.device | str = "cpu",
    progress: ProgressCallback | None = None,
) -> LoadedModel:
    """The network with these weights, downloaded first where they are not there.

    Args:
        spec: What to load.
        weights_id: Id of the weights; None for the untrained network.
        device: Where to put it.
        progress: Called with (bytes done, bytes in all or None) during a download, at least four
            times a second; what it raises cancels the download and passes through.

    Raises:
        UnknownWeightsError: The model has no weights of this id.
        WeightsUnavailableError: They could not be had; says why and what to do.
    """
    target = torch.device(device)
    if weights_id is None:
        return _finish(spec, None, build(spec), target)
    weights = find_weights(spec, weights_id)
    if weights.file:
        return load_own(spec, weights, target)
    what = f"{spec.name} ({weights.id})"
    path = local_path(spec, weights)
    if path is None:
        path = fetch(what, weights, progress)
    _log.info("loading %s from %s", what, path)
    module = _with_weights(spec, weights, path, what)
    return _finish(spec, weights, module, target)


def load_own(
    spec: ModelSpec, weights: WeightsSpec, device: torch.device | str = "cpu"
) -> LoadedModel:
    """The network with weights from a file of the operator's or the visitor's own.

    Raises:
        OwnWeightsError: They are gone, or do not fit.
    """
    path = Path(weights.file)
    if not path.is_file():
        raise OwnWeightsError(
            N_("The own weights {weights} of {model} are gone; choose others or upload them."),
            weights=weights.id,
            model=spec.name,
        )
    check_header(path)
    module = build(spec)
    fill_from(module, path, spec.name)
    return _finish(spec, weights, module, torch.device(device))


def _with_weights(spec: ModelSpec, weights: WeightsSpec, path: Path, what: str) -> nn.Module:
    """The module in eval mode with the weights of this file in it."""
    by_timm = spec.source == "timm" and not weights.package
    with set_aside(path, what, refetchable=bool(weights.url or weights.hub)):
        state = check_file(path) if by_timm else read_state_dict(path)
    try:
        if by_timm:
            # timm maps the file itself: renamed layers, resized position embeddings, label offset.
            overlay = {"file": str(path), "custom_load": path.suffix == ".npz"}
            with skip_init():
                return _factory(spec, weights.id, **overlay)().eval()
        module = build(replace(spec, preprocessing=weights.preprocessing), init=False)
        if weights.package:
            state = by_position(state, module, what)
        elif spec.source == "torchvision":
            state = torchvision_keys(state)
        fill(module, state)
    except (RuntimeError, KeyError) as error:
        raise WeightsUnavailableError(
            N_(
                "The file {path} does not hold weights of {what} for the installed library; "
                "remove it or choose other weights."
            ),
            path=str(path),
            what=what,
        ) from error
    if hasattr(module, "transform_input") and spec.source == "torchvision":
        # Ported from TensorFlow: these weights want (x - 0.5) / 0.5, not ImageNet's mean and std.
        module.transform_input = True  # type: ignore[assignment]
    return module


def _finish(
    spec: ModelSpec, weights: WeightsSpec | None, module: nn.Module, device: torch.device
) -> LoadedModel:
    module.requires_grad_(True).to(device)
    preprocessing = weights.preprocessing if weights is not None else spec.preprocessing
    trained = weights or spec
    dataset, count = trained.dataset, trained.num_classes
    return LoadedModel(
        spec=spec,
        weights=weights,
        module=module,
        device=device,
        preprocessing=preprocessing,
        labels=_own_labels(spec) or class_names(dataset, count),
        nbytes=nbytes_of(module),
    )


def _own_labels(spec: ModelSpec) -> tuple[str, ...]:
    """The names that the operator gave the classes of a network of his own."""
    return own_model(spec.builder).labels if spec.source == "own" else ()


def nbytes_of(module: nn.Module) -> int:
    """Bytes of a module's parameters and buffers, each once."""
    return sum(tensor.nbytes for tensor in (*module.parameters(), *module.buffers()))


def class_names(dataset: str, count: int) -> tuple[str, ...]:
    """English names of a network's classes, as many as it has outputs.

    ImageNet-1k as the catalog names them, larger ImageNets as timm does; "class 7" where neither
    knows them.
    """
    known = class_labels(dataset)
    if len(known) == count:
        return known
    from timm.data.imagenet_info import ImageNetInfo

    for subset in ("imagenet-22k", "imagenet-21k", "imagenet-12k", "imagenet-22k-ms"):
        info: Any = ImageNetInfo(subset)
        if info.num_classes() == count:
            return tuple(info.index_to_description(index) for index in range(count))
    return tuple(f"class {index}" for index in range(count))
