"""Python that gets a layer's tensor outside this app; no torch here, the text needs it."""

from __future__ import annotations

from explorer.catalog.spec import ModelSpec
from explorer.inspection.choosing import OP


def hook_snippet(spec: ModelSpec, weights: str | None, layer: str) -> str:
    """A script that keeps a layer's output with a plain forward hook.

    Args:
        spec: The network.
        weights: Id of its weights; None for random ones.
        layer: Module id ("relu@2" is its second call); an op gives its module's output.
    """
    path, _, call = layer.partition("@")
    call = call or "1"
    number = f"[{int(call) - 1}]"
    return "\n".join(
        [
            *_model_lines(spec, weights),
            "",
            "kept = []",
            f'module = model.get_submodule("{path}")',
            "# A copy, because the next layer may work in place.",
            "handle = module.register_forward_hook(",
            "    lambda module, inputs, output: kept.append(output.detach().clone())",
            ")",
            "with torch.inference_mode():",
            f"    model(torch.rand(1, {_sizes(spec)}))",
            "handle.remove()",
            f"features = kept{number}",
            "print(features.shape)",
        ]
    )


def extractor_snippet(spec: ModelSpec, weights: str | None, layer: str) -> str | None:
    """The same with ``create_feature_extractor`` of torchvision or timm; None for the network.

    Both follow the network with ``torch.fx``, which some networks with branches do not allow.
    torch.fx numbers later calls from 1, so "relu@2" is its node "relu_1".
    """
    path, _, call = layer.partition("@")
    if not path:
        return None
    node = path if call in ("", "1") else f"{path}_{int(call) - 1}"
    place = "timm.models" if spec.source == "timm" else "torchvision.models.feature_extraction"
    head = _model_lines(spec, weights)
    make = f'create_feature_extractor(model, {{"{node}": "features"}})'
    return "\n".join(
        [
            *head[:-1],
            f"from {place} import create_feature_extractor",
            head[-1],
            "",
            f"extractor = {make}",
            "with torch.inference_mode():",
            f"    features = extractor(torch.rand(1, {_sizes(spec)}))['features']",
            "print(features.shape)",
        ]
    ).replace("'", '"')


def module_layer(layer: str, module: str) -> str:
    """The layer itself, or the module around an op that no module hands out."""
    return module if layer.startswith(OP) else layer


def _sizes(spec: ModelSpec) -> str:
    return ", ".join(map(str, spec.input_size))


def _model_lines(spec: ModelSpec, weights: str | None) -> list[str]:
    """Imports, and last the line that makes ``model``."""
    if spec.source == "torchvision":
        name = "None" if weights is None else f'"{weights}"'
        return [
            "import torch",
            "from torchvision.models import get_model",
            f'model = get_model("{spec.builder}", weights={name}).eval()',
        ]
    if spec.source == "timm":
        tagged = spec.builder
        packaged = any(w.id == weights and w.package for w in spec.weights)
        if weights is not None and not packaged:
            tagged = f"{spec.builder}.{weights}"
        pretrained = weights is not None and not packaged
        if packaged:
            return [
                "import torch",
                "from explorer.catalog import find",
                "from explorer.zoo import load",
                f'model = load(find("{spec.id}"), "{weights}").module',
            ]
        return [
            "import torch",
            "import timm",
            f'model = timm.create_model("{tagged}", pretrained={pretrained}).eval()',
        ]
    return [
        "import torch",
        "from explorer.catalog import find",
        "from explorer.zoo import load",
        f'model = load(find("{spec.id}"), {repr(weights) if weights else None}).module',
    ]
