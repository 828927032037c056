"""The bubble chart: points equal the data, areas the parameters, labels keep clear."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.catalog.spec import ModelSpec, Preprocessing, WeightsSpec
from explorer.charts import theme
from explorer.charts.bubble import (
    PAPER_OPTIONS,
    TODAY_OPTIONS,
    BubbleOptions,
    BubbleRow,
    bubble_chart,
)
from explorer.charts.bubble_legend import LEGEND_MILLIONS
from explorer.charts.bubble_rows import rows_today
from explorer.charts.pareto import pareto_front


def points(fig: Any) -> dict[str, dict[str, Any]]:
    """The drawn points by row id, read back from the figure's JSON."""
    found = {}
    for trace in json.loads(fig.to_json())["data"]:
        for i, custom in enumerate(trace.get("customdata", ())):
            found[custom[2]] = {
                "x": trace["x"][i],
                "y": trace["y"][i],
                "size": trace["marker"]["size"][i],
                "color": trace["marker"]["color"][i],
                "model": custom[0],
                "weights": custom[1],
                "card": trace["hovertext"][i],
                "sizemode": trace["marker"]["sizemode"],
            }
    return found


def row(name: str, x: float, y: float, params: float = 10e6, **more: Any) -> BubbleRow:
    values = {"macs": x, "top1": y, "params": params}
    return BubbleRow(name, name, more.pop("family", "F"), "today", values, **more)


def test_2016_points_equal_the_paper(paper_points: Any, paper_rows: list[BubbleRow]) -> None:
    drawn = points(bubble_chart(paper_rows, PAPER_OPTIONS))
    assert len(drawn) == len(paper_points) == 14
    for point in paper_points:
        shown = drawn[f"2016:{point.network}"]
        assert shown["x"] == pytest.approx(point.ops_giga, rel=1e-12)
        assert shown["y"] == point.top1
        assert shown["color"] == point.colour
    assert drawn["2016:VGG-16"]["model"] == "vgg16"
    assert drawn["2016:ENet"]["model"] == "enet"


@pytest.mark.parametrize("width", [390, 1200])
def test_area_is_proportional_to_parameters_also_in_the_legend(
    paper_points: Any, paper_rows: list[BubbleRow], width: int
) -> None:
    fig = bubble_chart(paper_rows, dataclasses.replace(PAPER_OPTIONS, width=width))
    drawn = points(fig)
    sizes = [drawn[f"2016:{p.network}"]["size"] / p.params_millions for p in paper_points]
    legend = next(t for t in fig.data if t.xaxis == "x2")
    sizes += [s / m for s, m in zip(legend.marker.size, LEGEND_MILLIONS, strict=True)]
    assert max(sizes) == pytest.approx(min(sizes), rel=1e-9)
    assert {t["sizemode"] for t in drawn.values()} == {"area"}
    assert legend.marker.sizeref == 2
    # Largest legend circle in pixels: diameter² is the size when sizeref is 2.
    assert math.sqrt(legend.marker.size[-1]) == pytest.approx(min(84, max(26, 0.07 * width)))


def test_2016_ranges_hold_every_circle(paper_rows: list[BubbleRow]) -> None:
    fig = bubble_chart(paper_rows, PAPER_OPTIONS)
    (x0, x1), (y0, y1) = fig.layout.xaxis.range, fig.layout.yaxis.range
    assert x0 <= 0
    assert x1 >= 40
    assert y0 <= 50
    assert y1 >= 80
    assert [fig.layout.xaxis.dtick, fig.layout.yaxis.dtick] == [5, 5]
    unit_x = (x1 - x0) / (1200 - fig.layout.margin.l - fig.layout.margin.r)
    for point in points(fig).values():
        radius = math.sqrt(point["size"]) / 2
        assert x0 <= point["x"] - radius * unit_x
        assert point["x"] + radius * unit_x <= x1


def test_axis_titles_have_unit_and_convention(paper_rows: list[BubbleRow]) -> None:
    layout = bubble_chart(paper_rows, PAPER_OPTIONS).layout
    assert "[G-Ops]" in layout.xaxis.title.text
    assert "2 × MACs" in layout.xaxis.title.text
    assert "[%]" in layout.yaxis.title.text
    assert "crop" in layout.yaxis.title.text


def test_titles_and_cards_are_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    from explorer import i18n
    from explorer.catalog.paper2016 import load_points
    from explorer.charts.bubble_rows import rows_2016

    class Marked:
        def gettext(self, message: str) -> str:
            return f"«{message}»"

        def ngettext(self, one: str, many: str, count: int) -> str:
            return f"«{one if count == 1 else many}»"

    monkeypatch.setattr(i18n, "_catalog", lambda code: Marked() if code == "zh" else None)
    i18n.set_language("zh")
    fig = bubble_chart(rows_2016(load_points()[0]), dataclasses.replace(PAPER_OPTIONS, pareto=True))
    i18n.set_language("en")
    assert fig.layout.xaxis.title.text.startswith("«Operations» [«G-Ops»]")
    assert fig.layout.yaxis.title.text.startswith("«Top-1 accuracy» [«%»]")
    assert fig.data[0].name == "«Pareto front»"
    card = points(fig)["2016:Inception-v4"]["card"]
    assert "«Parameters»: 31.57 «million»" in card
    assert "«Not" in card
    assert any(a.text == "«Area: million parameters»" for a in fig.layout.annotations)
    assert fig.layout.meta["alt"].startswith("«Bubble chart of 14 networks")


