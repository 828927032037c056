"""A dressed figure has what the template gives, and nothing that makes Plotly draw it twice."""

from __future__ import annotations

import json

import pytest

from explorer.catalog.history import timeline as entries
from explorer.charts import theme
from explorer.charts.dressing import dressed, keep_looks
from explorer.charts.history import timeline
from explorer.ui.charts import modes_of


def sent(figure: object) -> dict:
    return json.loads(figure.to_json())  # type: ignore[attr-defined]


@pytest.mark.parametrize("dark", [False, True])
def test_the_templates_values_are_written_out(dark: bool) -> None:
    figure = timeline(entries(), width=1080)
    layout = sent(dressed(figure, dark))["layout"]
    assert not layout.get("template")
    assert "meta" not in layout
    assert layout["font"]["color"] == theme.INK[dark]
    assert layout["xaxis"]["gridcolor"] == theme.GRID[dark]
    assert layout["xaxis"]["range"] == list(figure.layout.xaxis.range)
    assert all(note["bgcolor"] for note in layout["annotations"])
    heads = sent(dressed(figure, dark))["data"][1]["marker"]
    assert heads["line"]["width"] == 0, "its own value wins"
    assert heads["line"]["color"], "the rest is the template's"


def test_axes_are_given_where_a_trace_stands_on_them_only() -> None:
    bars = theme.figure(
        [{"type": "bar", "x": [1], "y": [1]}, {"type": "bar", "x": [1], "y": [1], "xaxis": "x2"}],
        {},
    )
    layout = sent(dressed(bars, False))["layout"]
    assert layout["xaxis2"]["automargin"] is True
    tree = theme.figure([{"type": "treemap", "labels": ["a"], "parents": [""]}], {})
    shown = sent(dressed(tree, False))
    assert "xaxis" not in shown["layout"]
    assert shown["data"][0]["marker"]["line"]["width"] == 1


def test_the_figure_itself_stays_as_it_is() -> None:
    figure = theme.figure([{"type": "scatter", "x": [1], "y": [2]}], {}, alt="one point")
    before = figure.to_json()
    dressed(figure, True, modes_of(("points",)))
    assert figure.to_json() == before


def test_the_revision_follows_the_data() -> None:
    def revision(y: int, dark: bool = False) -> int:
        figure = theme.figure([{"type": "scatter", "x": [1], "y": [y]}], {})
        return int(dressed(figure, dark).layout.datarevision)

    assert revision(1) == revision(1)
    assert revision(1) != revision(2)
    assert revision(1) != revision(1, dark=True), "the outline's colour is in the data"


def test_modes_are_set_where_the_figure_has_none() -> None:
    plain = theme.figure([{"type": "scatter", "x": [1], "y": [2]}], {"hovermode": "x"})
    layout = dressed(plain, False, modes_of(("points",))).layout
    assert (layout.clickmode, layout.hovermode, layout.dragmode) == ("event+select", "x", "pan")
    assert dressed(plain, False, modes_of(("box",))).layout.dragmode == "select"
    assert dressed(plain, False).layout.clickmode is None


def test_a_kept_figure_is_dressed_once_for_each_ground() -> None:
    kept = keep_looks(theme.figure([{"type": "scatter", "x": [1], "y": [2]}], {}))
    modes = modes_of(("points",))
    assert dressed(kept, False, modes) is dressed(kept, False, modes)
    assert dressed(kept, False, modes) is not dressed(kept, True, modes)
    assert dressed(kept, False).layout.clickmode is None
