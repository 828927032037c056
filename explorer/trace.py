"""A network and an input → ``LayerGraph``: the one source of shapes, parameters, MACs and edges.

    graph = trace_spec(find("resnet50"))
    graph.total_macs, graph.total_params

Networks are traced on tensors without values: no convolution runs and no weights are needed. torch
is imported only when something has to be traced; a kept trace is read without it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from explorer.errors import InputSizeError, TraceError
from explorer.graph import LayerGraph
from explorer.i18n import N_
from explorer.tracing.sizes import Size, check_size, size_text
from explorer.tracing.torchinfo_table import torchinfo_summary

if TYPE_CHECKING:
    import torch
    from torch import nn

    from explorer.catalog.spec import ModelSpec

logger = logging.getLogger(__name__)

__all__ = [
    "Size",
    "cached_trace",
    "check_size",
    "size_text",
    "torchinfo_summary",
    "trace",
    "trace_light",
    "trace_spec",
    "watched",
]


def trace(
    module: nn.Module,
    example_input: torch.Tensor,
    *,
    name: str | None = None,
    may_run: bool = True,
) -> LayerGraph:
    """The layer graph of one forward pass in evaluation mode.

    Args:
        module: Any network of one input; its mode is put back, its weights are not read.
        example_input: Batch first; only shape and dtype matter unless branches depend on values.
        name: What the graph calls itself; the class name when left out.
        may_run: Whether a network that ``torch.export`` cannot read may be run for real instead.

    Raises:
        TraceError: The network cannot be traced.
    """
    from explorer.tracing.assemble import Origin, assemble
    from explorer.tracing.versions import library_versions
    from explorer.tracing.walking import walk

    record, method, missing = walk(module, example_input, may_run=may_run)
    origin = Origin(
        model=name or type(module).__name__,
        input_shape=tuple(example_input.shape),
        method=method,
        missing=missing,
        versions=library_versions(),
    )
    return assemble(module, record, origin)


def trace_spec(spec: ModelSpec, size: Size | None = None, *, cache: bool = True) -> LayerGraph:
    """The layer graph of a catalog entry, batch 1, from the disk cache where it is there.

    Args:
        spec: What to trace; no weights are needed.
        size: (channels, height, width); None for the network's own.
        cache: False traces anew and keeps nothing.

    Raises:
        InputSizeError: The network does not take this size.
        TraceError: The network cannot be traced.
    """
    from explorer.tracing import cache as disk

    wanted = check_size(spec, size)
    # The code of a network of one's own may change from one start to the next.
    if not cache or spec.source == "own":
        return _trace_spec(spec, wanted)
    return disk.load_or_make(spec.id, wanted, lambda: _trace_spec(spec, wanted))


def trace_light(spec: ModelSpec, size: Size | None = None) -> LayerGraph:
    """The graph of ``trace_spec`` by a way that takes a third of the time; for counting.

    The kept trace where there is one, else one watched pass (``explorer.tracing.light``), which
    gives the same operations, edges, modules and parameters, else ``trace_spec``. Its ``method`` is
    "pre_dispatch", or that of the trace that it fell back to. Nothing is kept on disk.

    Args:
        spec: What to trace; no weights are needed.
        size: (channels, height, width); None for the network's own.

    Raises:
        InputSizeError: The network does not take this size.
        TraceError: The network cannot be traced.
    """
    found = cached_trace(spec, size)
    if found is not None:
        return found
    wanted = check_size(spec, size)
    try:
        return _watched_spec(spec, wanted)
    except Exception as error:  # noqa: BLE001 - a network may raise anything; the other way tells
        logger.info("%s is not traced lightly: %s", spec.id, error)
        return trace_spec(spec, size)


def _watched_spec(spec: ModelSpec, size: Size) -> LayerGraph:
    import torch

    from explorer.tracing.building import module_for

    return watched(module_for(spec, size), torch.empty(1, *size), name=spec.id)


def watched(module: nn.Module, example_input: torch.Tensor, *, name: str) -> LayerGraph:
    """The graph of one watched pass; ``trace_light`` for a module at hand.

    Args:
        module: Any network of one input; its mode is put back, its weights are not read.
        example_input: Batch first; only shape and dtype matter.
        name: What the graph calls itself.

    Raises:
        Exception: Whatever the pass raises; ``trace`` may still get through.
    """
    from explorer.tracing.assemble import Origin, assemble
    from explorer.tracing.light import METHOD, record_light
    from explorer.tracing.versions import library_versions

    record = record_light(module, example_input)
    origin = Origin(name, tuple(example_input.shape), METHOD, (), library_versions())
    return assemble(module, record, origin)


def cached_trace(spec: ModelSpec, size: Size | None = None) -> LayerGraph | None:
    """The kept trace, without importing torch; None when there is none yet.

    Raises:
        InputSizeError: No network of this kind takes such a size.
    """
    from explorer.tracing import cache as disk

    wanted = check_size(spec, size)
    return None if spec.source == "own" else disk.load(spec.id, wanted)


def _trace_spec(spec: ModelSpec, size: Size) -> LayerGraph:
    import torch

    from explorer.tracing.building import module_for

    module = module_for(spec, size)
    own = size == spec.input_size
    try:
        return trace(module, torch.empty(1, *size), name=spec.id, may_run=own)
    except TraceError as error:
        if own:
            raise
        # Where its own size is read by torch.export, the size is the reason.
        if trace_spec(spec).method != "export":
            return trace(module, torch.empty(1, *size), name=spec.id)
        raise _size_error(spec, size, str(error.values.get("reason", ""))) from error


# Words of torch's and timm's for a map that has become smaller than the next window.
_TOO_SMALL = ("too small", "greater than actual", "should be less than", "must be greater")


def _size_error(spec: ModelSpec, size: Size, reason: str) -> InputSizeError:
    """One sentence; torch's own words on layers and shapes are in the log."""
    logger.info("%s at %s: %s", spec.id, size_text(size), reason)
    small = any(words in reason for words in _TOO_SMALL)
    return InputSizeError(
        N_("An input of {size} is too small for {model}; use {example} or larger.")
        if small
        else N_("{model} is not built for an input of {size}; use {example}."),
        model=spec.name,
        size=size_text(size),
        example=size_text(spec.input_size),
    )
