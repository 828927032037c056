"""Input sizes: what is a size at all, and how one is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.errors import InputSizeError
from explorer.i18n import N_

if TYPE_CHECKING:
    from explorer.catalog.spec import ModelSpec

Size = tuple[int, int, int]

LARGEST_SIDE = 8192


def size_text(size: tuple[int, ...]) -> str:
    """Sides with crosses between them: 3×224×224."""
    return "×".join(str(side) for side in size)


def check_size(spec: ModelSpec, size: Size | None) -> Size:
    """The size to trace at; the network's own when ``size`` is None.

    Raises:
        InputSizeError: It has a side below 1 or above ``LARGEST_SIDE`` pixels, or other channels.
    """
    wanted = spec.input_size if size is None else size
    channels, height, width = wanted
    if channels != spec.input_size[0]:
        raise InputSizeError(
            N_("{model} takes {expected} channels, not {channels}; use {example}."),
            model=spec.name, expected=spec.input_size[0], channels=channels,
            example=size_text(spec.input_size),
        )  # fmt: skip
    if min(height, width) < 1 or max(height, width) > LARGEST_SIDE:
        raise InputSizeError(
            N_("{model} has no input of {size}; use sides of 1 to {largest}, such as {example}."),
            model=spec.name, size=size_text(wanted), largest=LARGEST_SIDE,
            example=size_text(spec.input_size),
        )  # fmt: skip
    return wanted
