"""What data a set of weights has seen before ImageNet-1k, read from its published name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from explorer.i18n import N_

TrainingData = Literal["in1k", "in21k", "web"]
LABELS: Mapping[TrainingData, str] = {
    "in1k": N_("ImageNet-1k only"),
    "in21k": N_("ImageNet-21k or a part of it"),
    "web": N_("web-scale images (Instagram, JFT, LAION, …)"),
}

# Parts of timm's tags and of torchvision's names. ig1b, wsl, swsl, swag, seer: Instagram; yfcc100m,
# ssl: Flickr; jft: Google's own; laion, openai, clip, webli: image–text pairs; m30m, m38m: merged.
_WEB = frozenset(
    {"ig1b", "wsl", "swsl", "swag", "seer", "yfcc100m", "ssl", "jft", "openai", "clip", "webli"}
    | {"laion2b", "laiona", "m30m", "m38m"}
)
_IN21K = frozenset({"in21k", "in22k", "in12k"})


def training_data(weights_id: str) -> TrainingData:
    """The largest data that the name says; a teacher's data are not in it.

    Args:
        weights_id: timm's tag ("augreg_in21k_ft_in1k") or torchvision's member ("IMAGENET1K_V2").
    """
    parts = set(re.split(r"[_.]", weights_id.lower()))
    if parts & _WEB:
        return "web"
    return "in21k" if parts & _IN21K else "in1k"
