"""The theme: stable colours, estimates that hold, and a package that stays light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from explorer.charts import theme
from explorer.charts.theme import family_colour, text_width, wrap

ROOT = Path(__file__).resolve().parents[2]


def test_2016_families_wear_the_papers_colours() -> None:
    assert family_colour("AlexNet") == "#fd8d3c"
    assert family_colour("VGG") == "#006d2c"
    assert family_colour("ResNet") == "#f768a1"
    assert family_colour("ENet") == "#000000"
    assert family_colour("Inception-v3") == "#6baed6"


def test_unknown_families_have_one_colour_in_every_process() -> None:
    code = (
        "import sys; from explorer.charts.theme import family_colour; "
        "sys.stdout.write(family_colour('Foo'))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert found == {family_colour("Foo")}
    assert len(family_colour("Foo")) == 7


def test_every_family_of_the_catalog_has_its_own_colour() -> None:
    from explorer.catalog import CATALOG

    families = {CATALOG[m].family for m in CATALOG if not m.startswith("timm/")}
    colours = {family: family_colour(family) for family in families}
    assert len(families) > 20
    assert len(set(colours.values())) == len(colours)


@pytest.mark.parametrize("dark", [False, True])
def test_ink_stands_out_from_the_ground(dark: bool) -> None:
    def luminance(colour: str) -> float:  # WCAG 2.2, relative luminance
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    ground = luminance("#0e1117" if dark else "#ffffff")
    for colour, least in ((theme.INK[dark], 7.0), (theme.MUTED[dark], 4.5)):
        low, high = sorted((ground, luminance(colour)))
        assert (high + 0.05) / (low + 0.05) >= least


def test_wrap_breaks_at_spaces_and_between_cjk() -> None:
    assert wrap("one two three", 7) == "one two<br>three"
    assert wrap("卷积神经网络", 6) == "卷积神<br>经网络"
    assert wrap("运算（百万），次", 10) == "运算（百<br>万），次"  # none begins with ），
    assert wrap("", 10) == ""
    assert wrap("unbreakable", 3) == "unbreakable"


def test_text_width_counts_cjk_as_one_em() -> None:
    assert text_width("卷积", 10) == 20.0
    assert text_width("aaaa", 10) == pytest.approx(23.2)  # 4 · 0.58 · 10


def test_empty_says_its_sentence() -> None:
    fig = theme.empty("Nothing measured yet; press Start.")
    assert fig.layout.annotations[0].text == "Nothing measured yet; press Start."
    assert fig.layout.meta["alt"] == "Nothing measured yet; press Start."
    assert fig.layout.xaxis.visible is False


def test_charts_import_nothing_heavy_and_plotly_only_when_drawing() -> None:
    # ``finished`` is a kind of Plotly figure: ``dressing`` imports it where one is drawn.
    modules = sorted(p.stem for p in (ROOT / "explorer" / "charts").glob("*.py"))
    modules.remove("finished")
    names = ["explorer.charts" if m == "__init__" else f"explorer.charts.{m}" for m in modules]
    code = (
        "import sys, importlib\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "heavy = {'torch', 'streamlit', 'pandas', 'torchvision', 'timm', 'plotly'}\n"
        "bad = heavy & set(sys.modules)\n"
        "sys.exit(','.join(sorted(bad)) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
