"""One Plotly template for light and one for dark, one colour per family, one form of axis title."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

FONT_SIZE = 15
SMALL_FONT_SIZE = 13
FONT_FAMILY = '"Source Sans", "Source Sans Pro", "Noto Sans", "Noto Sans CJK SC", sans-serif'

# Streamlit's grounds: #ffffff and #0e1117. Ink has a contrast of at least 7 : 1 on its ground,
# muted ink at least 4.5 : 1 (WCAG 2.2, 1.4.3 and 1.4.6).
INK = {False: "#31333f", True: "#fafafa"}
MUTED = {False: "#5d606d", True: "#b5b8c2"}
GRID = {False: "rgba(49,51,63,0.13)", True: "rgba(250,250,250,0.16)"}
PANEL = {False: "#ffffff", True: "#262730"}
VEIL = {False: "rgba(255,255,255,0.7)", True: "rgba(14,17,23,0.7)"}
OUTLINE = {False: "rgba(49,51,63,0.55)", True: "rgba(250,250,250,0.75)"}

# Okabe & Ito 2008, "Color Universal Design", without yellow and black, which vanish on one ground.
COLORWAY = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")

# The families of the 2016 chart wear the paper's colours (ResNet: ResNet-50's, VGG: VGG-16's);
# the others are spread over hue and lightness.
FAMILY_COLOURS: Mapping[str, str] = {
    "AlexNet": "#fd8d3c",
    "BN-AlexNet": "#fecc5c",
    "BN-NIN": "#de2d26",
    "NIN": "#de2d26",
    "ENet": "#000000",
    "GoogLeNet": "#08519c",
    "VGG": "#006d2c",
    "ResNet": "#f768a1",
    "Inception": "#6baed6",
    "Inception-v3": "#6baed6",
    "Inception-v4": "#c6dbef",
    "Inception-ResNet": "#4292c6",
    "LeNet": "#8c6d31",
    "SqueezeNet": "#e6ab02",
    "DenseNet": "#9467bd",
    "Xception": "#3182bd",
    "MobileNet": "#17becf",
    "MobileNetV2": "#17becf",
    "MobileNetV3": "#0e7c86",
    "MNASNet": "#bcbd22",
    "ShuffleNet": "#8c564b",
    "ShuffleNetV2": "#8c564b",
    "ResNeXt": "#ae017e",
    "WideResNet": "#c994c7",
    "Wide ResNet": "#c994c7",
    "RegNet": "#7f7f7f",
    "EfficientNet": "#2ca02c",
    "EfficientNetV2": "#98df8a",
    "EfficientNet-Lite": "#637939",
    "ConvNeXt": "#d62728",
    "ViT": "#ff9896",
    "Vision Transformer": "#ff9896",
    "Swin": "#e377c2",
    "Swin Transformer": "#e377c2",
    "SwinV2": "#7b4173",
    "MaxViT": "#5254a3",
}
_OTHER_FAMILIES = (
    "#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#a6761d", "#4e79a7", "#f28e2b",
    "#76b7b2", "#59a14f", "#b07aa1", "#9c755f", "#b6992d", "#499894", "#d37295", "#79706e",
)  # fmt: skip


def family_colour(family: str) -> str:
    """The colour of a family, the same in every chart, run and process.

    Args:
        family: ``ModelSpec.family``.

    Returns:
        "#rrggbb": the 2016 paper's where the family is in its chart (arXiv:1605.07678, figure 2).
    """
    known = FAMILY_COLOURS.get(family)
    if known is not None:
        return known
    return _OTHER_FAMILIES[zlib.crc32(family.encode()) % len(_OTHER_FAMILIES)]


def figure(
    traces: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], *, alt: str = ""
) -> go.Figure:
    """A figure in the light template.

    Args:
        traces: Plotly traces as dicts with their ``type``.
        layout: Plotly layout without a template.
        alt: One sentence that says what the chart shows, for ``layout.meta["alt"]``.
    """
    import plotly.graph_objects as go

    meta = {**layout.get("meta", {}), "alt": alt}
    body = {**layout, "meta": meta, "template": _template(False)}
    return go.Figure({"data": list(traces), "layout": body})


def apply(fig: go.Figure, dark: bool) -> go.Figure:
    """Puts the figure on the light or the dark ground; returns the same figure."""
    fig.layout.template = _template(dark)
    return fig


def empty(sentence: str, *, height: int = 240) -> go.Figure:
    """A figure that says in one sentence why there is nothing to draw, instead of a blank."""
    note = {
        "text": wrap(sentence, 60),
        "x": 0.5,
        "y": 0.5,
        "xref": "paper",
        "yref": "paper",
        "showarrow": False,
        "font": {"size": FONT_SIZE + 1},
    }
    hidden = {"visible": False, "fixedrange": True}
    layout = {"annotations": [note], "xaxis": hidden, "yaxis": hidden, "height": height}
    return figure([{"type": "scatter", "x": [], "y": []}], layout, alt=sentence)


def axis_title(title: str, unit: str = "", convention: str = "") -> dict[str, Any]:
    """An axis title with its unit, and the convention in small type below.

    Args:
        title: What is on the axis, translated.
        unit: Its unit; "" for a pure number.
        convention: What the number counts, translated.
    """
    text = f"{title} [{unit}]" if unit else title
    if convention:
        text += f'<br><span style="font-size:{SMALL_FONT_SIZE}px">{convention}</span>'
    return {"text": text}


# Pixels that numbers and titles beside and below a plot take. plotly.js makes room for them where a
# margin is smaller, and draws everything a second time: a third of what a page change waits for.
NUMBERS, BESIDE, BELOW = 45, 110, 78


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """An upper estimate of the width of ``text`` in pixels, without a font at hand.

    0.58 em a letter, 0.74 em a capital, one em a CJK character: at or above Source Sans and the
    sans-serif fonts that stand in for it.
    """
    total = 0.0
    for character in text:
        if ord(character) >= 0x2E80:
            total += 1.0
        elif character.isupper():
            total += 0.74
        else:
            total += 0.58
    return total * size


def wrap(text: str, width: int) -> str:
    """``text`` broken with ``<br>`` into lines of at most ``width`` half-width characters."""
    lines: list[str] = []
    line = ""
    used = 0
    for word in _words(text):
        size = sum(2 if ord(character) >= 0x2E80 else 1 for character in word)
        if line and used + size > width:
            lines.append(line.rstrip())
            line, used = "", 0
            word = word.lstrip()  # noqa: PLW2901 - the word begins the next line
        line += word
        used += size
    lines.append(line)
    return "<br>".join(part for part in lines if part)


#: What may not begin a line in Chinese, and what may not end one.
CLOSING, OPENING = "，。、；：！？）》」』”’…", "（《「『“‘"


def _words(text: str) -> list[str]:
    """Places where a line may break: before a space, and around every CJK character."""
    words: list[str] = []
    for character in text:
        if words and (character in CLOSING or words[-1][-1] in OPENING):
            words[-1] += character
        elif (
            not words
            or character == " "
            or ord(character) >= 0x2E80
            or ord(words[-1][-1]) >= 0x2E80
        ):
            words.append(character)
        else:
            words[-1] += character
    return words


@cache
def _template(dark: bool) -> go.layout.Template:
    import plotly.graph_objects as go

    return go.layout.Template(template(dark))


def template(dark: bool) -> dict[str, Any]:
    """The template of one ground, ``layout`` and ``data``; backgrounds are transparent."""
    axis = {
        "gridcolor": GRID[dark],
        "linecolor": GRID[dark],
        "zerolinecolor": GRID[dark],
        "zerolinewidth": 1,
        "automargin": True,
        "title": {"standoff": 12, "font": {"size": FONT_SIZE}},
        "tickfont": {"size": FONT_SIZE - 1, "color": MUTED[dark]},
        "ticks": "",
    }
    marker = {"marker": {"line": {"color": OUTLINE[dark], "width": 1}}}
    plain = {"marker": {"line": {"width": 0}}}
    layout = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT_FAMILY, "size": FONT_SIZE, "color": INK[dark]},
        "title": {"font": {"size": FONT_SIZE + 3}, "x": 0, "xref": "paper", "xanchor": "left"},
        "colorway": list(COLORWAY),
        "xaxis": axis,
        "yaxis": axis,
        "margin": {"l": 16, "r": 16, "t": 24, "b": 16},
        "hoverlabel": {
            "bgcolor": PANEL[dark],
            "bordercolor": OUTLINE[dark],
            "font": {"family": FONT_FAMILY, "size": FONT_SIZE, "color": INK[dark]},
            "align": "left",
            "namelength": -1,
        },
        "legend": {"font": {"size": FONT_SIZE - 1}, "bgcolor": "rgba(0,0,0,0)"},
        "annotationdefaults": {
            "font": {"size": FONT_SIZE - 1, "color": INK[dark]},
            "arrowcolor": MUTED[dark],
            "arrowhead": 0,
            "arrowwidth": 1,
            # A veil in the ground's colour: lines that pass behind a name do not strike it through.
            "bgcolor": VEIL[dark],
            "borderpad": 0,
        },
        "shapedefaults": {"line": {"color": MUTED[dark], "width": 1}},
        "coloraxis": {"colorbar": {"outlinewidth": 0, "thickness": 14}},
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": MUTED[dark],
            "activecolor": INK[dark],
        },
        "separators": ".,",
    }
    data = {
        "scatter": [marker],
        "bar": [plain],
        "histogram": [plain],
        "treemap": [{"marker": {"line": {"width": 1, "color": PANEL[dark]}}}],
    }
    return {"layout": layout, "data": data}
