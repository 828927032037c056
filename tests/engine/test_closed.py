"""What a public server refuses whoever asks its engine: models, sweeps, large batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from explorer.catalog import CATALOG
from explorer.claim_tasks import CheckClaims
from explorer.cost_tasks import MeasureRoofline, Reconcile
from explorer.engine.closed import closed, models_of
from explorer.engine.limits import limits_of
from explorer.errors import LimitError, ModelNotOfferedError, UnknownModelError
from explorer.offered import check_offered, default_model, find_offered, is_offered, search_offered
from explorer.paired import PairedRequest
from explorer.paired_task import MeasurePaired
from explorer.requests import AssessRequest, ExplainRequest, LatencyRequest, ModelRef
from explorer.settings import get_settings
from explorer.tasks import (
    AssessMap,
    ClassifyFrames,
    EffectiveField,
    Explain,
    ExportOnnx,
    FeatureMaps,
    LayerWeights,
    LoadWeights,
    Measure,
    Predict,
    RunSweep,
    SpatialLayers,
    TorchinfoSummary,
    Trace,
)
from tests.engine.conftest import MakeEngine

Public = Callable[..., None]


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Public:
    """Public mode with these settings."""

    def set_up(**settings: Any) -> None:
        monkeypatch.setenv("EXPLORER_PUBLIC", "1")
        for name, value in settings.items():
            monkeypatch.setenv(f"EXPLORER_{name.upper()}", str(value))
        get_settings.cache_clear()

    return set_up


def every_task(model: str) -> list[Any]:
    """One of each kind that runs a model of the visitor's choice."""
    ref, image = ModelRef(model), b"image"
    explain = ExplainRequest("saliency")
    return [
        LoadWeights(ref), Predict(ref, image), Explain(ref, image, explain), SpatialLayers(ref),
        AssessMap(ref, image, AssessRequest(explain, ("agreement",))), Trace(model),
        TorchinfoSummary(model), Measure(ref, LatencyRequest()), ClassifyFrames(ref, image),
        LayerWeights(ref, ""), FeatureMaps(ref, image, ""), EffectiveField(ref, image, ""),
        ExportOnnx(ref), MeasurePaired((ModelRef("resnet18"), ref)), Reconcile(model),
        MeasureRoofline(model),
    ]  # fmt: skip


@pytest.mark.parametrize("task", every_task("vgg16"), ids=lambda task: type(task).__name__)
def test_every_task_of_a_model_that_is_not_offered_is_refused(public: Public, task: Any) -> None:
    assert "vgg16" in set(models_of(task))
    public(offered="resnet*, vit_b_16")
    error = closed(task, 32)
    assert isinstance(error, ModelNotOfferedError)
    assert str(error).startswith("The model “vgg16” is not offered on this server; open ")


@pytest.mark.parametrize("task", every_task("resnet50"), ids=lambda task: type(task).__name__)
def test_every_task_of_a_model_that_is_offered_is_taken(public: Public, task: Any) -> None:
    public(offered="resnet*, vit_b_16")
    assert closed(task, 32) is None


def test_every_kind_of_task_is_in_this_list() -> None:
    import explorer.cost_tasks
    import explorer.paired_task
    import explorer.tasks

    kinds = {
        kind
        for module in (explorer.tasks, explorer.cost_tasks, explorer.paired_task)
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__ and hasattr(kind, "run")
    }
    names = {kind.__name__ for kind in kinds} - {"Task"}
    without_a_model = {"ClassCode", "RunSweep"}
    assert names - without_a_model == {type(task).__name__ for task in every_task("vgg16")}


def test_claims_need_their_networks(public: Public) -> None:
    public(offered="resnet*")
    assert closed(CheckClaims(("quarter", "px2")), 32) is None  # ResNet-50, and arithmetic
    error = closed(CheckClaims(("quarter", "vgg_cheaper")), 32)
    assert isinstance(error, ModelNotOfferedError)
    assert error.values["model"] == "vgg16"


def test_sweeps_are_closed(public: Public) -> None:
    public()
    error = closed(RunSweep(1), 32)
    assert isinstance(error, LimitError)
    assert "python -m explorer bench" in str(error)


@pytest.mark.parametrize(
    "make",
    [
        lambda size: Measure(ModelRef("resnet18"), LatencyRequest(batch_sizes=(1, size))),
        lambda size: MeasurePaired((ModelRef("resnet18"),), PairedRequest(batch_size=size)),
    ],
)
def test_one_image_more_than_a_timing_may_take(public: Public, make: Callable[[int], Any]) -> None:
    public(max_batch=16)
    assert closed(make(16), 16) is None
    error = closed(make(17), 16)
    assert isinstance(error, LimitError)
    assert str(error).startswith("A timing may take 16 images at once on this server, and 17 were")


def test_the_engine_asks(public: Public, make_engine: MakeEngine) -> None:
    public(offered="resnet*")
    engine = make_engine(limits=limits_of(get_settings()))
    job = engine.submit(Trace("vgg16"), "me", label="Tracing")
    assert job.status("me").state == "failed"
    with pytest.raises(ModelNotOfferedError):
        job.result(1)


def test_outside_of_public_mode_everything_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_OFFERED", "resnet*")
    get_settings.cache_clear()
    assert is_offered("vgg16")
    check_offered("vgg16")


def test_wildcards_and_commas(public: Public) -> None:
    public(offered=" resnet* ,vit_b_16,timm/convnext_?tto, ")
    found = [model for model in CATALOG if is_offered(model)]
    assert {"resnet18", "resnet152", "vit_b_16", "timm/convnext_atto"} <= set(found)
    assert not {"vgg16", "vit_b_32", "timm/resnet50"} & set(found)
    assert default_model() in found  # the usual one is not among them
    assert find_offered("resnet18").id == "resnet18"
    with pytest.raises(ModelNotOfferedError, match="open vit_b_16 instead"):
        find_offered("vit_b_32")
    with pytest.raises(UnknownModelError, match="There is no model “resnet17”"):
        find_offered("resnet17")
    hits = search_offered("vit b", family=None, max_params=None, limit=5)
    assert [spec.id for spec in hits.hits] == ["vit_b_16"]
    assert hits.total == 1
