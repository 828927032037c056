"""A script that makes a map again: with plain Captum where that is short, else with ours."""

from __future__ import annotations

from typing import Any

from explorer.attribution.methods import METHODS, fill_options
from explorer.attribution.shared_options import baselines_of
from explorer.catalog import find
from explorer.requests import ExplainRequest, ModelRef
from explorer.results import Attribution

_HEAD = '''"""{name} of {model} for class {target}, as ConvNet Explorer shows it."""

import sys

import numpy as np
import torch
{imports}
from explorer.catalog import find
from explorer.images import open_image
from explorer.preprocess import preprocess
from explorer.zoo import load

with open(sys.argv[1], "rb") as file:
    image = open_image(file.read())
loaded = load(find({model!r}), {weights!r})
x, crop = preprocess(image, loaded.preprocessing)  # (1, C, H, W), normalised
model = loaded.module
'''
_TAIL = """
np.save(sys.argv[2], map.detach().numpy().astype(np.float32))
"""
_LEVELS = {"black": 0.0, "white": 1.0, "grey": 0.5}
_BASELINE = """
mean = torch.tensor(loaded.preprocessing.mean).view(1, -1, 1, 1)
std = torch.tensor(loaded.preprocessing.std).view(1, -1, 1, 1)
# In pixel space: {kinds}
baselines = [((level - mean) / std).expand_as(x) for level in {levels}]
"""
_BODY = {
    "saliency": """
gradient = Saliency(model).attribute(x.requires_grad_(), target={target})[0]
map = gradient.{channels}(dim=0)
""",
    "integrated_gradients": """
method = IntegratedGradients(model)
x.requires_grad_()
attributions = [
    method.attribute(
        x, baselines=baseline, target={target}, n_steps={steps}, internal_batch_size=8
    )[0].detach()
    for baseline in baselines
]
map = torch.stack(attributions).mean(dim=0).sum(dim=0)
""",
    "grad_cam": """
layer = model.get_submodule({layer!r})
cam = LayerGradCam(model, layer).attribute(
    x.requires_grad_(), target={target}, relu_attributions={relu}
)
map = LayerAttribution.interpolate(cam, x.shape[2:], "bilinear")[0, 0]
""",
}
_IMPORTS = {
    "saliency": "Saliency",
    "integrated_gradients": "IntegratedGradients",
    "grad_cam": "LayerAttribution, LayerGradCam",
}
_OURS = """
request = ExplainRequest(
    {method!r}, target={target}, layer={layer!r}, options={options!r}
)
map = torch.from_numpy(explain(loaded, image, request).map)
"""


#: Families whose layers answer in (B, C, h, w), as Captum's Grad-CAM wants it; tokens do not.
_CONVOLUTIONAL = frozenset(
    {
        "AlexNet", "DenseNet", "EfficientNet", "EfficientNet-Lite", "EfficientNetV2", "GoogLeNet",
        "Inception-v3", "LeNet", "MNASNet", "MobileNetV2", "MobileNetV3", "RegNet", "ResNet",
        "ResNeXt", "ShuffleNetV2", "SqueezeNet", "VGG", "Wide ResNet",
    }
)  # fmt: skip


def uses_captum(ref: ModelRef, request: ExplainRequest) -> bool:
    """Whether the script calls Captum itself."""
    if request.method not in _BODY or not _plain(request):
        return False
    if request.method == "grad_cam" and find(ref.model).family not in _CONVOLUTIONAL:
        return False
    options = fill_options(METHODS[request.method], request.options)
    return "baseline" not in options or set(baselines_of(options)) <= set(_LEVELS)


def _plain(request: ExplainRequest) -> bool:
    """Whether one class's logit is explained."""
    return not request.also and request.against is None and request.output == "logit"


def snippet(ref: ModelRef, request: ExplainRequest, found: Attribution) -> str:
    """A script; its arguments are an image and the ``.npy`` file to write the map to.

    Args:
        ref: The network.
        request: What was asked.
        found: What came out: target, layer and the number of steps are taken from it.
    """
    method = METHODS[request.method]
    options = fill_options(method, request.options)
    values: dict[str, Any] = {
        "name": method.name, "model": ref.model, "weights": ref.weights, "target": found.target,
        "layer": found.layer, "method": method.id, "options": dict(request.options),
        "steps": found.options.get("steps_used"), "relu": options.get("relu"),
        "channels": {"max": "amax", "mean": "mean"}.get(str(options.get("channels")), "amax"),
    }  # fmt: skip
    if not uses_captum(ref, request):
        values["layer"] = request.layer
        values["imports"] = "\nfrom explorer.attribution import ExplainRequest, explain"
        return (_HEAD + _OURS + _TAIL).format(**values)
    values["imports"] = f"from captum.attr import {_IMPORTS[method.id]}\n"
    body = _BODY[method.id]
    if "baseline" in options:
        kinds = baselines_of(options)
        levels = tuple(_LEVELS[kind] for kind in kinds)
        body = _BASELINE.format(levels=levels, kinds=", ".join(kinds)) + body.lstrip("\n")
    return _HEAD.format(**values) + body.format(**values) + _TAIL