def weights(name: str, dataset: Any = "imagenet", top1: float | None = 80.0) -> WeightsSpec:
    prep = Preprocessing((3, 224, 224), 256, (0.5,), (0.5,))
    return WeightsSpec(
        name, dataset, 1000, top1, None, prep, licence="BSD-3-Clause", params=2_000_000,
        macs=3_000_000_000,
    )  # fmt: skip


def spec(model: str, *sets: WeightsSpec) -> ModelSpec:
    prep = Preprocessing((3, 224, 224), 256, (0.5,), (0.5,))
    return ModelSpec(
        model, model.title(), "ResNet", 2015, "torchvision", model, None, "imagenet", 1000, prep,
        sets, 2_000_000, 0, 3_000_000_000, (),
    )  # fmt: skip


def test_today_has_one_point_a_weights_set_and_never_mnist() -> None:
    specs = [
        spec("a", weights("V1"), weights("V2", top1=82.0)),
        spec("digits", weights("M", "mnist", 99.2)),
        spec("unpublished", weights("N", top1=None)),
    ]
    rows = rows_today(specs)
    fig = bubble_chart(rows, BubbleOptions(x="flops"))
    drawn = points(fig)
    assert set(drawn) == {"today:a:V1", "today:a:V2"}
    shown = drawn["today:a:V2"]
    assert (shown["model"], shown["weights"]) == ("a", "V2")
    assert shown["x"] == 6.0  # 2 · 3 GMACs
    for part in ("V2", "224×224 / 256", "3.00 GMACs (= 6.00 GFLOPs)", "2.00 million", "2015",
                 "BSD-3-Clause"):  # fmt: skip
        assert part in shown["card"]


def test_an_mnist_row_stays_off_an_imagenet_axis() -> None:
    rows = [row("net", 1e9, 70.0), row("lenet", 4e5, 99.0, dataset="mnist")]
    fig = bubble_chart(rows, BubbleOptions(x="macs"))
    assert set(points(fig)) == {"net"}
    assert fig.layout.meta["missing"] == 1
    assert any("1 network has no value" in a.text for a in fig.layout.annotations)
    by_params = bubble_chart(rows, BubbleOptions(x="macs", y="params", size=""))
    assert set(points(by_params)) == {"net", "lenet"}


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_values_that_a_log_axis_cannot_show_are_counted(bad: float) -> None:
    rows = [row("good", 1e9, 70.0), row("bad", bad, 71.0)]
    fig = bubble_chart(rows, BubbleOptions(x="macs", log_x=True))
    assert set(points(fig)) == {"good"}
    assert fig.layout.meta["missing"] == 1
    assert fig.layout.xaxis.type == "log"


def test_nothing_to_draw_is_said_in_a_sentence() -> None:
    empty = bubble_chart([], TODAY_OPTIONS)
    assert "no network matches" in empty.layout.annotations[0].text.replace("<br>", " ")
    other = bubble_chart([row("a", 1e9, 70.0)], BubbleOptions(x="latency"))
    text = other.layout.annotations[0].text.replace("<br>", " ")
    assert "none of the 1 networks has a value for both Time per image" in text.replace("  ", " ")


def test_names_are_escaped() -> None:
    fig = bubble_chart([row("<script>x</script>", 1e9, 70.0)], BubbleOptions(x="macs"))
    text = json.dumps([t.hovertext for t in fig.data if t.hovertext]) + str(fig.layout.annotations)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_the_open_model_has_a_ring() -> None:
    rows = [row("a", 1e9, 70.0, model="a"), row("b", 2e9, 75.0, model="b")]
    fig = bubble_chart(rows, BubbleOptions(x="macs", highlight="b"))
    ring = next(t for t in fig.data if t.marker.symbol == "circle-open")
    assert (list(ring.x), list(ring.y)) == ([2.0], [75.0])
    plain = bubble_chart(rows, BubbleOptions(x="macs", highlight="c"))
    assert not [t for t in plain.data if t.marker.symbol == "circle-open"]


def test_the_front_is_drawn_through_the_unbeaten() -> None:
    rows = [row("a", 1e9, 70.0), row("b", 2e9, 75.0), row("c", 3e9, 72.0)]
    fig = bubble_chart(rows, BubbleOptions(x="macs", pareto=True))
    front = next(t for t in fig.data if t.name == "Pareto front")
    assert (list(front.x), list(front.y)) == ([1.0, 2.0], [70.0, 75.0])
    years = bubble_chart(rows, BubbleOptions(x="year", pareto=True))
    assert all(t.name != "Pareto front" for t in years.data)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=30))
def test_pareto_front_equals_brute_force(found: list[tuple[int, int]]) -> None:
    def beaten(p: tuple[int, int]) -> bool:
        return any(q != p and q[0] <= p[0] and q[1] >= p[1] for q in found)

    front = pareto_front([(float(x), float(y)) for x, y in found])
    assert sorted(front) == [i for i, p in enumerate(found) if not beaten(p)]
    assert [found[i][0] for i in front] == sorted(found[i][0] for i in front)


def test_dark_is_only_another_template(paper_rows: list[BubbleRow]) -> None:
    fig = bubble_chart(paper_rows, PAPER_OPTIONS)
    light = fig.to_plotly_json()
    assert theme.apply(fig, True) is fig
    dark = fig.to_plotly_json()
    assert light["data"] == dark["data"]
    assert dark["layout"]["template"]["layout"]["font"]["color"] == "#fafafa"
    assert light["layout"]["template"]["layout"]["font"]["color"] == "#31333f"
    for template in (light, dark):
        assert template["layout"]["template"]["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"
