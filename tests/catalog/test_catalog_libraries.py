"""The files against the installed libraries: every name, every weight, every count."""

from __future__ import annotations

import math
from typing import Any

import pytest

from explorer.catalog import CATALOG, find
from explorer.catalog.spec import ModelSpec

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
timm = pytest.importorskip("timm")

SMALL = 10_000_000
# every so many of timm's small names is recounted in the default suite, the rest under "slow"
STRIDE = 8

CURATED = list(CATALOG)[:96]
TIMM = list(CATALOG)[96:]


def test_torchvision_names() -> None:
    names = torchvision.models.list_models(module=torchvision.models)
    ours = [model for model in CURATED if CATALOG[model].source == "torchvision"]
    assert ours == names
    assert len(ours) == 80


def test_timm_names() -> None:
    names = timm.list_models()
    assert [model.removeprefix("timm/") for model in TIMM] == names
    assert len(names) == 1371


def test_torchvision_weights() -> None:
    compared = 0
    for model in CURATED:
        spec = CATALOG[model]
        if spec.source != "torchvision":
            continue
        enum = torchvision.models.get_model_weights(model)
        assert spec.weights[0].id == enum.DEFAULT.name
        assert {weights.id for weights in spec.weights} == {member.name for member in enum}
        for weights in spec.weights:
            _same_weights(weights, enum[weights.id])
            compared += 1
    assert compared == 115


def _same_weights(ours: Any, theirs: Any) -> None:
    meta, transform = theirs.meta, theirs.transforms()
    accuracy = meta["_metrics"]["ImageNet-1K"]
    if math.isnan(accuracy["acc@1"]):
        assert (ours.top1, ours.top5, ours.dataset) == (None, None, "other")
    else:
        assert (ours.top1, ours.top5) == (accuracy["acc@1"], accuracy["acc@5"])
    assert ours.url == theirs.url
    assert ours.params == meta["num_params"]
    assert ours.macs == pytest.approx(meta["_ops"] * 1e9, abs=1)
    assert ours.size_bytes == pytest.approx(meta["_file_size"] * 2**20, abs=1)
    assert ours.recipe == meta["recipe"]
    assert ours.licence == meta.get("license", "")
    assert ours.sha256
    assert ours.sha256 in theirs.url
    pre = ours.preprocessing
    assert pre.input_size == (3, transform.crop_size[0], transform.crop_size[0])
    assert pre.resize == transform.resize_size[0]
    assert (list(pre.mean), list(pre.std)) == (list(transform.mean), list(transform.std))
    assert pre.interpolation == transform.interpolation.value
    assert pre.antialias == transform.antialias


def test_published_macs_agree_with_ours() -> None:
    # torchvision rounds to 10⁶; its default weights are at the size that we count
    for model in CURATED:
        spec = CATALOG[model]
        if spec.source == "torchvision":
            assert spec.macs == pytest.approx(spec.weights[0].macs, abs=1e6), model


def test_published_params_agree_with_ours() -> None:
    for model in CURATED:
        spec = CATALOG[model]
        if spec.source == "torchvision":
            # googlenet's published number is without auxiliary heads, inception_v3's is with
            aux = spec.aux_params if model == "inception_v3" else 0
            assert spec.weights[0].params == spec.params + aux, model


def test_timm_weights() -> None:
    from timm.models import get_pretrained_cfg

    tags = {model: [] for model in timm.list_models()}
    for full in timm.list_pretrained():
        tags[full.partition(".")[0]].append(full.partition(".")[2])
    for model in TIMM:
        spec = CATALOG[model]
        assert sorted(weights.id for weights in spec.weights) == sorted(tags[spec.builder])
        for weights in spec.weights:
            config = get_pretrained_cfg(f"{spec.builder}.{weights.id}")
            pre = weights.preprocessing
            assert pre.input_size == tuple(config.input_size)
            assert pre.mean == pytest.approx(tuple(config.mean), abs=1e-6)
            assert pre.std == pytest.approx(tuple(config.std), abs=1e-6)
            assert pre.interpolation == config.interpolation
            assert pre.crop_mode == config.crop_mode
            # timm resizes to floor(side / crop_pct)
            assert pre.resize == math.floor(config.input_size[1] / config.crop_pct)
            assert weights.num_classes == config.num_classes
            assert weights.hub == (config.hf_hub_id or "")
            assert weights.licence == (config.license or "")
            assert weights.hub or weights.url or not (config.hf_hub_id or config.url)
        if spec.weights:
            assert spec.weights[0].id == get_pretrained_cfg(spec.builder).tag
    assert sum(len(found) for found in tags.values()) == 1826


def test_timm_accuracy_is_the_tables() -> None:
    from explorer.catalog.timm_results import results

    table = {(row.model, row.tag, row.img_size): row for row in results()}
    rated = 0
    for model in TIMM:
        spec = CATALOG[model]
        for weights in spec.weights:
            row = table.get((spec.builder, weights.id, weights.preprocessing.input_size[1]))
            if row is None:
                assert weights.top1 is None
                continue
            assert (weights.top1, weights.top5) == (row.top1, row.top5)
            assert weights.preprocessing.crop_pct == pytest.approx(row.crop_pct, abs=0.005)
            rated += 1
    # 1,266 of timm's tags are in the table, all at their own size
    assert rated == 1266


def test_all_are_counted() -> None:
    assert [model for model in CATALOG if CATALOG[model].macs is None] == []


def _recount(spec: ModelSpec) -> tuple[int, int, int, tuple[str, ...]]:
    """(params, auxiliary, macs, blocks) of a network built now."""
    from counting import block_names, build_on_meta, count_macs, count_params
    from torchvision_records import AUXILIARY

    from explorer.networks import NETWORKS

    def builder() -> Any:
        if spec.source == "explorer":
            return NETWORKS[spec.builder]()
        if spec.source == "timm":
            return timm.create_model(spec.builder, pretrained=False)
        sized = {"image_size": spec.input_size[1]} if spec.builder.startswith("vit_") else {}
        return torchvision.models.get_model(spec.builder, weights=None, **sized)

    module = build_on_meta(builder)
    params, aux = count_params(module, AUXILIARY.get(spec.builder, ("aux1", "aux2")))
    return params, aux, count_macs(module, spec.input_size), tuple(block_names(module))


def _check(model: str) -> None:
    spec = find(model)
    assert _recount(spec) == (spec.params, spec.aux_params, spec.macs, spec.blocks)


def _small(models: list[str]) -> list[str]:
    return [model for model in models if CATALOG[model].params < SMALL]


def _large(models: list[str]) -> list[str]:
    return [model for model in models if CATALOG[model].params >= SMALL]


@pytest.mark.parametrize("model", _small(CURATED))
def test_recount_small(model: str) -> None:
    _check(model)


@pytest.mark.parametrize("model", _small(TIMM)[::STRIDE])
def test_recount_small_timm(model: str) -> None:
    _check(model)


@pytest.mark.slow
@pytest.mark.parametrize("model", _large(CURATED))
def test_recount_large(model: str) -> None:
    _check(model)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [m for m in _small(TIMM) if m not in _small(TIMM)[::STRIDE]] + _large(TIMM)
)
def test_recount_all_timm(model: str) -> None:
    _check(model)
