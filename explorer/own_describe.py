"""``python -m explorer.own_describe package.module:function``: own networks as JSON.

Runs where torch may be imported and somebody's code may fail, so that the server does neither.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from explorer.catalog.store import IMAGENET_MEAN, IMAGENET_STD
from explorer.errors import OwnModelError
from explorer.i18n import N_
from explorer.own_models import OwnModel, read_models, reason_of

if TYPE_CHECKING:
    from torch import nn


def describe(setting: str) -> dict[str, Any]:
    """The answer to ``explorer.catalog.own``: records, and one sentence for each problem."""
    found, wrong = read_models(setting)
    problems = list(wrong)
    records = []
    for model in found.values():
        try:
            records.append(record_of(model))
        except OwnModelError as error:
            problems.append(error)
    return {
        "records": records,
        "problems": [{"message": said.message, "values": said.values} for said in problems],
    }


def record_of(model: OwnModel) -> dict[str, Any]:
    """The catalog's record of a network that is built and run once.

    Raises:
        OwnModelError: It cannot be built or run, or its output is not one score a class.
    """
    module, classes = _tried(model)
    size = model.input_size
    usual = size[0] == 3
    pre = {
        "size": list(size),
        "resize": model.resize or min(size[1:]),
        "mean": list(model.mean or (IMAGENET_MEAN if usual else (0.5,) * size[0])),
        "std": list(model.std or (IMAGENET_STD if usual else (0.5,) * size[0])),
        "interpolation": model.interpolation,
    }
    params = sum(tensor.numel() for tensor in module.parameters() if tensor.requires_grad)
    weights = []
    if model.weights is not None:
        weights = [{"id": "own", "pre": pre, "file": os.path.abspath(model.weights)}]  # noqa: PTH100
    return {
        "id": f"own/{model.name}",
        "name": model.name,
        "family": model.family,
        "year": model.year,
        "source": "own",
        "builder": model.name,
        "dataset": model.dataset,
        "num_classes": classes,
        "pre": pre,
        "weights": weights,
        "params": params,
        "aux_params": 0,
        "macs": _macs(model, module),
        "blocks": [],
    }


def _tried(model: OwnModel) -> tuple[nn.Module, int]:
    """The module in eval mode and the number of its classes."""
    import torch
    from torch import nn

    try:
        module = model.build()
        if not isinstance(module, nn.Module):
            raise OwnModelError(
                N_("EXPLORER_MODELS: “{name}” builds {kind}, which is no torch.nn.Module."),
                name=model.name, kind=type(module).__name__,
            )  # fmt: skip
        with torch.no_grad():
            scores = module.eval()(torch.zeros(1, *model.input_size))
    except OwnModelError:
        raise
    except (Exception, SystemExit) as error:  # somebody's code may raise anything
        raise OwnModelError(
            N_("EXPLORER_MODELS: “{name}” cannot be built and run at {size}: {reason}."),
            name=model.name, size="×".join(map(str, model.input_size)), reason=reason_of(error),
        ) from error  # fmt: skip
    if not isinstance(scores, torch.Tensor) or scores.ndim != 2 or len(scores) != 1:
        shape = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
        raise OwnModelError(
            N_("EXPLORER_MODELS: “{name}” gives {shape} for one image, not one row of scores."),
            name=model.name, shape=str(shape),
        )  # fmt: skip
    classes = scores.shape[1]
    if model.labels and len(model.labels) != classes:
        raise OwnModelError(
            N_("EXPLORER_MODELS: “{name}” has {classes} outputs, but {labels} labels."),
            name=model.name, classes=classes, labels=len(model.labels),
        )  # fmt: skip
    return module, classes


def _macs(model: OwnModel, module: nn.Module) -> int | None:
    """Multiply-accumulates as the trace counts them; None where it cannot be traced."""
    import torch

    from explorer.trace import watched

    try:
        return watched(module, torch.empty(1, *model.input_size), name=model.name).total_macs
    except Exception:  # noqa: BLE001 - a network may raise anything; the trace's page says what
        return None


def main() -> None:
    """Writes the answer; whatever else is printed goes to the standard error."""
    answer = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    found = describe(sys.argv[1])
    with os.fdopen(answer, "w", encoding="utf-8") as stream:
        json.dump(found, stream)
    sys.stderr.flush()
    os._exit(0)  # threads that somebody's code left behind are not waited for


if __name__ == "__main__":
    main()
