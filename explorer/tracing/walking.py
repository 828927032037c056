"""Ways to walk a network, best first: export, draft export, recording what runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch
from torch.export import ExportedProgram

from explorer.errors import TraceError
from explorer.i18n import N_
from explorer.tracing.modes import inference_form, quiet
from explorer.tracing.reading import read_export
from explorer.tracing.recording import record_forward
from explorer.tracing.records import Record

if TYPE_CHECKING:
    from torch import nn

logger = logging.getLogger(__name__)

BRANCHES = N_(
    "Branches that depend on the values of the input were followed for one example; "
    "other inputs may take another path."
)
FUNCTIONS = N_(
    "torch.export could not read this network, so the ops are those that ran for one example; "
    "composite functions appear as the ops that they consist of."
)


def walk(module: nn.Module, example: torch.Tensor) -> tuple[Record, str, tuple[str, ...]]:
    """The ops of one forward pass in evaluation mode.

    Args:
        module: Left as it was found.
        example: Only its shape and dtype matter, unless the network branches on values.

    Returns:
        What was walked, the method ("export", "draft_export" or "hooks"), and what it cannot see.

    Raises:
        TraceError: No method gets through.
    """
    name = type(module).__name__
    with inference_form(module), torch.enable_grad():
        try:
            with quiet():
                program = torch.export.export(module, (example,), strict=False)
            return read_export(module, program), "export", ()
        except Exception as error:  # noqa: BLE001 - torch raises many kinds; each leads to the next way
            logger.info("%s cannot be exported: %s", name, _first_line(error))
            first = error
        if not _fails_on_shapes(module, example):
            program_or_none = _draft(module, example)
            if program_or_none is not None:
                return read_export(module, program_or_none), "draft_export", (BRANCHES,)
        try:
            return record_forward(module, example), "hooks", (FUNCTIONS, BRANCHES)
        except Exception as error:
            logger.info("%s does not run either: %s", name, _first_line(error))
            raise TraceError(
                N_("{model} could not be traced: {reason}; choose another network or input size."),
                model=name,
                reason=_first_line(first),
            ) from error


def _draft(module: nn.Module, example: torch.Tensor) -> ExportedProgram | None:
    try:
        with quiet():
            return torch.export.draft_export(module, (example,), strict=False)
    except Exception as error:  # noqa: BLE001 - as above
        logger.info("draft_export failed as well: %s", _first_line(error))
        return None


def _fails_on_shapes(module: nn.Module, example: torch.Tensor) -> bool:
    """Whether the forward pass fails before any value matters: then draft_export cannot help."""
    try:
        record_forward(module, example, values=False)
    except (RuntimeError, AssertionError, ValueError, IndexError, TypeError):
        return True
    return False


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__).rstrip(".")[:200]
