"""The timeline as data: 21 steps, in order, complete in both languages, every network there."""

from __future__ import annotations

import re

import pytest

from explorer.catalog import CATALOG, find
from explorer.catalog.history import HistoryEntry, builders_on, fill, timeline
from explorer.explainers import EXPLAINERS
from explorer.i18n import set_language
from explorer.layout import arrange
from explorer.subgraph import NoSuchModuleError, subgraph
from explorer.trace import trace_light, trace_spec

STEPS = (
    "lenet5", "ciresan2010", "alexnet", "nin", "vgg", "googlenet", "bottleneck", "bn_inception",
    "inception_v3", "resnet", "inception_v4", "squeezenet", "enet", "densenet", "xception",
    "resnext", "mobilenet", "efficientnet", "vit", "swin", "convnext",
)  # fmt: skip


def test_steps_in_order_and_complete() -> None:
    entries = timeline()
    assert tuple(entry.id for entry in entries) == STEPS
    dates = [(entry.year, entry.month) for entry in entries]
    assert dates == sorted(dates)
    seen: set[str] = set()
    for entry in entries:
        assert set(entry.builds_on) <= seen, entry.id
        assert set(entry.borrowed) == set(entry.builds_on)
        assert set(entry.ideas) == set(entry.names) == {"en", "zh"}
        assert len(entry.ideas["en"]) == len(entry.ideas["zh"]) > 0
        assert all(set(words) == {"en", "zh"} for words in entry.borrowed.values())
        assert entry.paper.startswith("https://")
        assert entry.title
        assert entry.authors
        assert set(entry.explainers) <= set(EXPLAINERS)
        seen.add(entry.id)


def test_every_step_opens_a_network() -> None:
    for entry in timeline():
        assert entry.models
        assert all(model in CATALOG for model in entry.models)
        assert entry.block.model in entry.models
    opened = {entry.id: entry.model_id for entry in timeline()}
    assert opened["lenet5"] == "lenet5_1998"  # the one as published comes first
    assert opened["alexnet"] == "alexnet_2012"
    assert opened["googlenet"] == "googlenet_2014"


def test_names_are_chinese_where_they_are_words() -> None:
    names = {entry.id: entry.names["zh"] for entry in timeline()}
    for step in ("ciresan2010", "bottleneck", "bn_inception"):
        assert re.search("[\u4e00-\u9fff]", names[step])
    set_language("zh")
    try:
        assert next(e for e in timeline() if e.id == "bottleneck").name == "瓶颈层"
    finally:
        set_language("en")


def test_builders_are_the_other_way_round() -> None:
    for entry in timeline():
        for later in builders_on(entry.id):
            assert entry.id in later.builds_on
    assert {entry.id for entry in builders_on("densenet")} == set()
    assert "xception" in {entry.id for entry in builders_on("vgg")}


def test_numbers_come_from_the_catalog() -> None:
    assert fill("{vgg16.params} and {vgg16.macs}") == "138.36 M and 15.47 GMACs"
    assert fill("{lenet5.params}") == f"{find('lenet5').params / 1e3:.2f} k"
    assert fill("nothing {here}") == "nothing {here}"
    with pytest.raises(KeyError):
        fill("{no_such.params}")
    for entry in timeline():
        assert all("{" not in sentence for sentence in entry.sentences)


@pytest.mark.parametrize(
    ("step", "sentence", "value"),
    [
        ("vgg", "2.3x and 21x AlexNet", find("vgg16").params / find("alexnet_2012").params),
        ("squeezenet", "48.9x fewer", find("alexnet").params / find("squeezenet1_0").params),
        ("bottleneck", "8.47x", 589_824 / 69_632),
        ("nin", "+11.1%", 100 * 65_536 / 589_824),
        ("xception", "2.3x its", 8_357_403_496 / 3_663_761_408),
    ],
)
def test_ratios_in_the_text(step: str, sentence: str, value: float) -> None:
    entry = next(entry for entry in timeline() if entry.id == step)
    assert any(sentence in idea for idea in entry.ideas["en"])
    number = float(re.findall(r"[\d.]+", sentence)[0])
    decimals = len(sentence.partition(".")[2]) and 2
    assert number == pytest.approx(value, abs=0.51 * 10 ** -(1 if "." in sentence else 0)), decimals


@pytest.mark.parametrize("entry", timeline(), ids=lambda entry: entry.id)
def test_the_block_is_a_part_of_the_traced_network(entry: HistoryEntry) -> None:
    whole = trace_light(find(entry.block.model))  # the same graph, sooner
    block = subgraph(whole, entry.block.modules)
    assert 0 < len(block.ops) <= len(whole.ops)
    if entry.block.modules:
        nodes = [whole.module_by_id[name] for name in entry.block.modules]
        assert block.total_macs == sum(node.macs for node in nodes) > 0
        assert block.total_params == sum(node.total_params for node in nodes) > 0
    ends = {op.id for op in block.ops}
    assert {edge.source for edge in block.edges} - ends == {"input"}
    assert {edge.target for edge in block.edges} - ends == {"output"}
    assert {node.parent for node in block.modules[1:]} <= {node.id for node in block.modules}
    drawing = arrange(block, "all")
    assert drawing.boxes
    assert len(drawing.boxes) >= len(block.ops)


def test_a_module_that_is_not_there_is_said() -> None:
    with pytest.raises(NoSuchModuleError, match="layer9"):
        subgraph(trace_spec(find("resnet18")), ["layer9"])


def test_two_tensors_that_enter_are_two_inputs() -> None:
    whole = trace_spec(find("resnet18"))
    # The second convolution and the sum: the shortcut enters beside the main path.
    inside = [edge for edge in whole.edges if edge.target.startswith("add")][:2]
    assert len({edge.source for edge in inside}) == 2
    part = subgraph(whole, ["layer1.0.bn1", "layer1.0.conv2"])
    assert {edge.source for edge in part.edges if edge.source.startswith("input")} == {
        "input", "input_1",
    }  # fmt: skip
