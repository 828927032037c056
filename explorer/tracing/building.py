"""A catalog entry as a module for tracing: no weights, no initialisation, the size wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.errors import InputSizeError
from explorer.i18n import N_
from explorer.tracing.sizes import Size, size_text

if TYPE_CHECKING:
    from torch import nn

    from explorer.catalog.spec import ModelSpec


def module_for(spec: ModelSpec, size: Size) -> nn.Module:
    """The module whose trace at this size is wanted.

    torchvision's vision transformers carry a position embedding of one image size; they are built
    for the size wanted, as torchvision does for its weights of 384 and 518 pixels.

    Raises:
        InputSizeError: The patches of torchvision's vision transformer do not fill this size.
    """
    from explorer.zoo import build, skip_init

    if spec.source != "torchvision" or not spec.builder.startswith("vit_"):
        return build(spec, init=False)
    from torchvision import models

    patch = int(spec.builder.rpartition("_")[2])
    if size[1] != size[2] or size[1] % patch:
        raise InputSizeError(
            N_("{model} takes squares of a multiple of {patch} pixels, not {size}; use {example}."),
            model=spec.name, patch=patch, size=size_text(size), example=size_text(spec.input_size),
        )  # fmt: skip
    with skip_init():
        module: nn.Module = models.get_model(spec.builder, weights=None, image_size=size[1])
    return module.eval()
