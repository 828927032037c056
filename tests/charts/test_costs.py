"""Cost charts: bars and areas sum to the totals, hover cards name layer, kind and share."""

from __future__ import annotations

import json
from typing import Any

import pytest

from explorer.charts.compare import (
    CompareEntry,
    compare_bars,
    compare_predictions,
    compare_profiles,
)
from explorer.charts.costs import (
    KIND_COLOURS,
    KIND_TITLES,
    PANELS,
    LayerCost,
    ProfileOptions,
    kind_shares,
    layer_costs,
    profile,
)
from explorer.charts.nested import FORMS, NestedOptions, nested, treemap
from explorer.graph import KINDS, Edge, LayerGraph, ModuleNode, Op, Parameter, Tensor
from explorer.results import ClassScore, Prediction

ROWS = [
    LayerCost("stem", "convolution", 1000, 4_000_000, 2**20),
    LayerCost("stage.0", "convolution", 3000, 8_000_000, 2**19),
    LayerCost("stage.0.norm", "normalisation", 100, 0, 2**19),
    LayerCost("stage.1", "depthwise", 400, 2_000_000, 2**18),
    LayerCost("", "elementwise", 0, 0, 2**18),
    LayerCost("fc", "linear", 5500, 6_000_000, 4000),
]


def test_every_kind_has_a_name_and_its_own_colour() -> None:
    assert set(KIND_TITLES) == set(KIND_COLOURS) == set(KINDS)
    assert len(set(KIND_COLOURS.values())) == len(KINDS)


def test_profile_bars_are_the_layers_at_their_depth() -> None:
    fig = profile(ROWS, "macs")
    bars = {x: (trace.name, y) for trace in fig.data for x, y in zip(trace.x, trace.y, strict=True)}
    assert bars == {
        1: ("convolution", 0.004), 2: ("convolution", 0.008), 4: ("depthwise", 0.002),
        6: ("linear", 0.006),
    }  # fmt: skip
    assert "[GMACs]" in fig.layout.yaxis.title.text
    cards = " ".join(str(card) for trace in fig.data for card in trace.hovertext)
    assert "<b>stage.0</b><br>convolution<br>40.00 %" in cards  # 8 of 20 million MACs
    flops = profile(ROWS, "flops")
    assert "[GFLOPs]" in flops.layout.yaxis.title.text
    assert max(flops.data[0].y) == pytest.approx(0.016)


def test_a_small_network_has_a_smaller_unit() -> None:
    rows = [LayerCost("conv", "convolution", 156, 240_000, 18_816)]
    for quantity, unit, number in (("macs", "MMACs", 0.24), ("flops", "MFLOPs", 0.48)):
        fig = profile(rows, quantity, options=ProfileOptions(ghost=ROWS, ghost_name="other"))
        assert f"[{unit}]" in fig.layout.yaxis.title.text
        (mine,) = [trace for trace in fig.data if trace.name == "convolution"]
        assert list(mine.y) == pytest.approx([number])
        (other,) = [trace for trace in fig.data if trace.name == "other"]
        assert max(other.y) == pytest.approx(8 * number / 0.24)  # both by one measure
    assert "[million]" in profile(rows, "params").layout.yaxis.title.text


def test_no_bar_stands_behind_the_name_of_a_block() -> None:
    fig = profile(ROWS, width=1200)
    names = [note for note in fig.layout.annotations if note.text in ("stem", "stage")]
    assert names
    assert {note.yref for note in names} == {"y domain"}
    low, high = fig.layout.yaxis.range
    assert low == 0
    assert max(max(trace.y) for trace in fig.data) <= high / 1.12


def test_a_narrow_profile_gives_no_pixel_away() -> None:
    assert profile(ROWS, width=1200).layout.margin.l > 60
    assert profile(ROWS, width=350).layout.margin.l is None  # plotly.js finds what it needs


def check_tree(fig: Any, total: float) -> None:
    trace = json.loads(fig.to_json())["data"][0]
    value = dict(zip(trace["ids"], trace["values"], strict=True))
    assert len(value) == len(trace["ids"])
    sums: dict[str, float] = {}
    for name, parent in zip(trace["ids"], trace["parents"], strict=True):
        if parent:
            assert parent in value
            sums[parent] = sums.get(parent, 0) + value[name]
    # branchvalues "total": every inner rectangle is exactly its children's sum.
    for parent, amount in sums.items():
        assert amount == value[parent], parent
    assert value["root/"] == total


