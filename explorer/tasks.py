"""Heavy calls as picklable requests: built on the script thread, run by the engine in a worker.

A task is frozen data and imports nothing heavy until ``run``; its ``key`` names its content, so
that identical requests share one run and one cached result.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from explorer.i18n import N_
from explorer.requests import AssessRequest, ExplainRequest, LatencyRequest, ModelRef
from explorer.task_keys import digest

if TYPE_CHECKING:
    from explorer import results
    from explorer.graph import LayerGraph
    from explorer.inspection import types as inspected
    from explorer.measurements.sweeps import SweepStatus
    from explorer.pool import ModelPool
    from explorer.results import Attribution, LatencyResult, Prediction, TrustCard
    from explorer.weights import WeightsStatus
    from explorer.zoo import LoadedModel


class Context(Protocol):
    """What a task may use while it runs in a worker."""

    @property
    def pool(self) -> ModelPool:
        """The loaded models of this worker."""

    def progress(self, done: float, total: float | None, partial: Any = None) -> None:
        """Says how far the task is, and hands out a partial result; call it between steps.

        Args:
            done: Steps, bytes, … of the present stage that are done.
            total: Of how many; None where that is not known.
            partial: What there is so far; not to be changed afterwards. None leaves the last one.

        Raises:
            JobCancelled: Nobody waits for the result any more; let it pass through.
        """

    def stage(self, name: str) -> None:
        """Says what begins now (English, marked with ``N_``); progress starts anew.

        Raises:
            JobCancelled: Nobody waits for the result any more; let it pass through.
        """


class Task(Protocol):
    """One heavy call.

    A task whose result must not be shared (a timing) returns "" from ``key``. One that may be
    shared while it runs, but not kept, has a class attribute ``cacheable = False``.
    """

    def key(self) -> str:
        """Hex digest of everything that the result depends on; "" when it must not be shared."""

    def run(self, context: Context) -> Any:
        """Does the work in a worker process; the result can be pickled without torch."""


@contextmanager
def held_model(context: Context, ref: ModelRef) -> Iterator[LoadedModel]:
    """The network under its lock, loaded or downloaded first, which is a stage of its own."""
    context.stage(N_("Loading the network"))
    with context.pool.use(ref, progress=context.progress) as loaded:
        yield loaded


@dataclass(frozen=True, slots=True)
class LoadWeights:
    """Downloads a network's weights where they are not there, and loads the network.

    Not kept: whether the file is there is asked of the disk each time.
    """

    ref: ModelRef
    cacheable: ClassVar[bool] = False

    def key(self) -> str:
        """One download for all who ask for the same weights."""
        return digest("load", self.ref)

    def run(self, context: Context) -> WeightsStatus:
        """Where the weights are now."""
        from explorer.catalog import find
        from explorer.weights import weights_status

        with held_model(context, self.ref):
            return weights_status(find(self.ref.model), self.ref.weights)


@dataclass(frozen=True, slots=True)
class Predict:
    """What a network says of an image.

    Attributes:
        ref: The network.
        image: The uploaded file.
        top_k: Number of classes.
    """

    ref: ModelRef
    image: bytes
    top_k: int = 5

    def key(self) -> str:
        """By the content of the image."""
        return digest("predict", self.ref, self.image, self.top_k)

    def run(self, context: Context) -> Prediction:
        """The most probable classes."""
        from explorer.attribution.predict import predict
        from explorer.images import open_image

        image = open_image(self.image)
        with held_model(context, self.ref) as loaded:
            context.stage(N_("Classifying the image"))
            return predict(loaded, image, top_k=self.top_k)


@dataclass(frozen=True, slots=True)
class Explain:
    """Why a network said it.

    Attributes:
        ref: The network.
        image: The uploaded file.
        request: Method, target, layer and options.
    """

    ref: ModelRef
    image: bytes
    request: ExplainRequest

    def key(self) -> str:
        """By the content of the image and of the request."""
        return digest("explain", self.ref, self.image, self.request)

    def run(self, context: Context) -> Attribution:
        """The map."""
        from explorer.attribution import explain
        from explorer.images import open_image

        image = open_image(self.image)
        with held_model(context, self.ref) as loaded:
            context.stage(N_("Computing the map"))
            return explain(loaded, image, self.request, progress=context.progress)


@dataclass(frozen=True, slots=True)
class SpatialLayers:
    """The layers from which a map can be read.

    Attributes:
        ref: The network; its weights do not matter, but are there already.
    """

    ref: ModelRef

    def key(self) -> str:
        """By the network."""
        return digest("layers", self.ref)

    def run(self, context: Context) -> tuple[results.SpatialLayer, ...]:
        """The layers in the order in which they run."""
        from explorer.attribution.spatial import spatial_layers

        with held_model(context, self.ref) as loaded:
            context.stage(N_("Looking for the layers"))
            return spatial_layers(loaded)


@dataclass(frozen=True, slots=True)
class AssessMap:
    """How far to believe a map.

    Attributes:
        ref: The network.
        image: The uploaded file.
        request: The map and the checks.
        found: The map where it is there already, which saves computing it; not part of the key.
    """

    ref: ModelRef
    image: bytes
    request: AssessRequest
    found: Attribution | None = None

    def key(self) -> str:
        """By the content of the image and of the request."""
        return digest("assess", self.ref, self.image, self.request)

    def run(self, context: Context) -> TrustCard:
        """The trust card; with each check that is done, a partial one is handed out."""
        from explorer.attribution.quality import assess
        from explorer.images import open_image

        image = open_image(self.image)
        with held_model(context, self.ref) as loaded:
            context.stage(N_("Checking the map"))
            return assess(loaded, image, self.request, self.found, context.progress)


@dataclass(frozen=True, slots=True)
class Trace:
    """The layer graph of a network; needs no weights.

    Attributes:
        model: Catalog id.
        input_size: (C, H, W); None for the network's own.
        light: For counting: the same graph sooner.
    """

    model: str
    input_size: tuple[int, int, int] | None = None
    light: bool = False

    def key(self) -> str:
        """By model and input size."""
        return digest("trace", self.model, self.input_size, self.light)

    def run(self, context: Context) -> LayerGraph:
        """The graph, from the disk cache where it is there."""
        from explorer.catalog import find
        from explorer.trace import trace_light, trace_spec

        context.stage(N_("Tracing the network"))
        return (trace_light if self.light else trace_spec)(find(self.model), self.input_size)


@dataclass(frozen=True, slots=True)
class TorchinfoSummary:
    """torchinfo's table of a network; needs no weights.

    Attributes:
        model: Catalog id.
    """

    model: str

    def key(self) -> str:
        """By model."""
        return digest("torchinfo", self.model)

    def run(self, context: Context) -> results.TorchinfoSummary:
        """The table and its totals."""
        from explorer.catalog import find
        from explorer.trace import torchinfo_summary

        context.stage(N_("Summarising the network"))
        return torchinfo_summary(find(self.model))


@dataclass(frozen=True, slots=True)
class Measure:
    """Forward times of a network; partial results come while it runs.

    Attributes:
        ref: The network.
        request: What to time.
        keep: Whether it goes into the store of measurements, also what there is when it is
            cancelled. Where that cannot be, the result says why (``unstored``).
    """

    ref: ModelRef
    request: LatencyRequest
    keep: bool = True

    def key(self) -> str:
        """Never shared nor kept: each measurement is one of its own."""
        return ""

    def run(self, context: Context) -> LatencyResult:
        """The raw timings."""
        from explorer.errors import JobCancelled
        from explorer.latency import measure
        from explorer.measurements.keeping import keep

        # A visitor's own weights stay with the session.
        kept = self.keep and not self.ref.file
        latest: LatencyResult | None = None

        def progress(done: float, total: float, partial: LatencyResult) -> None:
            nonlocal latest
            latest = partial
            context.progress(done, total, partial)

        with held_model(context, self.ref) as loaded:
            context.stage(N_("Measuring"))
            try:
                result = measure(loaded, self.request, progress=progress)
            except JobCancelled:
                if kept and latest is not None and any(len(s.seconds) for s in latest.series):
                    keep(latest)
                raise
        return keep(result) if kept else result


@dataclass(frozen=True, slots=True)
class RunSweep:
    """The open measurements of a sweep that is kept in the store; begun again, it goes on.

    Attributes:
        sweep: Its id (``explorer.measurements.sweeps.SweepStore.start``).
    """

    sweep: int
    cacheable: ClassVar[bool] = False

    def key(self) -> str:
        """One run for all who wait for the same sweep."""
        return digest("sweep", self.sweep)

    def run(self, context: Context) -> SweepStatus:
        """How it stands at the end; with each measurement, a partial one is handed out."""
        from explorer.measurements import MeasurementStore
        from explorer.measurements.sweeps import SweepStore
        from explorer.sweeps.running import run_sweep

        context.stage(N_("Measuring"))
        sweeps = SweepStore(MeasurementStore())
        return run_sweep(
            sweeps, self.sweep, lambda model: context.pool.use(ModelRef(model)), context.progress
        )


@dataclass(frozen=True, slots=True)
class ClassifyFrames:
    """An image classified again and again; the rate comes in partial results.

    Attributes:
        ref: The network.
        image: The uploaded file.
        seconds: How long at most.
    """

    ref: ModelRef
    image: bytes
    seconds: float = 60.0
    cacheable: ClassVar[bool] = False

    def key(self) -> str:
        """By the content of the image: who asks for the same watches the same loop."""
        return digest("classify-frames", self.ref, self.image, self.seconds)

    def run(self, context: Context) -> results.ClassifiedFrames:
        """The last frame's classes, and the rate."""
        from explorer.images import open_image
        from explorer.live import classify_frames

        image = open_image(self.image)
        with held_model(context, self.ref) as loaded:
            context.stage(N_("Classifying the image"))
            return classify_frames(loaded, image, self.seconds, context.progress)


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """The weights of a layer as pictures and numbers.

    Attributes:
        ref: The network.
        module_path: Of the layer; "" for the first one.
    """

    ref: ModelRef
    module_path: str

    def key(self) -> str:
        """By network and layer."""
        return digest("layer-weights", self.ref, self.module_path)

    def run(self, context: Context) -> inspected.LayerWeights:
        """Kernels, histogram, norms."""
        from explorer.inspection.weights import layer_weights

        with held_model(context, self.ref) as loaded:
            context.stage(N_("Reading the weights"))
            return layer_weights(loaded, self.module_path)


