"""The ways to run a network that are timed: plain, compiled, exported, captured."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from explorer.errors import LatencyError
from explorer.i18n import N_
from explorer.timing import is_out_of_memory

logger = logging.getLogger(__name__)

Forward = Callable[[Tensor], Any]

MODES = ("eager", "inference_mode", "compile", "export", "cuda_graph")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
#: Passes on a side stream before one is captured, as torch's documentation asks for.
CAPTURE_WARMUP = 3


@contextmanager
def gradients_of(mode: str) -> Iterator[None]:
    """How autograd stands in a mode: recording in "eager", out of the way in the others."""
    if mode == "eager":
        with torch.inference_mode(mode=False), torch.enable_grad():
            yield
    else:
        with torch.inference_mode():
            yield


def prepare(mode: str, module: nn.Module, x: Tensor) -> Forward:
    """What runs the network in this mode on inputs like ``x``.

    "compile" does the work at its first call, which is made here.

    Raises:
        LatencyError: The mode does not work on this machine or with this network.
    """
    if mode == "compile":
        return _compiled(module, x)
    if mode == "export":
        return _exported(module, x)
    if mode == "cuda_graph":
        return _captured(module, x)
    return module


def check_mode(mode: str, device: torch.device) -> None:
    """Raises for a mode that the device does not have."""
    if mode == "cuda_graph" and device.type != "cuda":
        raise LatencyError(
            N_("CUDA graphs need an NVIDIA GPU, and this is a {kind}; choose another mode."),
            kind=device.type.upper(),
        )


def check_dtype(dtype: str, device: torch.device) -> None:
    """Raises for an element type that the device does not have."""
    lacks = False
    if dtype == "bfloat16" and device.type == "cuda":
        lacks = not torch.cuda.is_bf16_supported(including_emulation=False)
    elif dtype == "bfloat16" and device.type == "mps":
        lacks = not torch.backends.mps.is_macos_or_newer(14, 0)
    if lacks:
        raise LatencyError(
            N_("This device cannot compute in {dtype}; choose float32 or float16."), dtype=dtype
        )


def _compiled(module: nn.Module, x: Tensor) -> Forward:
    # Each batch size is compiled for itself, not as one more shape of a dynamic one.
    torch._dynamo.reset()
    compiled: Any = torch.compile(module, dynamic=False)
    try:
        compiled(x)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        logger.warning("torch.compile failed", exc_info=error)
        if _lacks_compiler(error):
            raise LatencyError(
                N_(
                    "torch.compile finds no working compiler on this machine (a C++ compiler for "
                    "the CPU, Triton for CUDA); install one, or choose another mode."
                )
            ) from error
        raise LatencyError(
            N_("torch.compile cannot compile this network ({reason}); choose another mode."),
            reason=first_line(error),
        ) from error
    return compiled  # type: ignore[no-any-return]


def _lacks_compiler(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        name, text = type(seen).__name__, str(seen).lower()
        if "InvalidCxxCompiler" in name or "TritonMissing" in name:
            return True
        if "no working c++ compiler" in text:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _exported(module: nn.Module, x: Tensor) -> Forward:
    try:
        # Outside of inference mode, whose tensors an exported program may not keep.
        with torch.inference_mode(mode=False), torch.no_grad():
            program = torch.export.export(module, (x.clone(),), strict=False)
            exported: Forward = program.module()
        exported(x)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        logger.warning("torch.export failed", exc_info=error)
        raise LatencyError(
            N_("torch.export cannot export this network ({reason}); choose another mode."),
            reason=first_line(error),
        ) from error
    return exported


def _captured(module: nn.Module, x: Tensor) -> Forward:
    """One pass captured as a CUDA graph; a call replays it on the same memory."""
    try:
        side = torch.cuda.Stream(x.device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(x.device))
        with torch.cuda.stream(side):
            for _ in range(CAPTURE_WARMUP):
                module(x)
        torch.cuda.current_stream(x.device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = module(x)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        logger.warning("the pass cannot be captured", exc_info=error)
        raise LatencyError(
            N_("This network cannot be captured as a CUDA graph ({reason}); choose another mode."),
            reason=first_line(error),
        ) from error

    def replay(_x: Tensor) -> Any:
        graph.replay()
        return output

    return replay


def first_line(error: BaseException) -> str:
    """The beginning of an error's text, or its type where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
