"""The headline table: units, ratios, what is best, what is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.catalog import find
from explorer.charts.compare import CompareEntry
from explorer.charts.compare_lines import among_all, parallel
from explorer.charts.paired import paired_chart
from explorer.compare_table import numbers_of, table, written
from explorer.paired import Ratio
from explorer.trace import trace_spec


def test_units_and_ratios_of_two_networks() -> None:
    small, large = find("resnet18"), find("resnet50")
    models = [numbers_of(trace_spec(spec), spec.weights[0]) for spec in (small, large)]
    rows = {row.quantity.id: row for row in table(models, 0)}
    assert rows["params"].text(0) == "11.69"  # 11,689,512
    assert rows["macs"].text(1) == "4.089"  # torchvision's _ops
    assert rows["flops"].values[1] == pytest.approx(2 * 4.089, abs=2e-3)
    assert rows["params"].against_text(1) == "2.19×"  # 25.557 / 11.690
    assert rows["params"].best == {0}
    assert rows["top1"].best == {1}
    assert rows["top1"].against_text(1) == "+11.10"  # 80.858 (V2) − 69.758
    assert rows["ops"].best == frozenset()
    assert "latency" not in rows


def test_an_accuracy_on_digits_is_not_put_beside_imagenet() -> None:
    lenet = find("lenet5")
    (row,) = [r for r in table([numbers_of(trace_spec(lenet), lenet.weights[0])] * 2, 0)
              if r.quantity.id == "params"]  # fmt: skip
    assert row.best == frozenset()  # equal: neither is best
    assert all(r.quantity.id != "top1" for r in
               table([numbers_of(trace_spec(lenet), lenet.weights[0])], 0))  # fmt: skip


def test_a_small_network_is_not_zero() -> None:
    models = [numbers_of(trace_spec(find(name)), None) for name in ("resnet50", "lenet5")]
    rows = {row.quantity.id: row for row in table(models, 0)}
    assert rows["macs"].text(1) == "0.00042"  # 416,520
    assert rows["activations"].text(1) == "0.056"  # 14,604 numbers of 4 bytes
    assert rows["macs"].against_text(1) == "0.0001×"
    assert rows["params"].text(1) == "0.062"
    (row,) = [row for row in table(models, 1) if row.quantity.id == "macs"]
    assert row.against_text(0) == "9,817×"  # 4,089,184,256 / 416,520


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0, 2, "0.00"), (0.096, 2, "0.096"), (0.1, 2, "0.10"), (416e-6, 3, "0.00042"), (9.96, 0, "10"),
     (0.0099, 3, "0.0099"), (0.01, 3, "0.010"), (2.5e-6, 2, "0.0000025"), (25.6, 1, "25.6")],
)  # fmt: skip
def test_decimals(value: float, digits: int, text: str) -> None:
    assert written(value, digits) == text


def test_what_was_measured_here_is_a_row_of_its_own() -> None:
    graph = trace_spec(find("lenet5"))
    rows = table([numbers_of(graph, None, 0.0012), numbers_of(graph, None)], 0)
    (row,) = [row for row in rows if row.quantity.id == "latency"]
    assert (row.text(0), row.text(1), row.against_text(1)) == ("1.20", "–", "–")


def test_lines_are_ratios_and_the_reference_is_one() -> None:
    models = [{"params": 2.0, "macs": 1.0}, {"params": 6.0, "macs": 0.5}]
    figure = parallel(table(models, 0), ["A<b>", "B"], 0, ["#112233", "#445566"])
    assert list(figure.data[0].y) == [1, 1]
    assert list(figure.data[1].y) == [3, 0.5]
    assert figure.data[0].name == "A&lt;b&gt;"
    assert figure.data[1].line.color == "#445566"


def test_the_models_lie_over_the_cloud_of_all() -> None:
    entry = CompareEntry("X", macs=2e9, top1=70.0, colour="#123456")
    others = [("a", 1e9, 60.0), ("b", 2e9, 55.0), ("c", 4e9, 80.0)]
    figure = among_all([entry, replace(entry, name="no accuracy", top1=None)], others)
    assert [trace.name for trace in figure.data][-1] == "X"
    assert list(figure.data[1].y) == [60.0, 80.0]  # b is beaten by a
    assert among_all([replace(entry, top1=None)], others).layout.annotations


def test_intervals_are_drawn_as_they_are() -> None:
    figure = paired_chart(["A", "B"], [Ratio(1, 1, 1, 9), Ratio(2.0, 1.8, 2.3, 9)],
                          [0.001, 0.002], ["#000000", "#ffffff"])  # fmt: skip
    assert figure.data[1].error_x.array[0] == pytest.approx(0.3)
    assert figure.data[1].error_x.arrayminus[0] == pytest.approx(0.2)
