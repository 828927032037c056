"""The complexity page: one convention for all numbers, what-if, comparison, bad input."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalog import find
from explorer.charts.costs import layer_costs
from explorer.costs import Convention, breakdown, count, uncounted
from explorer.trace import trace_spec
from explorer.ui.complexity.cards import operations_text
from explorer.ui.complexity.table import about, cost_rows
from explorer.ui.complexity.view import CostView
from explorer.ui.selection import Selection
from explorer.what_if import WhatIf
from tests.pages.conftest import ROOT, Open, finish, texts


def cards(app: AppTest) -> str:
    """The headline figures."""
    return " ".join(e.proto.body for e in app.get("html") if "cost-cards" in e.proto.body)


def charts(app: AppTest) -> str:
    return " ".join(element.proto.spec for element in app.get("plotly_chart"))


@pytest.mark.parametrize(
    ("convention", "card", "axis", "column"),
    [
        ("macs", "1.81 GMACs", "Multiply", "MACs"),
        ("flops", "3.63 GFLOPs", "Floating-point", "FLOPs"),
        ("canziani", "3.63 G-Ops", "G-Ops", "2016 operations"),
    ],
)
def test_the_switch_changes_every_number(
    open_page: Open, convention: str, card: str, axis: str, column: str
) -> None:
    app = open_page("complexity", model="resnet18", convention=convention)
    assert card in cards(app)
    assert axis in charts(app)
    table = open_page("complexity", model="resnet18", convention=convention, view="table")
    graph = trace_spec(find("resnet18"))
    for frame in (table.dataframe[0].value, table.dataframe[1].value):
        assert frame[column].iloc[-1] == count(graph, Convention(convention))
        assert frame[column].iloc[:-1].sum() == frame[column].iloc[-1]
        others = {"MACs", "FLOPs", "2016 operations"} - {column}
        assert not others & set(frame.columns)


def test_an_op_without_formula_makes_the_total_at_least() -> None:
    graph = trace_spec(find("resnet18"))
    first, *rest = graph.ops
    unknown = replace(graph, ops=(replace(first, target="einsum3", counted=False), *rest))
    assert operations_text(graph, Convention.MACS) == "1.81 GMACs"
    assert operations_text(unknown, Convention.MACS) == "≥ 1.81 GMACs"
    assert uncounted(unknown) == [("einsum3", 1)]
    change = WhatIf()
    view = CostView(
        selection=Selection(find("resnet18"), None), own=unknown, graph=unknown,
        rows=layer_costs(unknown), convention=Convention.MACS, change=change, other="",
        other_graph=None, other_rows=(), width=1080,
    )  # fmt: skip
    table = breakdown(unknown, "module")
    rows = cost_rows(view, table, range(len(table.rows)))
    assert rows[-1]["Layer"] == "≥ Total"
    assert about(view)["complete"] is False


def test_a_wrong_convention_is_said(open_page: Open) -> None:
    app = open_page("complexity", model="resnet18", convention="flips")
    assert any("flips" in warning.value for warning in app.warning)
    assert "1.81 GMACs" in cards(app)


@pytest.mark.parametrize("group", ["module", "op", "block", "stage", "kind"])
def test_every_grouping_sums_to_the_total(open_page: Open, group: str) -> None:
    app = open_page("complexity", model="googlenet", view="table", group=group)
    for frame in (app.dataframe[0].value, app.dataframe[1].value):
        for column in ("Parameters", "MACs", "Activation bytes"):
            assert frame[column].iloc[:-1].sum() == frame[column].iloc[-1]
        assert frame["Parameters"].iloc[-1] == find("googlenet").params


def test_filters_say_what_they_sum(open_page: Open) -> None:
    app = open_page("complexity", model="resnet18", view="table", kind="convolution", find="layer4")
    frame = app.dataframe[0].value
    assert frame["Layer"].iloc[-1] == "Sum of these rows"
    assert len(frame) == 5 + 1  # layer4: two blocks of two convolutions, and a shortcut
    assert frame["MACs"].iloc[:-1].sum() == frame["MACs"].iloc[-1]
    none = open_page("complexity", model="resnet18", view="table", find="nothing like this")
    assert any("No row" in info.value for info in none.info)


def test_what_if_doubles_and_halves(open_page: Open) -> None:
    app = open_page("complexity", model="resnet18", batch="2", dtype="float16", size="448")
    graph = trace_spec(find("resnet18"), (3, 448, 448))
    said = cards(app)
    assert f"{2 * graph.total_macs / 1e9:.2f} GMACs" in said
    assert "batch 2, 3×448×448, float16" in said
    assert f"{graph.activation_bytes / 2**20:.1f} MiB" in said  # twice the images, half the bytes
    assert "as published: 1.81 GMACs" in said


def test_other_classes_change_the_last_layer(open_page: Open) -> None:
    app = open_page("complexity", model="resnet18", classes="10")
    params = find("resnet18").params - 512 * 990 - 990
    assert f"{params / 1e6:.2f} M" in cards(app)


@pytest.mark.parametrize(
    ("name", "value"),
    [("batch", "0"), ("classes", "1000000000"), ("size", "-3"), ("dtype", "float7"),
     ("view", "attic"), ("other", "resnet5O"), ("kernel", "99")],
)  # fmt: skip
def test_impossible_values_are_said(open_page: Open, name: str, value: str) -> None:
    query: dict[str, Any] = {"view": "calculator"} if name == "kernel" else {}
    app = open_page("complexity", model="resnet18", **{**query, name: value})
    assert any(f"“{name}”" in warning.value for warning in app.warning), texts(app)
    assert not app.error


def test_a_size_that_the_network_does_not_take_is_said(open_page: Open) -> None:
    app = open_page("complexity", model="vit_b_16", size="100")
    assert any("multiple of 16" in error.value for error in app.error)


def test_a_second_network_stands_behind(open_page: Open) -> None:
    app = open_page("complexity", model="resnet50", other="resnet18")
    assert "ResNet-18: 1.81 GMACs (2.25×)" in cards(app)  # 4.089 / 1.814
    assert "ResNet-18" in charts(app)


def test_the_calculator_teaches_the_lesson(open_page: Open) -> None:
    app = open_page("complexity", view="calculator")
    said = texts(app)
    assert "589,824" in said
    assert "69,632" in said
    assert "8.47×" in said
    bad = open_page("complexity", view="calculator", pattern="grouped", groups="3")
    assert any("3 groups do not divide" in error.value for error in bad.error)


@pytest.mark.parametrize("view", ["nested", "roofline", "counters", "torchinfo", "python"])
def test_every_view_opens(open_page: Open, view: str) -> None:
    app = open_page("complexity", model="lenet5", view=view)
    assert not app.error
    if view == "roofline":
        assert "GFLOP/s" in texts(app)
    if view == "counters":
        assert "flop_counter" in " ".join(str(table.value) for table in app.table)


@pytest.mark.parametrize("query", [{}, {"size": "256", "batch": "4", "classes": "10"}])
def test_the_snippet_gives_the_pages_numbers(open_page: Open, query: dict[str, str]) -> None:
    app = open_page("complexity", model="resnet18", view="python", convention="flops", **query)
    code = app.code[0].value
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    params, flops, _bytes = map(int, answer.stdout.splitlines()[0].split())
    assert f"{params / 1e6:.2f} M" in cards(app)
    assert f"{flops / 1e9:.2f} GFLOPs" in cards(app)


def test_a_layer_links_to_the_graph(open_page: Open) -> None:
    app = open_page("complexity", model="resnet18", layer="layer1.0.conv1")
    assert any("Conv2d" in caption.value for caption in app.caption)
    (link,) = [e for e in app.get("page_link") if "layer graph" in e.proto.label]
    assert "layer1.0.conv1" in link.proto.query_string


def test_a_new_model_brings_its_own_size(open_page: Open) -> None:
    app = open_page("complexity", model="resnet18")
    app.selectbox(key="model").set_value("inception_v3")
    finish(app.run())
    assert "3×299×299" in cards(app)
    assert "size" not in app.query_params