@pytest.mark.parametrize(
    ("quantity", "total"), [("params", 10_000), ("macs", 20_000_000), ("flops", 40_000_000)]
)
def test_treemap_areas_sum_up_the_module_path(quantity: Any, total: int) -> None:
    check_tree(treemap(ROWS, quantity, title="Net"), total)


def test_treemap_keeps_a_module_that_computes_and_has_children() -> None:
    fig = treemap(ROWS, "params")
    labels = dict(zip(fig.data[0].ids, fig.data[0].labels, strict=True))
    assert labels["root/stage.0/itself"] == "(itself)"
    assert "root/stem/itself" not in labels


def test_kind_shares_sum_to_a_hundred() -> None:
    fig = kind_shares(ROWS)
    for place in range(3):
        assert sum(trace.x[place] for trace in fig.data) == pytest.approx(100)
    params = {trace.name: trace.x[0] for trace in fig.data}
    assert params["linear"] == pytest.approx(55)  # 5,500 of 10,000


def test_layer_costs_sum_to_the_graph_and_count_shared_parameters_once() -> None:
    image, out = Tensor((1, 3, 4, 4)), Tensor((1, 2, 4, 4))

    def op(name: str, module: str, macs: int) -> Op:
        return Op(name, "conv2d", "convolution", module, (image,), (out,), {}, ("w",), macs)

    def node(name: str, parent: str | None) -> ModuleNode:
        return ModuleNode(name, name, parent, "Conv2d", "", (image,), (out,), 6, 6, 0, 96)

    graph = LayerGraph(
        "net", (1, 3, 4, 4), (op("a", "conv", 96), op("b", "conv@2", 96)),
        (node("", None), node("conv", ""), node("conv@2", "")), (Edge("input", "a", image),),
        (Parameter("w", Tensor((2, 3, 1, 1)), True),), "hooks", (), {},
    )  # fmt: skip
    rows = layer_costs(graph)
    assert [row.name for row in rows] == ["conv", "conv@2"]
    assert sum(row.params for row in rows) == graph.total_params == 6
    assert sum(row.macs for row in rows) == graph.total_macs == 192
    assert sum(row.activation_bytes for row in rows) == graph.activation_bytes == 2 * 32 * 4


def test_nothing_to_draw_is_a_sentence() -> None:
    for fig in (profile([]), treemap([]), kind_shares([]), compare_bars([]),
                compare_predictions([]), compare_profiles([])):  # fmt: skip
        assert len(fig.layout.annotations[0].text) > 20
        assert fig.layout.xaxis.visible is False


def test_compare_has_a_panel_with_unit_for_each_known_quantity() -> None:
    entries = [CompareEntry("A", 2e6, 3e9, 2**20, 70.0), CompareEntry("B", 4e6, 1e9)]
    fig = compare_bars(entries)
    titles = [note.text for note in fig.layout.annotations]
    assert [title.split("[")[1].split("]")[0] for title in titles] == [
        "million",
        "GMACs",
        "MiB",
        "%",
    ]
    bars = {(t.name, t.xaxis): (t.x[0], t.text[0]) for t in fig.data}
    assert bars["A", "x"] == (2.0, "2.00 million")
    assert bars["B", "x2"] == (1.0, "1.00 GMACs")
    assert bars["B", "x4"] == (0, "not known")
    assert len(compare_bars([CompareEntry("A", 2e6), CompareEntry("B", 3e6)]).data) == 2
    for axis in ("xaxis", "xaxis2", "xaxis3", "xaxis4"):
        assert fig.layout[axis].range[0] == 0


@pytest.mark.parametrize("width", [390, 820, 1200])
def test_compare_panels_do_not_overlap(width: int) -> None:
    fig = compare_bars([CompareEntry("A", 1e6, 1e9, 1e6, 70.0)] * 4, width=width)
    boxes = []
    for suffix in ("", "2", "3", "4"):
        x, y = fig.layout[f"xaxis{suffix}"].domain, fig.layout[f"yaxis{suffix}"].domain
        boxes.append((*x, *y))
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]


