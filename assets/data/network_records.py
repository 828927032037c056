"""Records of the networks that ``explorer/networks`` has from their papers."""

from __future__ import annotations

from typing import Any

from counting import block_names, build_on_meta, count_macs, count_params

from explorer.networks import NETWORKS

AUXILIARY = ("aux1", "aux2")  # heads of GoogLeNet
VALIDATION_2016 = {
    "title": "imagenet-validation.torch",
    "authors": ["Sergey Zagoruyko"],
    "url": "https://github.com/szagoruyko/imagenet-validation.torch",
}

# The paper's scaling of digits: LeNet-5 has paper at -0.1 and ink at 1.175, Cireşan -1 and 1.
LENET = {"size": [1, 32, 32], "resize": 28, "mean": [0.1 / 1.275], "std": [1 / 1.275]}
CIRESAN = {"size": [1, 28, 28], "resize": 28, "mean": [0.5], "std": [0.5]}
# No weights: what is customary for CIFAR-10 and for ImageNet.
CIFAR = {
    "size": [3, 32, 32],
    "resize": 32,
    "mean": [0.4914, 0.4822, 0.4465],
    "std": [0.2470, 0.2435, 0.2616],
}
IMAGENET = {"size": [3, 224, 224], "resize": 256}

# builder, name, family, year, preprocessing
NAMES: list[tuple[str, str, str, int, dict[str, Any]]] = [
    ("lenet5_1998", "LeNet-5 (1998)", "LeNet", 1998, LENET),
    ("ciresan_mlp", "Cireşan MLP", "MLP", 2010, CIRESAN),
    ("ciresan_mlp_small", "Cireşan MLP 1000-500-10", "MLP", 2010, CIRESAN),
    ("alexnet_2012", "AlexNet (2012)", "AlexNet", 2012, {**IMAGENET, "size": [3, 227, 227]}),
    ("nin_imagenet", "NIN (ImageNet)", "NIN", 2013, IMAGENET),
    ("nin_cifar10", "NIN (CIFAR-10)", "NIN", 2013, CIFAR),
    ("googlenet_2014", "GoogLeNet (2014)", "GoogLeNet", 2014, IMAGENET),
    ("bn_inception", "BN-Inception", "BN-Inception", 2015, IMAGENET),
    ("bn_alexnet", "BN-AlexNet", "AlexNet", 2016, IMAGENET),
    ("bn_nin", "BN-NIN", "NIN", 2016, IMAGENET),
    ("enet", "ENet", "ENet", 2016, IMAGENET),
]
PAPERS = {"bn_alexnet": VALIDATION_2016, "bn_nin": VALIDATION_2016}
TRAINED = ("lenet5_1998", "ciresan_mlp_small")
DATASETS = {1: "mnist", 3: "imagenet"}


def network_records() -> list[dict[str, Any]]:
    """All of them, oldest first."""
    return [_record(*row) for row in NAMES]


def _record(builder: str, name: str, family: str, year: int, pre: dict[str, Any]) -> dict[str, Any]:
    module = build_on_meta(NETWORKS[builder])
    params, aux = count_params(module, AUXILIARY)
    dataset = "cifar10" if builder == "nin_cifar10" else DATASETS[pre["size"][0]]
    record = {
        "id": builder,
        "name": name,
        "family": family,
        "year": year,
        "source": "explorer",
        "builder": builder,
        "dataset": dataset,
        "num_classes": 1000 if dataset == "imagenet" else 10,
        "pre": pre,
        "params": params,
        "aux_params": aux,
        "macs": count_macs(module, tuple(pre["size"])),
        "blocks": block_names(module),
        "weights": [_weights(pre)] if builder in TRAINED else [],
    }
    if builder in PAPERS:
        record["paper"] = PAPERS[builder]
    return record


def _weights(pre: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "MNIST_DIGITS",
        "top1": None,
        "top5": None,
        "pre": pre,
        "recipe": "assets/weights/train_digits.py",
        "licence": "Apache-2.0",
    }
