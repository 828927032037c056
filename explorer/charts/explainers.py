"""Small live figures for the ideas of the history, each with a sentence that has the numbers in it.

Every function takes the sliders' values and gives (figure, sentence); ``explain`` looks it up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.bottleneck import Convolution, Design, bottleneck, depthwise_separable, factorised
from explorer.bottleneck import plain as plain_design
from explorer.catalog import find
from explorer.charts import theme
from explorer.charts.bottleneck import draw_designs
from explorer.explainers import (
    GOOGLENET_MODULES,
    fire_modules,
    gradient_flow,
    inception_branches,
    spread,
    squeezenet_params,
)
from explorer.i18n import N_, _

if TYPE_CHECKING:
    import plotly.graph_objects as go

Values = Mapping[str, float]
_HEIGHT = 320
_PLAIN, _IDEA, _THIRD = "#d55e00", "#0072b2", "#e69f00"


@dataclass(frozen=True, slots=True)
class Explained:
    """What an idea does at the chosen values.

    Attributes:
        figure: The picture.
        sentence: With the numbers in it, translated.
    """

    figure: go.Figure
    sentence: str


def explain(idea: str, values: Values, *, width: int = 1200) -> Explained:
    """The figure and the sentence of an idea.

    Args:
        idea: Key of ``explainers.EXPLAINERS``.
        values: One for each of its sliders.
        width: Pixels that the figure will have.

    Raises:
        KeyError: There is no such idea, or a value is missing.
    """
    return _IDEAS[idea](values, width)


def _conv1x1(values: Values, width: int) -> Explained:
    inputs, outputs = int(values["cin"]), int(values["cout"])
    point = Design(N_("1×1"), (Convolution(inputs, outputs, (1, 1)),))
    whole = Design(N_("3×3"), (Convolution(inputs, outputs),))
    sentence = _(
        "At every position the {inputs} numbers are multiplied with one {inputs}×{outputs} matrix: "
        "{weights:,} weights, a ninth of the {plain:,} of a 3×3. It mixes channels, sees no "
        "neighbour, and with fewer channels out than in it makes whatever follows {ratio:.1f}× "
        "cheaper."
    ).format(
        inputs=inputs, outputs=outputs, weights=point.params, plain=whole.params,
        ratio=inputs / outputs,
    )  # fmt: skip
    if outputs >= inputs:
        sentence = _(
            "At every position the {inputs} numbers are multiplied with one {inputs}×{outputs} "
            "matrix: {weights:,} weights, a ninth of the {plain:,} of a 3×3. It mixes channels and "
            "sees no neighbour; with as many or more channels out it saves nothing later."
        ).format(inputs=inputs, outputs=outputs, weights=point.params, plain=whole.params)
    return Explained(_designs((point, whole), width), sentence)


def _bottleneck(values: Values, width: int) -> Explained:
    channels = int(values["channels"])
    middle = max(1, round(channels / values["reduction"]))
    whole, parts = plain_design(channels, channels), bottleneck(channels, middle, channels)
    sentence = _(
        "{first:,} + {second:,} + {third:,} = {parts:,} multiply–accumulates at each position "
        "instead of {plain:,}: {ratio:.2f}× fewer."
    ).format(
        first=parts.layers[0].weights, second=parts.layers[1].weights,
        third=parts.layers[2].weights, parts=parts.params, plain=whole.params,
        ratio=whole.params / parts.params,
    )  # fmt: skip
    return Explained(_designs((whole, parts), width), sentence)


def _separable(values: Values, width: int) -> Explained:
    channels, kernel = int(values["channels"]), int(values["kernel"])
    whole = plain_design(channels, channels, kernel)
    parts = depthwise_separable(channels, channels, kernel)
    sentence = _(
        "{depthwise:,} weights look at space and {pointwise:,} mix channels, together {parts:,} "
        "instead of {plain:,}: {ratio:.2f}× fewer. {share:.0f} % of them are in the 1×1."
    ).format(
        depthwise=parts.layers[0].weights, pointwise=parts.layers[1].weights, parts=parts.params,
        plain=whole.params, ratio=whole.params / parts.params,
        share=100 * parts.layers[1].weights / parts.params,
    )  # fmt: skip
    return Explained(_designs((whole, parts), width), sentence)


def _factorised(values: Values, width: int) -> Explained:
    channels, kernel = int(values["channels"]), int(values["kernel"])
    whole = plain_design(channels, channels, kernel)
    parts = factorised(channels, channels, kernel)
    sentence = _(
        "1×{n} and then {n}×1 see the same {n}×{n} pixels with {parts:,} instead of {plain:,} "
        "weights: {ratio:.2f}× fewer, which is {n}/2."
    ).format(n=kernel, parts=parts.params, plain=whole.params, ratio=whole.params / parts.params)
    return Explained(_designs((whole, parts), width), sentence)


def _designs(designs: Sequence[Design], width: int) -> go.Figure:
    return draw_designs(designs, width=width, height=150 if width < 600 else 170)


def _inception(values: Values, _width: int) -> Explained:
    names = list(GOOGLENET_MODULES)
    module, kernel = names[int(values["module"]) - 1], int(values["kernel"])
    branches = inception_branches(module, kernel)
    reduced = sum(branch.reduced for branch in branches)
    direct = sum(branch.direct for branch in branches)
    inputs = GOOGLENET_MODULES[module][0]
    sentence = _(
        "Module {module} with {inputs} channels in: {reduced:,} multiply–accumulates at each "
        "position, {direct:,} without the 1×1 convolutions before the large kernels: {ratio:.2f}× "
        "fewer."
    ).format(module=module, inputs=inputs, reduced=reduced, direct=direct, ratio=direct / reduced)
    labels = [_(branch.name) for branch in branches]
    bars = [
        _bars(labels, [b.direct for b in branches], _("without reduction"), _PLAIN),
        _bars(labels, [b.reduced for b in branches], _("with 1×1 reduction"), _IDEA),
    ]
    return Explained(_bar_figure(bars, _("Branch"), _("MACs per position"), sentence), sentence)


def _fire(values: Values, _width: int) -> Explained:
    modules = fire_modules(values["squeeze"] / 100, values["three"] / 100)
    params = squeezenet_params(modules)
    alexnet = find("alexnet").params
    sentence = _(
        "SqueezeNet would have {params:,} parameters, {ratio:.1f}× fewer than AlexNet’s "
        "{alexnet:,}: {mb:.1f} MB in fp32. The paper took 12.5 % and 50 %."
    ).format(params=params, ratio=alexnet / params, alexnet=alexnet, mb=params * 4 / 1e6)
    labels = [f"fire{number}" for number in range(2, 10)]
    bars = [
        _bars(labels, [m.squeeze for m in modules], _("squeeze 1×1"), _THIRD),
        _bars(labels, [m.one for m in modules], _("expand 1×1"), _PLAIN),
        _bars(labels, [m.three for m in modules], _("expand 3×3"), _IDEA),
    ]
    figure = _bar_figure(bars, _("Fire module"), _("Parameters"), sentence, stacked=True)
    return Explained(figure, sentence)


def _batch_norm(values: Values, _width: int) -> Explained:
    depth, gain = int(values["depth"]), float(values["gain"])
    without = spread(depth, gain, normalised=False)
    with_norm = spread(depth, gain, normalised=True)
    sentence = _(
        "After {depth} random layers the activations have a root mean square of {without:.2g} "
        "without and {with_norm:.2f} with batch normalisation. Without it only a gain near √2 = "
        "1.41 keeps the scale; with it every gain does."
    ).format(depth=depth, without=without[-1], with_norm=with_norm[-1])
    series = (
        (without, _("without"), _PLAIN), (with_norm, _("with batch normalisation"), _IDEA),
    )  # fmt: skip
    return Explained(_lines(series, _("Root mean square of activations"), sentence), sentence)


def _residual(values: Values, _width: int) -> Explained:
    depth, gain = int(values["depth"]), float(values["gain"])
    without = gradient_flow(depth, gain, shortcut=False)
    with_skip = gradient_flow(depth, gain, shortcut=True)
    sentence = _(
        "Through {depth} random layers the gradient that reaches the first one is {without:.2g} "
        "times that at the output in the plain pile, and {with_skip:.2g} times with shortcuts. "
        "With large gains the sum grows: that is why each branch is normalised. In the paper, 34 "
        "plain layers were worse than 18 (28.54 against 27.94 % error), with shortcuts better "
        "(25.03 against 27.88 %)."
    ).format(depth=depth, without=without[0], with_skip=with_skip[0])
    series = ((without, _("plain pile"), _PLAIN), (with_skip, _("with shortcuts"), _IDEA))
    return Explained(_lines(series, _("Gradient, relative to the output"), sentence), sentence)


def _bars(labels: list[str], heights: list[int], name: str, colour: str) -> dict[str, Any]:
    return {
        "type": "bar", "x": labels, "y": heights, "name": name, "marker": {"color": colour},
        "hovertemplate": "%{x}: %{y:,}<extra>" + name + "</extra>",
    }  # fmt: skip


def _bar_figure(
    bars: list[dict[str, Any]], x_title: str, y_title: str, alt: str, *, stacked: bool = False
) -> go.Figure:
    layout = {
        "barmode": "stack" if stacked else "group",
        "height": _HEIGHT,
        "xaxis": {"title": theme.axis_title(x_title), "fixedrange": True, "type": "category"},
        "yaxis": {"title": theme.axis_title(y_title), "fixedrange": True, "rangemode": "tozero"},
        "legend": _LEGEND,
        "dragmode": False,
    }
    return theme.figure(bars, layout, alt=alt)


def _lines(series: Sequence[tuple[np.ndarray, str, str]], y_title: str, alt: str) -> go.Figure:
    traces = [
        {
            "type": "scatter", "mode": "lines+markers", "name": name, "line": {"color": colour},
            "marker": {"size": 6, "color": colour}, "x": list(range(1, len(values) + 1)),
            "y": values.tolist(),
            "hovertemplate": "%{x}: %{y:.3g}<extra>" + name + "</extra>",
        }
        for values, name, colour in series
    ]  # fmt: skip
    layout = {
        "height": _HEIGHT,
        "xaxis": {"title": theme.axis_title(_("Layer")), "fixedrange": True},
        "yaxis": {
            "type": "log", "title": theme.axis_title(y_title), "fixedrange": True,
            "exponentformat": "power", "nticks": 7,
        },
        "legend": _LEGEND,
        "dragmode": False,
    }  # fmt: skip
    return theme.figure(traces, layout, alt=alt)


_LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"}
_IDEAS: Mapping[str, Callable[[Values, int], Explained]] = {
    "conv1x1": _conv1x1, "inception": _inception, "bottleneck": _bottleneck,
    "batch_norm": _batch_norm, "factorised": _factorised, "residual": _residual,
    "fire": _fire, "separable": _separable,
}  # fmt: skip