@dataclass(frozen=True, slots=True)
class FeatureMaps:
    """What a layer answers to an image.

    Attributes:
        ref: The network.
        image: The uploaded file.
        layer: Module id, or "op:" and the id of an op (``explorer.inspection.choosing``).
        order: What the channels are sorted by.
    """

    ref: ModelRef
    image: bytes
    layer: str
    order: inspected.Order = "mean"

    def key(self) -> str:
        """By the content of the image."""
        return digest("feature-maps", self.ref, self.image, self.layer, self.order)

    def run(self, context: Context) -> inspected.FeatureMaps:
        """The strongest channels."""
        from explorer.images import open_image
        from explorer.inspection.maps import feature_maps

        image = open_image(self.image)
        with held_model(context, self.ref) as loaded:
            context.stage(N_("Running the network up to this layer"))
            return feature_maps(loaded, image, self.layer, self.order)


@dataclass(frozen=True, slots=True)
class EffectiveField:
    """Which pixels one position of a layer depends on.

    Attributes:
        ref: The network.
        image: The uploaded file.
        layer: As for ``FeatureMaps``.
        position: (row, column) in the layer's grid; None for the middle.
    """

    ref: ModelRef
    image: bytes
    layer: str
    position: tuple[int, int] | None = None

    def key(self) -> str:
        """By the content of the image."""
        return digest("effective-field", self.ref, self.image, self.layer, self.position)

    def run(self, context: Context) -> inspected.EffectiveField:
        """The gradient at the pixels."""
        from explorer.images import open_image
        from explorer.inspection.field import effective_field

        image = open_image(self.image)
        with held_model(context, self.ref) as loaded:
            context.stage(N_("Computing the gradient"))
            return effective_field(loaded, image, self.layer, self.position)


@dataclass(frozen=True, slots=True)
class ClassCode:
    """The source of a module's class.

    Attributes:
        source: "torchvision.models.resnet.Bottleneck".
    """

    source: str

    def key(self) -> str:
        """By name."""
        return digest("class-code", self.source)

    def run(self, context: Context) -> inspected.ClassCode:
        """The code with file and line."""
        from explorer.inspection.code import class_code

        return class_code(self.source)


@dataclass(frozen=True, slots=True)
class ExportOnnx:
    """A network as an ONNX file.

    Attributes:
        ref: The network.
    """

    ref: ModelRef

    def key(self) -> str:
        """By network."""
        return digest("export-onnx", self.ref)

    def run(self, context: Context) -> inspected.OnnxFile:
        """The file."""
        from explorer.onnx_export import export_onnx

        with held_model(context, self.ref) as loaded:
            context.stage(N_("Writing the ONNX file"))
            return export_onnx(loaded)