def test_predictions_side_by_side_show_the_union_of_classes() -> None:
    def prediction(*scores: tuple[int, str, float]) -> Prediction:
        import numpy as np

        top = tuple(ClassScore(i, label, p, 0.0) for i, label, p in scores)
        return Prediction("m", "w", top, np.zeros((2, 2, 3), np.uint8), 0.1, "cpu")

    fig = compare_predictions(
        [("A", prediction((1, "cat", 0.9), (2, "dog", 0.1))), ("B", prediction((2, "dog", 0.8)))]
    )
    assert [note.text for note in fig.layout.annotations] == ["<b>cat</b>", "<b>dog</b>"]
    assert (list(fig.data[0].x), list(fig.data[0].y)) == ([90.0, 10.0], [0, 1])
    assert (list(fig.data[1].x), list(fig.data[1].y)) == ([80.0], [1])


def test_profiles_add_up_to_the_total() -> None:
    fig = compare_profiles([("A", ROWS), ("B", ROWS[:2])], "macs")
    assert [trace.y[-1] for trace in fig.data] == pytest.approx([0.020, 0.012])
    assert all(trace.x[0] == 0 and trace.x[-1] == 100 for trace in fig.data)


BRANCHES = [
    LayerCost("Mixed.b1", "convolution", 10, 100, 40, 230, shape=(1, 8, 4, 4), live_bytes=2**20),
    LayerCost("Mixed.b5_1", "convolution", 10, 100, 40, 230, shape=(1, 4, 4, 4)),
    LayerCost("Mixed.b5_2", "convolution", 30, 300, 40, 630, shape=(1, 8, 4, 4), seconds=0.25),
    LayerCost("fc", "linear", 50, 50, 4, 110, shape=(1, 10), receptive_field=None),
]


def test_branches_of_a_block_have_their_own_shade() -> None:
    fig = profile([*BRANCHES, LayerCost("softmax", "activation", 0, 0, 4)], "macs")
    strip = [shape for shape in fig.layout.shapes if shape.y0 > 0.9]
    # b1; b5_1 and b5_2 are one branch; fc; softmax
    ends = [(shape.x0, shape.x1) for shape in strip]
    assert ends == [(0.5, 1.5), (1.5, 3.5), (3.5, 4.5), (4.5, 5.5)]


def test_a_ghost_is_stretched_over_the_same_depth_and_panels_share_the_axis() -> None:
    options = ProfileOptions(ghost=BRANCHES[:2], ghost_name="Other", panels=tuple(PANELS))
    fig = profile(BRANCHES, "canziani_ops", options=options)
    ghost = next(trace for trace in fig.data if trace.name == "Other")
    # Two layers over four places: centres at 0.5 + 1 and 0.5 + 3.
    assert list(ghost.x) == [1.5, 3.5]
    assert list(ghost.y) == [230 / 1e6, 230 / 1e6]  # so small that they are given in M-Ops
    lines = [trace for trace in fig.data if trace.type == "scatter"]
    assert [list(line.y) for line in lines] == [
        [8, 4, 8, 10],  # channels
        [4, 4, 4, 1],  # pixels a side
        [None] * 4,
        [1, 0, 0, 0],  # MiB
    ]
    assert len({line.yaxis for line in lines} | {"y"}) == 5
    assert fig.layout.xaxis.anchor == "y5"


def test_a_chosen_layer_and_the_setting_are_named() -> None:
    options = ProfileOptions(setting="batch 8, 3×64×64, float16", chosen="fc")
    fig = profile(BRANCHES, "flops", options=options)
    assert any("<b>fc</b>" in note.text for note in fig.layout.annotations)
    said = fig.layout.yaxis.title.text.replace("<br>", " ")
    assert "2 × multiply–accumulates" in said
    assert "batch 8" in said


@pytest.mark.parametrize("form", FORMS)
def test_nested_areas_sum_up_in_every_form_and_colour(form: Any) -> None:
    fig = nested(BRANCHES, "macs", NestedOptions(form=form, colour="params", title="Net"))
    check_tree(fig, 550)
    trace = fig.data[0]
    assert trace.type == form
    place = list(trace.ids).index("root/fc")
    # fc: 50 parameters on 50 MACs beside 100 on 550: 5.5 times the average
    assert trace.marker.colors[place] == pytest.approx(0.740, abs=1e-3)  # log10(5.5)
    assert trace.marker.colors[0] == pytest.approx(0)


def test_measured_time_is_a_quantity() -> None:
    fig = profile(BRANCHES, "latency")
    assert [list(trace.y) for trace in fig.data] == [[250.0]]  # milliseconds
