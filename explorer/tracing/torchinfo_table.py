"""The table of the tool torchinfo, on tensors without values."""

from __future__ import annotations

import logging
from importlib.metadata import version
from typing import TYPE_CHECKING

from explorer.errors import InputSizeError, TraceError
from explorer.i18n import N_
from explorer.results import TorchinfoSummary
from explorer.tracing.sizes import Size, check_size, size_text

if TYPE_CHECKING:
    from explorer.catalog.spec import ModelSpec

logger = logging.getLogger(__name__)

COLUMNS = ("input_size", "output_size", "num_params", "mult_adds")


def torchinfo_summary(
    spec: ModelSpec, size: Size | None = None, *, depth: int = 10
) -> TorchinfoSummary:
    """Layer summary by torchinfo of a catalog entry, batch 1, in evaluation mode.

    The network is on the meta device: no weights, no memory, no arithmetic.

    Args:
        spec: What to describe.
        size: (channels, height, width); None for the network's own.
        depth: Levels of nested modules in the table.

    Raises:
        InputSizeError: The network does not take this size.
        TraceError: torchinfo fails on the network.
    """
    import torch
    import torchinfo

    from explorer.tracing.building import module_for
    from explorer.tracing.modes import inference_form

    wanted = check_size(spec, size)
    module = module_for(spec, wanted).to("meta")
    try:
        with inference_form(module):
            found = torchinfo.summary(
                module, input_data=torch.empty(1, *wanted, device="meta"), device="meta",
                mode="eval", depth=depth, col_names=COLUMNS, verbose=0,
            )  # fmt: skip
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        logger.info("torchinfo fails on %s", spec.id, exc_info=error)
        if wanted != spec.input_size:
            raise InputSizeError(
                N_("{model} does not take images of {size}; use {example}."),
                model=spec.name, size=size_text(wanted), example=size_text(spec.input_size),
            ) from error  # fmt: skip
        raise TraceError(
            N_("torchinfo cannot describe {model}; see the table of layers instead."),
            model=spec.name,
        ) from error
    return TorchinfoSummary(
        model=spec.id,
        input_size=wanted,
        text=str(found),
        total_params=int(found.total_params),
        trainable_params=int(found.trainable_params),
        mult_adds=int(found.total_mult_adds),
        version=version("torchinfo"),
    )
