"""Architectures written here from their papers, one file each; imports torch."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from explorer.networks.lenet5 import LeNet5

NETWORKS: dict[str, Callable[[], nn.Module]] = {"lenet5": LeNet5}
"""Builder name of a catalog entry with source "explorer" → what builds the module."""
