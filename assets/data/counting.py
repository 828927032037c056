"""Counting a network without its memory: built on the meta device, run under torch's FLOP counter.

Used by ``make_catalog.py`` and by the tests that recompute what it wrote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from explorer.skip_init import skip_init

_CONTAINERS = ("torch.nn.", "torch.ao.")
_WRAPPER = re.compile(
    r"Conv2?d?(Bn|BN|Norm|Act)|^(Basic|Separable)?Conv(?!NeXt)|NormAct|BatchNormAct|SqueezeEx|SEModule|^Mlp|Attn|Attention"
    r"|Embed|Head|DropPath|LayerScale(?!Block)|LayerNorm|^SE(?!Res|Bottle)|Classifier|^ECA|Pool|Permute|Affine|Aux|Linear(?!Bottle|Trans)"
)


def build_on_meta(builder: Callable[[], nn.Module]) -> nn.Module:
    """The module on the meta device, in evaluation mode.

    Some constructors compute with tensors (RegNet's widths, stochastic-depth rates) and cannot run
    on meta; those are built on the CPU with uninitialised memory and moved.
    """
    with skip_init():
        try:
            with torch.device("meta"):
                module = builder()
        except (RuntimeError, NotImplementedError, TypeError, ValueError, AttributeError):
            module = builder().to("meta")
    return module.eval()


def count_macs(module: nn.Module, input_size: tuple[int, int, int]) -> int:
    """Multiply–accumulates of one image: FlopCounterMode's FLOPs, halved.

    On meta, attention is decomposed into the products that the counter knows; on the CPU the fused
    kernel hides them.
    """
    # the counter follows modules through autograd hooks, which trip over frozen views of parameters
    module.requires_grad_(False)
    image = torch.empty((1, *input_size), device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(image)
    return int(counter.get_total_flops()) // 2


def count_params(module: nn.Module, auxiliary: tuple[str, ...] = ()) -> tuple[int, int]:
    """(parameters that inference runs, parameters of the auxiliary heads named by prefix)."""
    main = aux = 0
    for name, parameter in module.named_parameters():
        if name.split(".")[0] in auxiliary:
            aux += parameter.numel()
        else:
            main += parameter.numel()
    return main, aux


def block_names(module: nn.Module, limit: int = 4) -> list[str]:
    """Class names of the repeated building blocks, most frequent first.

    A block is a class of the library's own with children, used at least twice, that is neither a
    small wrapper (convolution + norm, attention, squeeze-and-excitation), nor a stage (a list of
    blocks), nor part of another block.
    """
    candidates: dict[str, str] = {}
    for path, child in module.named_modules():
        kind = type(child)
        own = not f"{kind.__module__}.".startswith(_CONTAINERS)
        if path and own and any(child.children()) and not _WRAPPER.search(kind.__name__):
            candidates[path] = kind.__name__
    counts = Counter(candidates.values())
    repeated = {path: name for path, name in candidates.items() if counts[name] > 1}
    stages = {name for path, name in repeated.items() if _is_stage(module.get_submodule(path))}
    blocks: Counter[str] = Counter()
    for path, name in repeated.items():
        parents = (path.rsplit(".", i)[0] for i in range(1, path.count(".") + 1))
        inside = any(repeated.get(parent, name) not in stages | {name} for parent in parents)
        if name not in stages and not inside:
            blocks[name] += 1
    return [name for name, count in blocks.most_common(limit) if count > 1]


def _is_stage(module: nn.Module) -> bool:
    """Whether the module is called so, or is or holds a list of blocks of one class."""
    if "Stage" in type(module).__name__:
        return True
    lists: list[Any] = [
        child
        for child in (module, *module.children())
        if isinstance(child, nn.Sequential | nn.ModuleList | nn.ModuleDict)
    ]
    for members in lists:
        kinds = Counter(
            type(child).__name__
            for child in members.children()
            if not type(child).__module__.startswith(("torch.nn", "torchvision.ops"))
            and any(child.children())
            and not _WRAPPER.search(type(child).__name__)
        )
        if kinds and max(kinds.values()) > 1:
            return True
    return False
