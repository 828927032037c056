"""Which layers of a network hold a spatial map, found by running it once."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from explorer.errors import AttributionError
from explorer.i18n import N_
from explorer.results import SpatialLayer

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

logger = logging.getLogger(__name__)

Forward = Callable[[Tensor], Tensor]
_MOST_PREFIX_TOKENS = 8  # class, distillation and register tokens


@dataclass(frozen=True, slots=True)
class SpatialMap:
    """How a layer's output lies over the image.

    Attributes:
        path: Module path; "" for the network itself.
        layout: "nchw" (B, C, h, w), "nhwc" (B, h, w, C), or "tokens" (B, prefix + h·w, C).
        height: h.
        width: w.
        prefix: Tokens before the grid.
    """

    path: str
    layout: Literal["nchw", "nhwc", "tokens"]
    height: int
    width: int
    prefix: int = 0

    def to_nchw(self, tensor: Tensor) -> Tensor:
        """The layer's output (or its gradient) as (B, C, h, w)."""
        if self.layout == "nchw":
            return tensor
        if self.layout == "nhwc":
            return tensor.permute(0, 3, 1, 2)
        grid = tensor[:, self.prefix :]
        return grid.reshape(1, self.height, self.width, -1).permute(0, 3, 1, 2)


def read_shape(path: str, shape: tuple[int, ...], size: tuple[int, int]) -> SpatialMap | None:
    """The map that an output of this shape is; None when it is none.

    A grid of more than one place, with the image's own proportions; an image of 1×1 has none.

    Args:
        path: Module path, passed on.
        shape: Of the output, batch 1.
        size: (H, W) of the network's input.
    """
    if not shape or shape[0] != 1:
        return None
    if len(shape) == 4:
        if _fits(shape[2], shape[3], size):
            return SpatialMap(path, "nchw", shape[2], shape[3])
        if _fits(shape[1], shape[2], size):
            return SpatialMap(path, "nhwc", shape[1], shape[2])
    if len(shape) == 3:
        for prefix in range(min(_MOST_PREFIX_TOKENS, shape[1]) + 1):
            height = math.isqrt((shape[1] - prefix) * size[0] // size[1])
            width = (shape[1] - prefix) // height if height else 0
            if height * width == shape[1] - prefix and _fits(height, width, size):
                return SpatialMap(path, "tokens", height, width, prefix)
    return None


def _fits(height: int, width: int, size: tuple[int, int]) -> bool:
    """Whether a grid has the image's proportions within one row, and more than one place."""
    if height * width <= 1 or height > size[0] or width > size[1]:
        return False
    if size[0] == size[1]:
        return height == width
    return abs(height * size[1] - width * size[0]) <= max(size)


@contextmanager
def outputs_of(module: nn.Module) -> Iterator[list[tuple[str, nn.Module, Tensor]]]:
    """Collects (path, submodule, output) in the order in which submodules finish."""
    found: list[tuple[str, nn.Module, Tensor]] = []
    handles = []

    def collector(path: str) -> Callable[[nn.Module, Any, Any], None]:
        def collect(part: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                found.append((path, part, output))

        return collect

    try:
        for path, part in module.named_modules():
            if path:
                handles.append(part.register_forward_hook(collector(path)))
        yield found
    finally:
        for handle in handles:
            handle.remove()


_default_layers: WeakKeyDictionary[nn.Module, dict[tuple[int, ...], SpatialMap]] = (
    WeakKeyDictionary()
)


def default_layer(module: nn.Module, forward: Forward, x: Tensor) -> SpatialMap:
    """The last spatial map that the network's answer, its largest logit, depends on.

    Pooling is left out (what it reads says more), and so are maps whose places have no gradient: in
    a network that reads its class token, that is all after the last attention has mixed them.

    Args:
        module: The network, in eval mode.
        forward: Calls it.
        x: (1, C, H, W).

    Raises:
        AttributionError: There is no such map.
    """
    known = _default_layers.setdefault(module, {})
    shape = tuple(x.shape)
    if shape in known:
        return known[shape]
    spot, sure = _find_default(module, forward, x)
    if sure:
        known[shape] = spot
    return spot


def _find_default(module: nn.Module, forward: Forward, x: Tensor) -> tuple[SpatialMap, bool]:
    """The layer, and whether the answer depends on it (not so where a head starts at zero)."""
    size = (x.shape[2], x.shape[3])
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad(), outputs_of(module) as outputs:
        score = forward(x)[0].max()
        pooled = {id(tensor) for _, part, tensor in outputs if _is_pooling(part)}
        candidates = [
            (spot, tensor)
            for path, part, tensor in outputs
            if id(tensor) not in pooled
            and not isinstance(part, nn.Identity | nn.Dropout)
            and tensor.requires_grad
            and (spot := read_shape(path, tuple(tensor.shape), size)) is not None
        ]
        if not candidates:
            raise AttributionError(
                N_("No layer of this network keeps a spatial map; choose saliency instead.")
            )
        gradients = torch.autograd.grad(
            score, [tensor for _, tensor in candidates], allow_unused=True
        )
    # Attention weights of (1, heads, N, N) look like maps: in a network of tokens, whose grid is
    # N places, a map of N rows cannot be one.
    tokens = {s.height * s.width for s, _ in candidates if s.layout == "tokens"}
    for (spot, _), gradient in reversed(list(zip(candidates, gradients, strict=True))):
        if spot.layout == "nchw" and any(spot.height - n in range(9) for n in tokens):
            continue
        if spot.prefix and "Norm" not in type(module.get_submodule(spot.path)).__name__:
            continue  # queries, keys and values are no features of a place
        if gradient is not None and bool(spot.to_nchw(gradient).count_nonzero()):
            return spot, True
    logger.warning("no spatial map has a gradient; the last one is taken")
    return candidates[-1][0], False


def _is_pooling(part: nn.Module) -> bool:
    """Pooling layers of torch and timm, by name; containers are not."""
    return "Pool" in type(part).__name__ and "Former" not in type(part).__name__


def spatial_layers(loaded: LoadedModel) -> tuple[SpatialLayer, ...]:
    """The layers that ``named_layer`` takes, in the order in which they finish.

    Found by one pass of an image of zeros; of a layer that runs twice, the last output counts.

    Args:
        loaded: The network, held under its lock.
    """
    channels, height, width = loaded.preprocessing.input_size
    x = torch.zeros(1, channels, height, width, device=loaded.device)
    with torch.no_grad(), outputs_of(loaded.module) as outputs:
        loaded.module(x)
    found: dict[str, SpatialLayer] = {}
    for path, part, tensor in outputs:
        found.pop(path, None)
        spot = read_shape(path, tuple(tensor.shape), (height, width))
        if spot is not None:
            places = spot.to_nchw(tensor).shape
            found[path] = SpatialLayer(
                path, type(part).__name__, places[1], spot.height, spot.width
            )
    return tuple(found.values())


def named_layer(module: nn.Module, forward: Forward, x: Tensor, path: str) -> SpatialMap:
    """The spatial map of a layer that somebody chose.

    Raises:
        AttributionError: There is no such layer, it is not run, or its output is no map.
    """
    known = dict(module.named_modules())
    if not path or path not in known:
        raise AttributionError(
            N_("The network has no layer {layer}; choose one that the layer graph shows."),
            layer=repr(path),
        )
    with torch.no_grad(), outputs_of(module) as outputs:
        forward(x)
    shapes = [tuple(tensor.shape) for name, _, tensor in outputs if name == path]
    if not shapes:
        raise AttributionError(
            N_("The layer {layer} gives no single tensor; choose one inside or around it."),
            layer=repr(path),
        )
    spot = read_shape(path, shapes[-1], (x.shape[2], x.shape[3]))
    if spot is None:
        raise AttributionError(
            N_(
                "The layer {layer} has no spatial map (its output is {shape}); choose an earlier "
                "one."
            ),
            layer=repr(path),
            shape="×".join(str(n) for n in shapes[-1][1:]),
        )
    return spot
