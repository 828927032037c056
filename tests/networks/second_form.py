"""A second formulation of the published networks: the transcribed layer tables, run by hand.

Walks the rows of ``assets/data/architectures.json`` with the weights of a network in the order in
which its layers stand. Nothing of ``explorer/networks`` is used beside those weights: groups are
separate convolutions, normalisations and subsampling are written out, C3 is a masked dense kernel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Row = dict[str, Any]
Layer = nn.Conv2d | nn.Linear | nn.BatchNorm1d | nn.BatchNorm2d | nn.PReLU


class SecondForm:
    """Runs a layer table.

    Args:
        record: The network's record.
        network: Whose weights are used, in eval mode.
    """

    def __init__(self, record: Row, network: nn.Module) -> None:
        self.record = record
        self.network = network
        self.layers: Iterator[nn.Module] = (m for m in network.modules() if isinstance(m, Layer))

    def __call__(self, x: Tensor) -> Tensor:
        """Logits, after the shape of every row was compared with the table's."""
        image, tower = x, None
        for row in self.record["layers"]:
            name, _, rest = row["layer"].partition(".")
            if rest and name == "towerB" and tower is None:
                tower, x = x, image  # the second tower starts at the image again
            if row["type"] == "concat":
                assert tower is not None
                x = torch.cat([tower, x], 1)
            else:
                x = getattr(self, row["type"])(x, row)
            assert list(x.shape[1:]) == row["output"], row["layer"]
        return x.flatten(1)

    def _next(self) -> Any:
        return next(self.layers)

    def _norm(self, x: Tensor) -> Tensor:
        bn = self._next()
        shape = (1, -1, *[1] * (x.dim() - 2))
        scale = bn.weight / (bn.running_var + bn.eps).sqrt()
        return (x - bn.running_mean.view(shape)) * scale.view(shape) + bn.bias.view(shape)

    def _prelu(self, x: Tensor) -> Tensor:
        slope = self._next().weight.view(1, -1, 1, 1)
        return torch.where(x > 0, x, slope * x)

    def _conv(self, x: Tensor, stride: int, pad: int, *, groups: int = 1) -> Tensor:
        layer = self._next()
        parts = [
            functional.conv2d(one, w, None, stride, pad)
            for one, w in zip(x.chunk(groups, 1), layer.weight.chunk(groups), strict=True)
        ]
        y = torch.cat(parts, 1)
        return y if layer.bias is None else y + layer.bias.view(1, -1, 1, 1)

    def conv(self, x: Tensor, row: Row) -> Tensor:
        if self.record["id"] == "lenet5_1998":
            return squash(self._conv(x, 1, 0))
        y = self._conv(x, row["stride"], row["pad"], groups=row["groups"])
        if row["batch_norm"]:
            y = self._norm(y)
        assert row["activation"] == "relu"
        return y.clamp(min=0)

    def fc(self, x: Tensor, row: Row) -> Tensor:
        layer = self._next()
        y = x.flatten(1) @ layer.weight.T + layer.bias
        if row.get("batch_norm"):
            y = self._norm(y)
        if row.get("activation") == "relu":
            return y.clamp(min=0)
        return squash(y) if row.get("activation") else y

    def lrn(self, x: Tensor, row: Row) -> Tensor:
        total, half = torch.zeros_like(x), row["n"] // 2
        channels = x.shape[1]
        for i in range(channels):
            first, last = max(0, i - half), min(channels - 1, i + half)
            total[:, i] = (x[:, first : last + 1] ** 2).sum(1)
        if row["of"] == "mean":
            total /= row["n"]
        return x / (row["k"] + row["alpha"] * total) ** row["beta"]

    def maxpool(self, x: Tensor, row: Row) -> Tensor:
        return windows(x, row, -math.inf).amax(-1)

    def avgpool(self, x: Tensor, row: Row) -> Tensor:
        # Windows that hang over the edge are averaged over what is there.
        values = windows(x, row, math.nan)
        return values.nanmean(-1)

    def global_avgpool(self, x: Tensor, row: Row) -> Tensor:
        return x.mean((2, 3), keepdim=True)

    def dropout(self, x: Tensor, row: Row) -> Tensor:
        return x

    def _branches(self, x: Tensor, row: Row, kinds: tuple[str, ...], pool: str) -> Tensor:
        """1×1, then chains of reduction and k×k, then pooling; each convolution as the row says."""
        bn, stride = row["type"] == "inception_bn", row.get("stride", 1)

        def convolve(y: Tensor, pad: int, step: int = 1) -> Tensor:
            y = self._conv(y, step, pad)
            return (self._norm(y) if bn else y).clamp(min=0)

        found = [convolve(x, 0)] if row["b1x1"] else []
        for kind in kinds:
            y = convolve(x, 0)
            if kind == "double":
                y = convolve(y, 1)
            found.append(convolve(y, 2 if kind == "5" else 1, stride))
        if stride == 2:
            found.append(windows(x, {"kernel": 3, "stride": 2, "pad": 0, "ceil": True}).amax(-1))
        else:
            cells = {"kernel": 3, "stride": 1, "pad": 1, "ceil": False}
            if pool == "max":
                pooled = windows(x, cells).amax(-1)
            else:
                pooled = windows(x, cells, 0.0).mean(-1)
            found.append(convolve(pooled, 0))
        return torch.cat(found, 1)

    def inception(self, x: Tensor, row: Row) -> Tensor:
        return self._branches(x, row, ("3", "5"), "max")

    def inception_bn(self, x: Tensor, row: Row) -> Tensor:
        return self._branches(x, row, ("3", "double"), row["pool"])

    def subsample(self, x: Tensor, row: Row) -> Tensor:
        layer = getattr(self.network, row["layer"].lower())
        four = x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]
        return squash(layer.coefficient * four + layer.bias)

    def conv_sparse(self, x: Tensor, row: Row) -> Tensor:
        table = self.record["c3_table"]
        kernel = x.new_zeros(16, 6, 5, 5)  # dense; what the table leaves out stays 0
        bias: list[Tensor] = []
        for _ in range(3):
            layer = self._next()
            for weight, shift in zip(layer.weight, layer.bias, strict=True):
                kernel[len(bias), table[len(bias)]] = weight.detach()
                bias.append(shift)
        return squash(functional.conv2d(x, kernel, torch.stack(bias)))

    def euclidean_rbf(self, x: Tensor, row: Row) -> Tensor:
        targets = self.network.get_buffer("rbf.targets")
        # -|x - t|² by its parts
        return 2 * x @ targets.T - (x**2).sum(1, keepdim=True) - (targets**2).sum(1)

    def enet_initial(self, x: Tensor, row: Row) -> Tensor:
        pooled = windows(x, {"kernel": 2, "stride": 2, "pad": 0, "ceil": False}).amax(-1)
        return self._prelu(self._norm(torch.cat([self._conv(x, 2, 1), pooled], 1)))

    def enet_bottleneck(self, x: Tensor, row: Row) -> Tensor:
        size, dilation = 2 if row["downsample"] else 1, row["dilation"]
        y = self._prelu(self._norm(self._conv(x, size, 0)))
        assert y.shape[1] == row["inner_width"]
        layer = self._next()
        spread = torch.zeros(*layer.weight.shape[:2], *[2 * dilation + 1] * 2, dtype=x.dtype)
        spread[..., ::dilation, ::dilation] = layer.weight.detach()  # a dilated kernel, written out
        y = self._prelu(self._norm(functional.conv2d(y, spread, layer.bias, padding=dilation)))
        y = self._norm(self._conv(y, 1, 0))
        if size == 2:
            x = windows(x, {"kernel": 2, "stride": 2, "pad": 0, "ceil": False}).amax(-1)
        y[:, : x.shape[1]] += x
        return self._prelu(y)


def squash(x: Tensor) -> Tensor:
    """1.7159·tanh(2x/3), written as exponentials."""
    e = torch.exp(x * 4 / 3)
    return 1.7159 * (e - 1) / (e + 1)


def windows(x: Tensor, row: Row, fill: float = -math.inf) -> Tensor:
    """(B, C, H, W) → (B, C, H', W', k·k): what each pooling window reads; ``fill`` outside."""
    k, stride, pad = row["kernel"], row["stride"], row["pad"]
    side = x.shape[-1]
    steps = (side + 2 * pad - k) / stride
    count = (math.ceil(steps) if row["ceil"] else math.floor(steps)) + 1
    right = (count - 1) * stride + k - side - pad
    padded = functional.pad(x, (pad, max(right, 0), pad, max(right, 0)), value=fill)
    return padded.unfold(2, k, stride).unfold(3, k, stride)[:, :, :count, :count].flatten(-2)
