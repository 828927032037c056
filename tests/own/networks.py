"""Networks of somebody's own, for ``EXPLORER_MODELS``: good ones; and bad ones among them."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.own_models import OwnModel


class Tiny(nn.Module):
    """One convolution and one linear layer."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(4, classes)

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, classes)."""
        scores: Tensor = self.fc(self.pool(self.relu(self.conv(image))).flatten(1))
        return scores


LABELS = ("ant", "bee", "cicada")


def good() -> list[OwnModel]:
    """An untrained one, and a trained one where a file is named."""
    print("somebody's code prints what it likes")
    found = [OwnModel("tiny", Tiny, (3, 32, 32), LABELS, family="Own family", year=2026)]
    if "OWN_TEST_WEIGHTS" in os.environ:
        weights = Path(os.environ["OWN_TEST_WEIGHTS"])
        found.append(OwnModel("trained", Tiny, (3, 32, 32), LABELS, weights=weights))
    return found


def mapping() -> dict[str, object]:
    """Names with callables, all else at its default."""
    return {"plain": Tiny}


def mixed() -> list[object]:
    """One good network among bad ones."""
    return [
        OwnModel("tiny", Tiny, (3, 32, 32), LABELS),
        OwnModel("tiny", Tiny),
        OwnModel("no/slash", Tiny),
        OwnModel("number", lambda: 3),  # type: ignore[arg-type,return-value]
        OwnModel("boom", lambda: 1 / 0),  # type: ignore[arg-type,return-value]
        OwnModel("image", nn.Identity, (3, 32, 32)),
        OwnModel("labels", Tiny, (3, 32, 32), ("one",)),
        OwnModel("size", Tiny, (3, 0, 32)),
        OwnModel("channels", Tiny, (1, 32, 32)),
        OwnModel("gone", Tiny, weights="/nowhere/weights.safetensors"),
        7,
    ]


def seeded() -> dict[str, Tensor]:
    """The weights of the trained one."""
    torch.manual_seed(7)
    return Tiny().state_dict()
