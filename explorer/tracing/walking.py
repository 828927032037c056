"""Ways to walk a network, best first: export, draft export, recording what runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    UnsupportedFakeTensorException,
    UnsupportedOperatorException,
)
from torch.export import ExportedProgram

from explorer.errors import TraceError
from explorer.i18n import N_
from explorer.tracing.modes import inference_form, quiet
from explorer.tracing.reading import read_export
from explorer.tracing.recording import NeedsValuesError, record_forward
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


def walk(
    module: nn.Module, example: torch.Tensor, *, may_run: bool = True
) -> tuple[Record, str, tuple[str, ...]]:
    """The ops of one forward pass in evaluation mode.

    Args:
        module: Left as it was found.
        example: Only its shape and dtype matter, unless the network branches on values.
        may_run: False never computes: where ``torch.export`` fails, so does this.

    Returns:
        What was walked, the method ("export", "draft_export" or "hooks"), and what it cannot see.

    Raises:
        TraceError: No method gets through; ``values["reason"]`` is torch's.
    """
    name = type(module).__name__
    with inference_form(module), torch.enable_grad(), quiet():
        try:
            program = torch.export.export(module, (example,), strict=False)
            return read_export(module, program), "export", ()
        except Exception as error:  # noqa: BLE001 - torch raises many kinds
            logger.info("%s cannot be exported: %s", name, _first_line(error))
            first = error
        if not may_run:
            raise _error(name, first) from first
        # Drafting and running compute for real: only after a pass that costs nothing has got as far
        # as it can, so that a wrong shape is not found after minutes of convolutions.
        try:
            return record_forward(module, example, values=False), "hooks", (FUNCTIONS,)
        except _NEEDS_VALUES as error:
            logger.info("%s needs values: %s", name, _first_line(error))
        except Exception as error:
            raise _error(name, first) from error
        drafted = _draft(module, example)
        if drafted is not None:
            return read_export(module, drafted), "draft_export", (BRANCHES,)
        try:
            return record_forward(module, example), "hooks", (FUNCTIONS, BRANCHES)
        except Exception as error:
            raise _error(name, first) from error


# What a pass without values raises where it needs them, numpy's view of a tensor included.
_NEEDS_VALUES = (
    DataDependentOutputException,
    DynamicOutputShapeException,
    UnsupportedFakeTensorException,
    UnsupportedOperatorException,
    NeedsValuesError,
)


def _error(name: str, reason: BaseException) -> TraceError:
    return TraceError(
        N_("{model} could not be traced: {reason}; choose another network or input size."),
        model=name,
        reason=_first_line(reason),
    )


def _draft(module: nn.Module, example: torch.Tensor) -> ExportedProgram | None:
    try:
        return torch.export.draft_export(module, (example,), strict=False)
    except Exception as error:  # noqa: BLE001 - as above
        logger.info("draft_export failed as well: %s", _first_line(error))
        return None


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__).rstrip(".")[:200]
