"""Architectures written here from their papers, one file each; imports torch."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from explorer.networks.alexnet_2012 import AlexNet2012
from explorer.networks.bn_alexnet import BNAlexNet
from explorer.networks.bn_inception import BNInception
from explorer.networks.bn_nin import BNNIN
from explorer.networks.ciresan_mlp import ciresan_mlp, ciresan_mlp_small
from explorer.networks.enet import ENet
from explorer.networks.googlenet_2014 import GoogLeNet2014
from explorer.networks.lenet5 import LeNet5
from explorer.networks.lenet5_1998 import LeNet51998
from explorer.networks.nin import nin_cifar10, nin_imagenet

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "lenet5": LeNet5,
    "lenet5_1998": LeNet51998,
    "ciresan_mlp": ciresan_mlp,
    "ciresan_mlp_small": ciresan_mlp_small,
    "alexnet_2012": AlexNet2012,
    "nin_imagenet": nin_imagenet,
    "nin_cifar10": nin_cifar10,
    "googlenet_2014": GoogLeNet2014,
    "bn_inception": BNInception,
    "bn_alexnet": BNAlexNet,
    "bn_nin": BNNIN,
    "enet": ENet,
}
"""Builder name of a catalog entry with source "explorer" → what builds the module."""
