"""Tasks that hold a network's costs against other counters and against the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.i18n import N_
from explorer.requests import ModelRef
from explorer.task_keys import digest
from explorer.tasks import Context, held_model

if TYPE_CHECKING:
    from explorer import results


@dataclass(frozen=True, slots=True)
class Reconcile:
    """What others count of a network beside our count; needs no weights.

    Attributes:
        model: Catalog id.
    """

    model: str

    def key(self) -> str:
        """By model."""
        return digest("reconcile", self.model)

    def run(self, context: Context) -> tuple[results.OtherCount, ...]:
        """One row for each source."""
        from explorer.catalog import find
        from explorer.reconcile import reconcile
        from explorer.trace import trace_spec

        spec = find(self.model)
        context.stage(N_("Tracing the network"))
        graph = trace_spec(spec)
        context.stage(N_("Asking the other counters"))
        return reconcile(spec, graph, progress=context.progress)


@dataclass(frozen=True, slots=True)
class MeasureRoofline:
    """Layers of an untrained network under the roof of this device.

    Attributes:
        model: Catalog id.
        renew: How often the visitor asked for a new measurement; above 0 the device's peaks are
            measured anew too.
    """

    model: str
    renew: int = 0

    def key(self) -> str:
        """By model and by how often it was renewed."""
        return digest("roofline", self.model, self.renew)

    def run(self, context: Context) -> results.RooflineResult:
        """The layers with their times."""
        from explorer.catalog import find
        from explorer.roofline import device_peaks, roofline
        from explorer.trace import trace_spec

        with held_model(context, ModelRef(self.model)) as loaded:
            context.stage(N_("Tracing the network"))
            graph = trace_spec(find(self.model))
            context.stage(N_("Measuring what the device can do"))
            peaks = device_peaks(loaded.device, renew=self.renew > 0, progress=context.progress)
            context.stage(N_("Timing the layers"))
            return roofline(loaded, graph, peaks, progress=context.progress)
