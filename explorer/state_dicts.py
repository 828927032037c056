"""Weights files → state dicts: reading, renaming, and what happens to a damaged file."""

from __future__ import annotations

import logging
import pickle
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from explorer.errors import WeightsUnavailableError
from explorer.i18n import N_

_log = logging.getLogger(__name__)
_DENSE_LAYER = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..+)$")


def read_state_dict(path: Path) -> dict[str, Any]:
    """The tensors of a .safetensors or torch file, on the CPU; never runs code from it.

    What it raises on a damaged file is for ``set_aside``.
    """
    if path.suffix == ".safetensors":
        return dict(load_file(path))
    loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return loaded


def check_file(path: Path) -> dict[str, Any]:
    """Finds out whether a file that timm will read is whole, with as little memory as possible.

    What it raises on a damaged file is for ``set_aside``.

    Returns:
        No tensors.
    """
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt"):  # reads the header and compares it with the length
            return {}
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                raise zipfile.BadZipFile(str(path))
        return {}
    torch.load(path, map_location="cpu", weights_only=True)
    return {}


def fill(module: nn.Module, state: dict[str, Any]) -> None:
    """Puts a state dict's own tensors into a module, so that they are in memory once.

    Raises:
        RuntimeError: Names or shapes differ.
    """
    for name, tensor in module.state_dict().items():
        if name in state and state[name].dtype != tensor.dtype:
            state[name] = state[name].to(tensor.dtype)
    module.load_state_dict(state, assign=True)


@contextmanager
def set_aside(path: Path, what: str, *, refetchable: bool) -> Iterator[None]:
    """Renames a file that cannot be read, so that the next try gets it anew.

    Args:
        path: The file that is read inside the block.
        what: The weights, for the sentence.
        refetchable: Whether they can be downloaded; a file of a package or of assets stays.

    Raises:
        WeightsUnavailableError: The file is damaged.
    """
    try:
        yield
    except (
        SafetensorError, zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError, EOFError,
        KeyError, ValueError, IndexError, AttributeError, TypeError,
    ) as error:  # fmt: skip
        # torch.load on damaged bytes ends in any of these; a MemoryError or OSError is no damage.
        _log.warning("%s: cannot be read", path, exc_info=error)
        if not refetchable:
            raise WeightsUnavailableError(
                N_("The file {path} with {what} is damaged; install the app's requirements again."),
                path=str(path),
                what=what,
            ) from error
        aside = _rename(path)
        raise WeightsUnavailableError(
            N_(
                "The file {path} with {what} is damaged and was renamed to {aside}; load it again "
                "to download it anew, or explore the untrained network."
            ),
            path=str(path),
            what=what,
            aside=aside.name,
        ) from error


def _rename(path: Path) -> Path:
    """Moves the file away; in the Hugging Face cache the link goes and its target is moved."""
    file = path.resolve()
    aside = file.with_name(file.name + ".damaged")
    file.replace(aside)
    if path.is_symlink():
        path.unlink()
    return aside


def torchvision_keys(state: dict[str, Any]) -> dict[str, Any]:
    """The state dict with today's names.

    torchvision's DenseNet files still say "norm.1" and "conv.2" where its modules say "norm1" and
    "conv2". Renamed in place: the dict carries the version metadata that BatchNorm and MNASNet
    read when they load old files.
    """
    for key in list(state):
        match = _DENSE_LAYER.match(key)
        if match:
            state[match[1] + match[2]] = state.pop(key)
    return state


def by_position(state: dict[str, Any], module: nn.Module, what: str) -> dict[str, Tensor]:
    """The same tensors under the module's names, matched by their order.

    For files of another implementation of the same architecture that lists its tensors in the same
    order. Count and every shape are checked.

    Raises:
        WeightsUnavailableError: Count or a shape differs.
    """
    own = module.state_dict()
    if len(own) != len(state):
        raise WeightsUnavailableError(
            N_(
                "The package's weights of {what} have {found} tensors where the network has "
                "{expected}; install the versions that requirements.txt names."
            ),
            what=what,
            found=len(state),
            expected=len(own),
        )
    for (name, tensor), (other, value) in zip(own.items(), state.items(), strict=True):
        if tensor.shape != value.shape:
            raise WeightsUnavailableError(
                N_(
                    "The package's tensor {other} of {what} has the shape {found} where {name} has "
                    "{expected}; install the versions that requirements.txt names."
                ),
                what=what,
                other=other,
                found=str(tuple(value.shape)),
                name=name,
                expected=str(tuple(tensor.shape)),
            )
    return dict(zip(own, state.values(), strict=True))
