"""timm's table, measurements and the small bar charts as rows and figures."""

from __future__ import annotations

import csv
from dataclasses import dataclass

import pytest

from explorer.catalog import CATALOG
from explorer.catalog.atlas_costs import atlas_costs
from explorer.catalog.timm_results import RESULTS_FILE, results
from explorer.charts.bubble import BubbleOptions, BubbleRow, bubble_chart
from explorer.charts.bubble_companions import MOST, bars
from explorer.charts.bubble_measured import rows_measured, setup_of
from explorer.charts.bubble_timm import rows_timm
from explorer.ui.bubble.notes import notes


@pytest.fixture(scope="module")
def timm() -> list[BubbleRow]:
    return rows_timm(results(), CATALOG)


def test_timm_has_a_row_for_each_of_the_tables(timm: list[BubbleRow]) -> None:
    with RESULTS_FILE.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(timm) == len(lines) == 1556
    assert len({row.id for row in timm}) == 1556
    for row, line in zip(timm, lines, strict=True):
        assert row.values["top1"] == float(line["top1"])
        assert row.values["params"] == pytest.approx(
            float(line["param_count"].replace(",", "")) * 1e6
        )
        assert row.crop == int(line["img_size"])


def test_timm_rows_open_in_the_app_and_say_their_licence(timm: list[BubbleRow]) -> None:
    for row in timm:
        assert row.model in CATALOG
    assert sum(bool(row.licence) for row in timm) > 1500
    resnet = next(
        r for r in timm if r.label == "resnet50" and r.weights == "a1_in1k" and r.crop == 224
    )
    card = "\n".join(f"{name}: {value}" for name, value in resnet.hover)
    for part in ("a1_in1k", "224×224 / 236", "25.56 million", "4.11 GMACs", "2015", "RTX 5090"):
        assert part in card


def test_what_the_atlas_counted_stands_beside_timms_numbers(timm: list[BubbleRow]) -> None:
    own_size = [row for row in timm if row.crop == CATALOG[row.model].input_size[1]]
    assert len(own_size) == 1181
    for row in timm:
        counted = [text for name, text in row.hover if name.endswith("counted here")]
        assert bool(counted) == ("canziani_ops" in row.values) == (row in own_size)
        if counted:
            costs = atlas_costs()[row.model, row.crop]
            assert counted == [f"{costs.macs / 1e9:,.4f} GMACs"]
            assert row.values["activation_bytes"] == costs.activation_bytes
            # timm counts a convolution's work the same way, and rounds to 0.01 GMACs.
            assert row.values["macs"] == pytest.approx(costs.macs, rel=0.9, abs=5e7)


def test_the_chart_says_what_was_counted_here(timm: list[BubbleRow]) -> None:
    told = "Counted here on a trace of each network, not published by timm: "
    assert f"{told}Operations." in notes(timm, BubbleOptions(x="canziani_ops"))
    both = BubbleOptions(x="canziani_ops", size="activation_bytes")
    assert f"{told}Operations, Activation memory." in notes(timm, both)
    assert not any(line.startswith(told) for line in notes(timm, BubbleOptions(x="macs")))


def test_a_name_that_left_timm_stays_a_picture() -> None:
    (row,) = rows_timm(results()[:1], {})
    assert (row.model, row.weights, row.family) == ("", "", "eva02")


def test_all_of_timm_in_one_figure(timm: list[BubbleRow]) -> None:
    fig = bubble_chart(timm, BubbleOptions(x="macs", log_x=True, labels="some", legend=True))
    drawn = sum(len(t.customdata) for t in fig.data if t.customdata is not None)
    assert drawn + fig.layout.meta["missing"] == 1556
    cpu = bubble_chart(timm, BubbleOptions(x="cpu_latency", log_x=True, labels="none"))
    assert cpu.layout.meta["missing"] == 1556 - 1451  # PROVENANCE.md: 1,451 of 1,556 match


@dataclass(frozen=True)
class Kept:
    series_id: int
    model: str
    weights: str | None
    image_seconds: float | None
    device: str = "A processor"
    mode: str = "inference_mode"
    dtype: str = "float32"
    threads: int = 2
    input_size: tuple[int, int, int] = (3, 224, 224)
    batch_size: int = 1
    runs: int = 30
    peak_bytes: int | None = 2**20
    joules_per_image: float | None = None
    started_at: str = "2026-11-02T10:00:00+00:00"

    @property
    def images_per_second(self) -> float | None:
        return None if self.image_seconds is None else 1 / self.image_seconds


def test_measured_rows_join_the_published_accuracy_and_say_so() -> None:
    newest_first = [
        Kept(3, "resnet18", None, 0.010), Kept(2, "resnet18", None, 0.020),
        Kept(1, "resnet50", "IMAGENET1K_V2", 0.050), Kept(4, "gone", None, 0.1),
        Kept(5, "resnet34", None, None),
    ]  # fmt: skip
    rows = {row.model: row for row in rows_measured(newest_first, CATALOG)}
    assert set(rows) == {"resnet18", "resnet50"}
    small, large = rows["resnet18"], rows["resnet50"]
    assert small.values["latency"] == 0.010  # the newest
    assert small.values["top1"] == 69.758  # torchvision, IMAGENET1K_V1
    assert "Measured untrained" in small.note
    assert large.values["top1"] == 80.858
    assert large.note == ""
    assert "joules" not in small.values
    fig = bubble_chart(list(rows.values()), BubbleOptions(x="latency"))
    symbols = {s for t in fig.data if t.customdata for s in t.marker.symbol}
    assert symbols == {"diamond"}


def test_a_size_of_its_own_is_said_and_has_no_published_operations() -> None:
    (row,) = rows_measured([Kept(1, "resnet18", None, 0.01, input_size=(3, 96, 96))], CATALOG)
    assert "Measured at 96 px" in row.note
    assert "macs" not in row.values


def test_digits_have_no_place_beside_imagenet() -> None:
    (row,) = rows_measured(
        [Kept(1, "lenet5", "MNIST_DIGITS", 0.001, input_size=(1, 32, 32))], CATALOG
    )
    fig = bubble_chart([row], BubbleOptions(x="latency"))
    assert "Nothing to draw" in fig.layout.annotations[0].text


def test_setups_differ_in_what_times_depend_on() -> None:
    base = Kept(1, "resnet18", None, 0.01)
    others = [
        Kept(1, "resnet18", None, 0.01, **{key: value})
        for key, value in {"device": "B", "mode": "eager", "dtype": "bfloat16", "batch_size": 8,
                           "threads": 1}.items()
    ]  # fmt: skip
    assert len({setup_of(one) for one in [base, *others]}) == 6


def test_figures_1_and_10_equal_the_papers_table(
    paper_rows: list[BubbleRow], paper_points: list
) -> None:
    for key, field in (("top1", "top1"), ("top1_per_mparam", "density")):
        (drawn,) = bars(paper_rows, key).data
        shown = dict(zip(drawn.x, drawn.y, strict=True))
        assert shown == {f"2016:{p.network}": getattr(p, field) for p in paper_points}
        assert list(drawn.y) == sorted(drawn.y)
        colours = dict(zip(drawn.x, drawn.marker.color, strict=True))
        assert colours == {f"2016:{p.network}": p.colour for p in paper_points}


def test_bars_of_many_show_the_best(timm: list[BubbleRow]) -> None:
    (drawn,) = bars(timm, "top1").data
    assert len(drawn.x) == MOST
    assert max(drawn.y) == max(row.values["top1"] for row in timm)
    assert "No network has a value" in bars(timm, "latency").layout.annotations[0].text
