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
            mean colour) or "blurred" (the image under a Gaussian).
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
    else:
        pixels = torch.full_like(run.x, _LEVELS[kind])
    normalisation = run.loaded.preprocessing
    centre = torch.tensor(normalisation.mean).to(run.x).view(1, -1, 1, 1)
    std = torch.tensor(normalisation.std).to(run.x).view(1, -1, 1, 1)
    return (pixels - centre) / std
