"""A network as an ONNX file, through torch's own exporter."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from explorer.errors import LayerError
from explorer.i18n import N_
from explorer.inspection.types import OnnxFile
from explorer.module_state import preserved
from explorer.tracing.modes import quiet

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

log = logging.getLogger(__name__)

LARGEST_BYTES = 500_000_000
OPSET = 18


def export_onnx(loaded: LoadedModel) -> OnnxFile:
    """The network with its weights as one ONNX file for pictures of its own size, batch 1.

    Args:
        loaded: The network, held under its lock; its weights are written as float32.

    Raises:
        LayerError: It is larger than 500 MB, or torch cannot export it.
    """
    name = loaded.spec.name
    if loaded.nbytes > LARGEST_BYTES:
        raise _too_large(name, loaded.nbytes)
    shape = (1, *loaded.preprocessing.input_size)
    x = torch.zeros(shape, device=loaded.device)
    try:
        with preserved(loaded.module), quiet(), torch.no_grad():
            program = torch.onnx.export(
                loaded.module, (x,), dynamo=True, opset_version=OPSET, verbose=False,
                input_names=["image"], output_names=["logits"],
            )  # fmt: skip
        assert program is not None
        with tempfile.TemporaryDirectory(prefix="explorer-onnx-") as folder:
            path = Path(folder) / "network.onnx"
            program.save(str(path), external_data=False)
            data = path.read_bytes()
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:  # the exporter and its passes raise many kinds
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise LayerError(
            N_("{model} cannot be written as ONNX ({reason}); choose another network."),
            model=name,
            reason=lines[0].rstrip(".")[:160],
        ) from error
    if len(data) > LARGEST_BYTES:
        raise _too_large(name, len(data))
    return OnnxFile(
        model=loaded.spec.id,
        weights=loaded.weights.id if loaded.weights else None,
        data=data,
        opset=OPSET,
        input_shape=shape,
        producer=f"torch {torch.__version__}",
    )


def _too_large(name: str, size: int) -> LayerError:
    return LayerError(
        N_(
            "{model} as ONNX has {size} MB, more than the {most} MB that are written here; "
            "choose a smaller network."
        ),
        model=name,
        size=size // 1_000_000,
        most=LARGEST_BYTES // 1_000_000,
    )
