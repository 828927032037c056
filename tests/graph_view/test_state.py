"""What the browser sends, and what becomes of it."""

from __future__ import annotations

import logging

import pytest

from explorer.layout import arrange
from explorer.ui.graph_view import GraphViewState, Metric, box_values
from explorer.ui.graph_view.state import apply_event
from tests.layout.graphs import residual

START = GraphViewState(expanded=frozenset({"layer"}))


def after(event: dict[str, object], state: GraphViewState = START) -> GraphViewState:
    return apply_event(state, arrange(residual(), state.expanded), event)


def test_select_and_clear() -> None:
    chosen = after({"type": "select", "id": "fc"})
    assert chosen.selected == "fc"
    assert after({"type": "select", "id": None}, chosen).selected is None


def test_open_close_reveal_and_depth() -> None:
    assert after({"type": "toggle", "id": "layer.0"}).expanded == {"layer", "layer.0"}
    assert after({"type": "toggle", "id": "layer"}).expanded == frozenset()
    revealed = after({"type": "reveal", "id": "layer.3.conv1"})
    assert revealed.selected == "layer.3.conv1"
    assert revealed.expanded == {"layer", "layer.1..layer.5", "layer.3"}
    assert after({"type": "expand", "depth": "all"}).expanded == "all"
    assert after({"type": "expand", "depth": 0}).expanded == frozenset()
    assert after({"type": "expand", "depth": 1}).expanded == {"layer"}


def test_closing_one_when_all_are_open() -> None:
    state = GraphViewState(expanded="all")
    closed = after({"type": "toggle", "id": "layer.0"}, state).expanded
    assert closed != "all"
    assert closed == {"layer", "layer.0.downsample", "layer.1..layer.5"} | {
        f"layer.{place}" for place in range(1, 6)
    }


@pytest.mark.parametrize(
    "event",
    [
        {}, {"type": "select", "id": 7}, {"type": "toggle"}, {"type": "expand", "depth": None},
        {"type": "reveal", "id": ["x"]}, {"type": "rm -rf"},
    ],
)  # fmt: skip
def test_nonsense_is_logged_and_changes_nothing(
    event: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert after(event) == START
    assert "not known" in caplog.text


def test_values_of_ops_become_values_of_boxes() -> None:
    graph = residual()
    drawing = arrange(graph)
    values = box_values(drawing, {op.id: float(op.macs) for op in graph.ops})
    assert values["layer"] == sum(op.macs for op in graph.ops if op.module.startswith("layer"))
    places = {op.id: float(place) for place, op in enumerate(graph.ops)}
    assert box_values(drawing, places, max)["fc"] == len(graph.ops) - 1
    assert box_values(drawing, {}) == {}
    sent = Metric("time", "Time", si="s", values={"a": 0.5, "b": 0.0}).to_dict()
    assert sent["values"] == {"a": 0.5}
