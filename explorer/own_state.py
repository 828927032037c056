"""Own weights → a network: names mapped, everything that does not fit listed; needs torch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from explorer.errors import OwnWeightsError
from explorer.i18n import N_
from explorer.results import OwnWeightsReport
from explorer.state_dicts import fill, torchvision_keys

#: What wrappers (DataParallel, Lightning, torch.compile, checkpoints) put before every name.
PREFIXES = ("module.", "model.", "state_dict.", "_orig_mod.")
#: Last layers as torchvision and timm call them.
_HEADS = re.compile(r"(fc|head|heads\.head|head\.fc|classifier|classifier\.\d|head\.l|last_linear)")
#: Counters that old files lack, and heads that only training runs.
_OPTIONAL = re.compile(r"num_batches_tracked$|^(aux1|aux2|AuxLogits)\.")


def mapped(shapes: dict[str, tuple[int, ...]], module: nn.Module) -> dict[str, str]:
    """The file's names → the network's, where they differ or not.

    Wrappers' prefixes go where every name has one. A last layer of another name is taken for the
    network's own only where each side has exactly one that the other lacks, of the same shapes.

    Args:
        shapes: Names and shapes as the file has them.
        module: The network.
    """
    own = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = _without_prefixes({name: name for name in shapes}, own)
    # DenseNet's old names, as for torchvision's files.
    found = torchvision_keys(dict(found))
    lacking = _heads(name for name in own if name not in found)
    surplus = _heads(name for name in found if name not in own)
    if len(lacking) == len(surplus) == 1:
        (ours, parts), (theirs, other_parts) = *lacking.items(), *surplus.items()
        fits = parts == other_parts and all(
            own[f"{ours}.{part}"] == shapes[found[f"{theirs}.{part}"]] for part in parts
        )
        if fits:
            for part in parts:
                found[f"{ours}.{part}"] = found.pop(f"{theirs}.{part}")
    return {old: new for new, old in found.items()}


def _without_prefixes(names: dict[str, str], own: dict[str, tuple[int, ...]]) -> dict[str, str]:
    """New name → the file's; the prefixes taken off as often as every name has one."""
    while names:
        prefix = next((p for p in PREFIXES if all(name.startswith(p) for name in names)), None)
        if prefix is None or any(name in own for name in names):
            return names
        names = {name.removeprefix(prefix): old for name, old in names.items()}
    return names


def _heads(names: Iterable[str]) -> dict[str, set[str]]:
    """Last layers among the names, each with the parts it has (weight, bias)."""
    found: dict[str, set[str]] = {}
    for name in names:
        layer, _dot, part = name.rpartition(".")
        if _HEADS.fullmatch(layer):
            found.setdefault(layer, set()).add(part)
    return found


def examine(module: nn.Module, path: Path) -> OwnWeightsReport:
    """What of a file fits a network, without filling it."""
    return _compare(module, path)[0]


def fill_from(module: nn.Module, path: Path, what: str) -> None:
    """Puts the file's weights into a network.

    Args:
        module: In eval mode on the CPU, initialised: what the file may lack stays.
        path: A file that ``own_weights.check_header`` has let pass.
        what: The network, for the sentence.

    Raises:
        OwnWeightsError: They do not fit or hold values that are no numbers.
    """
    report, names = _compare(module, path)
    if not report.fits:
        raise OwnWeightsError(
            N_(
                "The weights do not fit {what}: {missing} tensors missing, {unexpected} "
                "unexpected, {mismatched} of another shape, {nonfinite} with NaN or infinity."
            ),
            what=what, missing=len(report.missing), unexpected=len(report.unexpected),
            mismatched=len(report.mismatched), nonfinite=len(report.nonfinite),
        )  # fmt: skip
    own = module.state_dict()
    with safe_open(path, framework="pt") as file:
        state: dict[str, Tensor] = {new: file.get_tensor(old) for old, new in names.items()}
    fill(module, own | state)


def _compare(module: nn.Module, path: Path) -> tuple[OwnWeightsReport, dict[str, str]]:
    own = module.state_dict()
    with safe_open(path, framework="pt") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        names = mapped(shapes, module)
        mismatched, nonfinite = [], []
        for old, new in names.items():
            if new not in own:
                continue
            wanted = own[new]
            if shapes[old] != tuple(wanted.shape):
                mismatched.append((new, shapes[old], tuple(wanted.shape)))
                continue
            tensor = file.get_tensor(old)
            if wanted.is_floating_point() and not tensor.is_floating_point():
                mismatched.append((f"{new} ({tensor.dtype})", shapes[old], tuple(wanted.shape)))
            elif tensor.is_floating_point() and not bool(torch.isfinite(tensor.float()).all()):
                nonfinite.append(new)
    there = set(names.values())
    report = OwnWeightsReport(
        matched=len(there & own.keys()) - len(mismatched),
        renamed=sum(1 for old, new in names.items() if old != new),
        missing=tuple(
            (name, tuple(tensor.shape))
            for name, tensor in own.items()
            if name not in there and not _OPTIONAL.search(name)
        ),
        unexpected=tuple((old, shapes[old]) for old, new in names.items() if new not in own),
        mismatched=tuple(mismatched),
        nonfinite=tuple(nonfinite),
    )
    return report, names
