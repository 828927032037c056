"""Images that stand for "nothing there", made in pixel space and then normalised like any image."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from explorer.attribution.running import Run

_LEVELS = {"black": 0.0, "white": 1.0, "grey": 0.5}
#: Radius of the blur (standard deviation) as a share of the shorter side of the crop.
BLUR = 0.06


def baseline(kind: str, run: Run) -> Tensor:
    """The baseline as an input of the network, (1, C, H, W).

    Zero after normalisation is none of these: it is the mean colour of the training images.

    Args:
        kind: "black", "white", "grey" (0, 1, ½ on the 0…1 pixel scale), "mean" (the image's own
            mean colour), "blurred" (the image under a Gaussian) or "noise" (uniform random
            colours, always the same).
        run: The image and how it was normalised.
    """
    if kind == "mean":
        # In double precision (which MPS lacks): of one colour, the mean is that colour exactly.
        mean = run.x.cpu().double().mean(dim=(2, 3), keepdim=True).to(run.x.dtype)
        return mean.to(run.x.device).expand_as(run.x).contiguous()
    if kind == "blurred":
        radius = BLUR * min(run.crop.shape[:2])
        picture = Image.fromarray(run.crop).filter(ImageFilter.GaussianBlur(radius))
        pixels = torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1)[None]
        pixels = pixels[:, : run.x.shape[1]].to(run.x)
    elif kind == "noise":
        generator = torch.Generator().manual_seed(0)
        pixels = torch.rand(run.x.shape, generator=generator).to(run.x)
    else:
        pixels = torch.full_like(run.x, _LEVELS[kind])
    centre = torch.tensor(run.loaded.preprocessing.mean).to(run.x).view(1, -1, 1, 1)
    return (pixels - centre) / _std(run)


def noise_scale(share: float, run: Run) -> Tensor:
    """Standard deviation of noise on the normalised input, (1, C, 1, 1).

    Args:
        share: Of the image's range, from its darkest to its lightest pixel value, as in Smilkov et
            al. 2017 (arXiv:1706.03825).
        run: The image and how it was normalised.
    """
    span = (int(run.crop.max()) - int(run.crop.min())) / 255
    return share * span / _std(run)


def _std(run: Run) -> Tensor:
    return torch.tensor(run.loaded.preprocessing.std).to(run.x).view(1, -1, 1, 1)


class NoiseStream:
    """Standard normal noise by sample number, the same however the samples are batched.

    Args:
        run: Whose input the noise has the shape of.
        seed: Of an own generator; torch's global one is left alone.
    """

    def __init__(self, run: Run, seed: int) -> None:
        self.shape = run.x.shape[1:]
        self.like = run.x
        self.generator = torch.Generator().manual_seed(seed)
        self.start = -1
        self.state = self.generator.get_state()

    def draw(self, start: int, stop: int) -> Tensor:
        """Noise of these samples, (stop − start, C, H, W); in order, a start may be repeated."""
        if start == self.start:  # after a lack of memory: the same samples again
            self.generator.set_state(self.state)
        self.start, self.state = start, self.generator.get_state()
        drawn = [torch.randn(self.shape, generator=self.generator) for _ in range(start, stop)]
        return torch.stack(drawn).to(self.like)
