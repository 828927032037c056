"""The survey of costs: every network traced on tensors without values, and counted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from explorer.atlas.survey import Survey, columns
from explorer.catalog import find
from explorer.errors import AtlasError, JobCancelled
from explorer.i18n import N_
from explorer.task_keys import digest
from explorer.tasks import Context

if TYPE_CHECKING:
    from explorer.catalog.spec import ModelSpec
    from explorer.graph import LayerGraph

#: How amounts are counted, in words for whoever finds a table without this program.
CONVENTION = (
    "One image at the network's own input size, evaluation mode, float32. macs: "
    "multiply-accumulates of convolutions, matrix products and attention; flops: two for each; "
    "canziani_ops: as the counter behind arXiv:1605.07678. params: trainable, without auxiliary "
    "heads. activation_bytes: of the tensors that all operations write; peak_bytes: the most that "
    "is alive at once in eager mode, input included, parameters not. complete: false where an "
    "operation may multiply and has no formula, so that amounts are at least what stands there."
)

SCHEMA = columns(
    ("model", pa.string()), ("source", pa.string()), ("family", pa.string()),
    ("channels", pa.int32()), ("height", pa.int32()), ("width", pa.int32()),
    ("params", pa.int64()), ("aux_params", pa.int64()), ("buffers", pa.int64()),
    ("macs", pa.int64()), ("flops", pa.int64()), ("canziani_ops", pa.int64()),
    ("complete", pa.bool_()), ("uncounted", pa.string()),
    ("ops", pa.int32()), ("modules", pa.int32()),
    ("activation_bytes", pa.int64()), ("peak_bytes", pa.int64()),
    ("method", pa.string()), ("seconds", pa.float64()),
    ("torch", pa.string()), ("torchvision", pa.string()), ("timm", pa.string()),
)  # fmt: skip


def costs_survey(models: Sequence[str]) -> Survey:
    """The survey of these catalog ids; what code and libraries count is part of it."""
    from explorer.tracing.versions import code_version, library_versions

    conditions = {"tracing": code_version()[:16], **library_versions()}
    return Survey("costs", tuple(map(_item, models)), conditions, SCHEMA)


def _item(model: str) -> dict[str, Any]:
    spec = find(model)
    channels, height, width = spec.input_size
    return {
        "model": model, "source": spec.source, "family": spec.family,
        "channels": channels, "height": height, "width": width,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CountCosts:
    """One network traced anew and counted.

    Attributes:
        model: Catalog id.
    """

    model: str
    cacheable: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """What stands in sentences of the engine's."""
        return self.model

    def key(self) -> str:
        """By model."""
        return digest("atlas-costs", self.model)

    def run(self, context: Context) -> dict[str, Any]:
        """The row's columns that come from the trace."""
        context.stage(N_("Tracing the network"))
        try:
            return count_spec(find(self.model))
        except JobCancelled:
            raise
        except Exception as error:  # a network may raise anything; the survey goes on
            raise AtlasError(
                N_("It could not be traced ({reason})."), reason=first_words(error)
            ) from error


def first_words(error: BaseException, most: int = 200) -> str:
    """Kind and first line of an error."""
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text[:most].rstrip(" .")


def count_spec(spec: ModelSpec) -> dict[str, Any]:
    """A catalog entry's costs at its own input size; no kept trace is used, and none is kept."""
    began = time.perf_counter()
    graph = _traced(spec)
    found = counted(graph)
    return found | {"seconds": round(time.perf_counter() - began, 3)}


def _traced(spec: ModelSpec) -> LayerGraph:
    """By the light way, or else by the long one, which gives the same graph."""
    import torch

    from explorer.trace import trace_spec, watched
    from explorer.tracing.building import module_for

    size = spec.input_size
    try:
        return watched(module_for(spec, size), torch.empty(1, *size), name=spec.id)
    except JobCancelled:
        raise
    except Exception:  # noqa: BLE001 - a network may raise anything; the long way tells
        return trace_spec(spec, cache=False)


def counted(graph: LayerGraph) -> dict[str, Any]:
    """The columns that a graph determines: the same in every process."""
    from explorer.costs import Convention, count, memory_profile, uncounted

    versions = graph.versions
    return {
        "params": graph.total_params, "aux_params": graph.aux_params, "buffers": graph.buffers,
        "macs": count(graph, Convention.MACS), "flops": count(graph, Convention.FLOPS),
        "canziani_ops": count(graph, Convention.CANZIANI), "complete": graph.complete,
        "uncounted": ", ".join(f"{target}×{times}" for target, times in uncounted(graph)),
        "ops": len(graph.ops), "modules": len(graph.modules),
        "activation_bytes": graph.activation_bytes,
        "peak_bytes": memory_profile(graph).peak_bytes, "method": graph.method,
        "torch": versions.get("torch"), "torchvision": versions.get("torchvision"),
        "timm": versions.get("timm"),
    }  # fmt: skip
