"""One network, one image, one target: what every method starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from explorer.errors import AttributionError
from explorer.i18n import N_
from explorer.preprocess import preprocess

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

Progress = Callable[[float, float], None]

# One chunk of passes must be short, because a job is cancelled between chunks: about half a second
# of multiply–accumulates on two cores, forward and backward.
_MACS_PER_CHUNK = {"cpu": 12e9, "mps": 100e9, "cuda": 400e9}
_LARGEST_CHUNK = {"cpu": 16, "mps": 32, "cuda": 64}


@dataclass(slots=True)
class Run:
    """A network about to explain one image.

    Attributes:
        loaded: The network.
        x: (1, C, H, W), normalised.
        crop: (H, W, 3) uint8 RGB, what the network sees.
        progress: Told how many passes are done; may raise to cancel.
        passes: Images that went through the network.
        expected: Images that will go through it.
        target: Class that is explained.
    """

    loaded: LoadedModel
    x: Tensor
    crop: npt.NDArray[np.uint8]
    progress: Progress | None = None
    passes: int = 0
    expected: int = 1
    target: int = -1

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K); says how far the run is, and ends it when it was cancelled."""
        if self.progress is not None:
            self.progress(min(self.passes, self.expected), self.expected)
        output = self.loaded.module(x)
        self.passes += x.shape[0]
        if isinstance(output, tuple | list):
            output = output[0]
        if not isinstance(output, Tensor) or output.ndim != 2:
            raise AttributionError(
                N_("{model} does not answer with one score a class; choose another network."),
                model=self.loaded.spec.name,
            )
        return output

    @property
    def chunk(self) -> int:
        """Images that go through the network at once; the same for the same network and device."""
        kind = self.loaded.device.type
        macs = self.loaded.spec.macs or 4e9
        fitting = int(_MACS_PER_CHUNK.get(kind, 12e9) // macs)
        return max(1, min(fitting, _LARGEST_CHUNK.get(kind, 16)))


def prepare(loaded: LoadedModel, image: Image.Image, progress: Progress | None = None) -> Run:
    """The image as the network's input."""
    x, crop = preprocess(image, loaded.preprocessing)
    return Run(loaded, x.to(loaded.device), crop, progress)


def logits_of(run: Run) -> Tensor:
    """(K,) logits of the image, without gradients.

    Raises:
        AttributionError: They are not finite.
    """
    with torch.no_grad():
        logits = run.forward(run.x)[0].float()
    if not bool(torch.isfinite(logits).all()):
        raise AttributionError(
            N_("{model} answers with numbers that are not finite; choose other weights."),
            model=run.loaded.spec.name,
        )
    return logits
