"""The bottleneck calculator: one convolution against what can take its place."""

from __future__ import annotations

import streamlit as st

from explorer.bottleneck import EXAMPLES, PATTERNS, Choice, Design, compare
from explorer.charts.bottleneck import draw_designs
from explorer.costs import Convention
from explorer.errors import DesignError
from explorer.i18n import _
from explorer.ui.banners import show_error
from explorer.ui.charts import show_figure
from explorer.ui.params import choice, number

_SLIDERS = ("cin", "mid", "cout", "kernel", "groups")


def show_calculator(convention: Convention, width: int) -> None:
    """Sliders, both designs drawn to one scale, and the ratio."""
    labels = {name: _(title) for name, (title, _build) in PATTERNS.items()}
    pattern = choice("pattern", _("Replace a plain convolution with"), labels, kind="segmented")
    _new_pattern(pattern)
    picture, sliders, numbers = st.container(), st.container(), st.container()
    with sliders:
        chosen, side = _choose(pattern)
    with picture:
        designs = _draw(chosen, pattern, convention, width)
    if designs:
        rows = [_row(design, convention, side) for design in designs]
        numbers.dataframe(rows, hide_index=True)


def _draw(chosen: Choice, pattern: str, convention: Convention, width: int) -> tuple[Design, ...]:
    """The ratio and the drawing; nothing where the numbers are impossible (said)."""
    try:
        designs = compare(chosen, pattern)
    except DesignError as error:
        show_error(error)
        return ()
    plain, parts = (_counted(design, convention) for design in designs)
    st.markdown(
        _("{plain:,} against {parts:,} {unit} per position: **{ratio:.2f}×**").format(
            plain=plain, parts=parts, ratio=plain / parts, unit=_unit(convention)
        )
    )
    show_figure(draw_designs(designs, width=width, height=180 if width < 600 else 200), "designs")
    return designs


def _new_pattern(pattern: str) -> None:
    """A pattern begins with the values that it is known for, unless the address has others."""
    state = st.session_state
    before = state.get("_pattern")
    state["_pattern"] = pattern
    if before is None or before == pattern:
        return
    example = EXAMPLES[pattern]
    values = (example.in_channels, example.mid_channels, example.out_channels, example.kernel,
              example.groups)  # fmt: skip
    for key, value in zip(_SLIDERS, values, strict=True):
        state[f"_w_{key}"] = value


def _choose(pattern: str) -> tuple[Choice, int]:
    example = EXAMPLES[pattern]
    columns = st.columns(3)
    with columns[0]:
        cin = int(number("cin", _("Channels in"), (1, 2048), default=example.in_channels))
        kernel = int(number("kernel", _("Kernel side n"), (1, 11), default=example.kernel))
    with columns[1]:
        mid = int(number("mid", _("Channels inside"), (1, 2048), default=example.mid_channels))
        groups = int(number("groups", _("Groups"), (1, 64), default=example.groups))
    with columns[2]:
        cout = int(number("cout", _("Channels out"), (1, 2048), default=example.out_channels))
        side = int(number("side", _("Side of the map"), (1, 224), default=56))
    return Choice(cin, mid, cout, kernel, groups), side


def _unit(convention: Convention) -> str:
    return {
        Convention.MACS: _("MACs"), Convention.FLOPS: _("FLOPs"),
        Convention.CANZIANI: _("2016 operations"),
    }[convention]  # fmt: skip


def _counted(design: Design, convention: Convention, positions: int = 1) -> int:
    """The count of a design; the 2016 counter ignores groups and adds one for each output."""
    if convention is Convention.CANZIANI:
        return positions * sum(
            layer.out_channels * (2 * layer.kernel[0] * layer.kernel[1] * layer.in_channels + 1)
            for layer in design.layers
        )
    return positions * design.macs_per_position * (1 if convention is Convention.MACS else 2)


def _row(design: Design, convention: Convention, side: int) -> dict[str, object]:
    unit = _unit(convention)
    return {
        _("Design"): _(design.name),
        _("{unit} per position").format(unit=unit): _counted(design, convention),
        _("{unit} on {side}×{side}").format(unit=unit, side=side): _counted(
            design, convention, side * side
        ),
        _("Weights"): design.params,
        _("Receptive field"): "×".join(str(size) for size in design.receptive_field),
        _("Layers"): " · ".join(layer.text for layer in design.layers),
    }
