"""Nothing overlaps, edges end at their boxes, the same input gives the same drawing."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.layout import Arrangement, arrange
from explorer.layouting.levels import reducible
from tests.layout.checks import faults
from tests.layout.graphs import SYNTHETIC, Builder, chain, dense, flat, inception, residual

BOTH = ("down", "right")


def ids(drawing: Arrangement) -> list[str]:
    return [box.id for box in drawing.boxes]


@pytest.mark.parametrize("direction", BOTH)
@pytest.mark.parametrize("name", SYNTHETIC)
def test_nothing_overlaps_and_edges_end_at_boxes(name: str, direction: str) -> None:
    graph = SYNTHETIC[name]()
    for expanded in ("all", frozenset()):
        drawing = arrange(graph, expanded, direction)
        assert faults(drawing) == {}
        assert drawing.lines


@pytest.mark.parametrize("name", SYNTHETIC)
def test_every_op_is_in_one_closed_box(name: str) -> None:
    graph = SYNTHETIC[name]()
    for expanded in ("all", frozenset()):
        shown = [op for b in arrange(graph, expanded).boxes if not b.open for op in b.ops]
        assert sorted(shown) == sorted(op.id for op in graph.ops)


def test_numbers_of_closed_boxes_sum_to_the_graph() -> None:
    graph = residual()
    for expanded in ("all", frozenset()):
        closed = [box for box in arrange(graph, expanded).boxes if not box.open]
        assert sum(box.macs for box in closed) == graph.total_macs
        assert sum(box.params for box in closed) == graph.total_params
        assert sum(box.activation_bytes for box in closed) == graph.activation_bytes


def test_a_module_around_one_op_is_one_box_that_answers_to_both_names() -> None:
    drawing = arrange(chain())
    box = drawing.find("conv0")
    assert box is not None
    assert (box.title, box.subtitle) == ("Conv2d 3×3", "conv0 · 3 → 8")
    assert not box.openable
    assert box.aliases == ("conv2d_0",)
    assert drawing.find("conv2d_0") is box


def test_equal_siblings_fold_and_open() -> None:
    graph = residual(blocks=6)  # the first has a projection; five are equal
    closed = arrange(graph, frozenset({"layer"}))
    fold = closed.find("layer.1..layer.5")
    assert fold is not None
    assert (fold.role, fold.count, fold.subtitle) == ("fold", 5, "layer.1 … layer.5")
    assert "layer.3" not in ids(closed)
    opened = arrange(graph, frozenset({"layer", "layer.1..layer.5"}))
    inside = [box.id for box in opened.boxes if box.parent == "layer.1..layer.5"]
    assert inside == [f"layer.{place}" for place in range(1, 6)]
    assert faults(opened) == {}


def test_runs_of_two_do_not_fold_nor_do_unequal_siblings() -> None:
    assert not any(entry.id.count("..") for entry in arrange(residual(3)).openable)
    assert not any(entry.id.count("..") for entry in arrange(dense()).openable)


def test_skip_edges_are_apart() -> None:
    # A dense block of n layers, all open: the stem and every layer feed all later ones.
    drawing = arrange(dense(8), "all")
    between = [line for line in drawing.lines if line.source.endswith(("stem", "conv"))]
    skips = [line for line in between if any(drawing.routes[r].skip for r in line.routes)]
    # 9 sources feed 8 concatenations and the last one: 8+8+7+…+1 = 44 edges, 9 of them to the next
    # (the stem to the first layer, each of the 8 layers to what follows); "block" may end in one.
    to_cat = [line for line in between if line.target.startswith("cat")]
    assert len(to_cat) == 9 + 8 + 7 + 6 + 5 + 4 + 3 + 2 + 1
    assert len(skips) == len(to_cat) - 9


def test_the_shortcut_of_a_residual_block_is_a_skip_edge() -> None:
    graph = residual(2)
    drawing = arrange(graph, "all")
    add = next(box.id for box in drawing.boxes if box.title == "Add" and box.parent == "layer.1")
    ways = {
        line.source: any(drawing.routes[route].skip for route in line.routes)
        for line in drawing.lines
        if line.target == add
    }
    assert sorted(ways.values()) == [False, True]
    assert ways["layer.1.conv2"] is False


def test_deterministic_also_after_other_graphs() -> None:
    first = arrange(inception(), "all").payload
    arrange(dense(), "all")
    assert arrange(inception(), "all").payload == first


def test_pickles_and_is_json() -> None:
    drawing = arrange(residual(), frozenset({"layer"}))
    again = pickle.loads(pickle.dumps(drawing))
    assert again == drawing
    assert json.loads(drawing.payload) == json.loads(json.dumps(drawing.to_dict()))
    assert drawing.to_dict()["schema"] == 1
    assert again.digest == drawing.digest != arrange(residual(), "all").digest


def test_payload_leads_back_to_the_drawing() -> None:
    drawing = arrange(dense(), frozenset({"block"}))
    data = json.loads(drawing.payload)
    for raw, box in zip(data["boxes"], drawing.boxes, strict=True):
        assert raw["i"] == box.id
        assert raw["r"] == [box.x, box.y, box.width, box.height]
        assert raw.get("o") == (int(box.open) if box.openable else None)
    for raw, line in zip(data["lines"], drawing.lines, strict=True):
        source, target, shape, _, *routes = raw
        assert data["boxes"][source]["i"] == line.source
        assert data["boxes"][target]["i"] == line.target
        assert (shape or drawing.boxes[source].shape_out) == line.shape
        points = [data["routes"][route][1:] for route in routes]
        assert points[0][:2] == list(drawing.routes[line.routes[0]].points[0])


def test_opening_a_block_keeps_the_order_and_moves_little() -> None:
    graph = inception(3)
    before = arrange(graph)
    after = arrange(graph, frozenset({"mixed1"}))
    old = {box.id: box for box in before.boxes}
    kept = [box for box in after.boxes if box.id in old and box.id != "mixed1"]
    assert [box.id for box in kept] == [box.id for box in before.boxes if box.id != "mixed1"]
    grown = after.height - before.height
    moves = [box.y - old[box.id].y for box in kept]
    # Stability: what is above does not move along the flow, what is below moves by what was gained.
    assert set(moves) == {0, grown}
    sideways = {box.x - old[box.id].x for box in kept}
    assert len(sideways) == 1  # all by the same, since the drawing has become wider


def test_closing_gives_back_the_drawing() -> None:
    graph = residual()
    before = arrange(graph, frozenset({"layer"}))
    opened = before.toggled("layer.0")
    assert opened == {"layer", "layer.0"}
    assert arrange(graph, arrange(graph, opened).toggled("layer.0")).payload == before.payload


def test_toggling_deep_takes_what_is_inside_along() -> None:
    graph = residual()
    everything = arrange(graph, "all")
    assert everything.toggled("layer", deep=True) == frozenset()
    inside = {"layer", "layer.0", "layer.0.downsample", "layer.1..layer.5"}
    assert inside <= arrange(graph).toggled("layer", deep=True)
    assert everything.toggled("no such box") == everything.to_depth(everything.levels)


def test_revealing_opens_what_is_around() -> None:
    graph = residual()
    wanted = arrange(graph).revealing("layer.3.conv1")
    assert wanted == {"layer", "layer.1..layer.5", "layer.3"}
    assert "layer.3.conv1" in ids(arrange(graph, wanted))
    assert arrange(graph).revealing("no such layer") == frozenset()


def test_depth() -> None:
    graph = residual()
    drawing = arrange(graph)
    assert (drawing.depth, drawing.levels) == (0, 3)  # layer › fold › layer.3
    assert arrange(graph, drawing.to_depth(1)).depth == 1
    assert arrange(graph, "all").depth == drawing.levels
    assert arrange(graph, frozenset({"layer", "layer.0"})).depth is None


def test_unknown_ids_and_ids_inside_closed_boxes_change_nothing() -> None:
    graph = residual()
    assert arrange(graph, frozenset({"nowhere", "layer.0"})).payload == arrange(graph).payload


def test_hidden_names_the_closed_box_around() -> None:
    drawing = arrange(residual())
    hidden = {entry.id: entry.holder for entry in drawing.hidden}
    assert hidden["layer.3.conv1"] == "layer"
    assert drawing.find("layer.3.conv1") == drawing.find("layer")


def test_shapes_are_written_where_they_change() -> None:
    drawing = arrange(chain(2), "all")
    assert [line.label for line in drawing.lines] == ["", "8×32×32", "", "", ""]
    assert [line.shape for line in drawing.lines][:2] == ["3×32×32", "8×32×32"]


def test_direction_right_flows_to_the_right() -> None:
    drawing = arrange(chain(), "all", "right")
    starts = [box.x for box in drawing.boxes if box.role == "op"]
    assert starts == sorted(starts)
    assert drawing.width > drawing.height


def test_a_graph_of_two_inputs_and_a_constant() -> None:
    made = Builder("two")
    made.tensors["input_1"] = made.tensors["input"]
    left = made.op("conv2d", "", ["input"], (1, 8, 32, 32))
    right = made.op("conv2d", "", ["input_1"], (1, 8, 32, 32))
    constant = made.op("relu", "", [], (1, 8, 32, 32))  # reads parameters only, as a class token
    drawing = arrange(
        made.graph(made.op("add", "", [left, right, constant], (1, 8, 32, 32))), "all"
    )
    assert [b.id for b in drawing.boxes if b.role == "boundary"] == ["input", "input_1", "output"]
    assert faults(drawing) == {}


def test_one_op_and_no_op() -> None:
    made = Builder("one")
    graph = made.graph(made.op("conv2d", "", ["input"], (1, 8, 32, 32)))
    assert len(arrange(graph, "all").boxes) == 3
    empty = replace(graph, ops=(), edges=())
    assert arrange(empty, "all").boxes == ()


@given(st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=50))
@settings(max_examples=150, deadline=None)
def test_reduction_keeps_exactly_what_is_needed(pairs: set[tuple[int, int]]) -> None:
    edges = {(a, b) for a, b in pairs if a < b}
    kept = edges - reducible(sorted(edges))
    reach = _closure(edges)
    assert _closure(kept) == reach
    for edge in kept:  # no smaller set will do
        assert edge not in _closure(kept - {edge})


def _closure(edges: set[tuple[int, int]]) -> set[tuple[int, int]]:
    known = set(edges)
    while True:
        more = {(a, d) for a, b in known for c, d in known if b == c} - known
        if not more:
            return known
        known |= more


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_set_of_open_modules_is_drawn_without_faults(data: st.DataObject) -> None:
    graph = data.draw(st.sampled_from([residual(5), inception(2), dense(5), flat(12)]))
    names = sorted(entry.id for entry in arrange(graph).openable)
    chosen = data.draw(st.frozensets(st.sampled_from(names))) if names else frozenset()
    drawing = arrange(graph, chosen, data.draw(st.sampled_from(BOTH)))
    assert faults(drawing) == {}


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_acyclic_graph_is_drawn(data: st.DataObject) -> None:
    made = Builder("any")
    known = ["input"]
    for _ in range(data.draw(st.integers(1, 14))):
        sources = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
        module = data.draw(st.sampled_from(["", "a", "a.b"]))
        known.append(made.op("cat", module, sources, (1, 8, 4, 4)))
    drawing = arrange(made.graph(known[-1]), "all")
    assert_no(drawing, "overlaps", "escapes", "loose_ends")


def assert_no(drawing: Arrangement, *names: str) -> None:
    found = faults(drawing)
    assert {name: found[name] for name in names if name in found} == {}
