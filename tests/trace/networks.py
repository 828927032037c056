"""Small networks with the constructions that a graph has to survive."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as fn


class Residual(nn.Module):
    """Two convolutions and a shortcut; one ReLU module called twice, in place."""

    def __init__(self, channels: int = 4) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.conv2(out) + x)


class Shared(nn.Module):
    """One block under two names, called three times: weights are one, places are three."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.ReLU())
        self.again = self.block

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.again(self.block(self.block(x)))


class Heads(nn.Module):
    """An auxiliary head that only training runs, a buffer, and a tuple out."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.aux = nn.Sequential(nn.Conv2d(8, 2, 1), nn.BatchNorm2d(2))
        self.fc = nn.Linear(8, 5)
        self.register_buffer("scale", torch.ones(8, 1, 1))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.stem(x) * self.scale
        if self.training:
            self.aux(x)
        return self.fc(x.mean((2, 3))), x


class Splits(nn.Module):
    """Several outputs of one op, used apart; a view; a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 1)
        self.shift = torch.ones(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        left, right = self.conv(x).chunk(2, dim=1)
        pooled, where = fn.max_pool2d(left, 2, return_indices=True)
        unpooled = fn.interpolate(pooled, scale_factor=2.0) + where.sum()
        return torch.cat([unpooled, right + self.shift], 1).flatten(1)


class WritesIntoViews(nn.Module):
    """Fills a tensor piece by piece: what reads it later depends on the pieces."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = torch.zeros_like(x)
        out[:, 0] = x[:, 1]
        out[:, 1].add_(x[:, 0])
        return out * 2


class MakesTensors(nn.Module):
    """Adds a position that it computes from sizes, and zeros that it makes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        position = torch.arange(1, x.shape[-1] + 1, device=x.device).to(torch.float32)
        filled = torch.zeros(x.shape[-1]).add_(1)
        return x + position + filled + torch.full((1,), 2.0) + torch.tensor([3.0])


class Branches(nn.Module):
    """Takes a path that depends on the values."""

    def __init__(self) -> None:
        super().__init__()
        self.light = nn.Conv2d(3, 4, 3)
        self.dark = nn.Conv2d(3, 4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.light(x) if x.sum() > 0 else self.dark(x)


class ThroughNumpy(nn.Module):
    """Leaves torch on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.from_numpy(self.fc(x).detach().numpy() * 2))


class Opaque(nn.Module):
    """What torch.export does not read but a run without values does."""

    def __init__(self) -> None:
        super().__init__()
        self.block = Residual()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if torch.compiler.is_exporting():
            raise RuntimeError("not for export")
        return self.block(x)
