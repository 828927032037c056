"""A box on the image: how much of what speaks for the class lies in it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.attribution.overlay import share_inside
from explorer.i18n import _
from explorer.results import Attribution
from explorer.ui.folding import in_popover
from explorer.ui.params import flag, number
from explorer.ui.public import when_opened


@dataclass(frozen=True, slots=True)
class Box:
    """Edges in percent of the image's width and height.

    Attributes:
        left: From the left edge.
        top: From the upper edge.
        right: From the left edge, more than ``left``.
        bottom: From the upper edge, more than ``top``.
    """

    left: float
    top: float
    right: float
    bottom: float

    def pixels(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """(left, top, right, bottom) on a map (H, W), at least one pixel wide and high."""
        height, width = shape
        left, top = int(self.left * width / 100), int(self.top * height / 100)
        right = max(left + 1, round(self.right * width / 100))
        bottom = max(top + 1, round(self.bottom * height / 100))
        return min(left, width - 1), min(top, height - 1), min(right, width), min(bottom, height)

    def show(self, found: Attribution) -> None:
        """The map's share in the box against the box's share of the image."""
        inside, area = share_inside(found.map, self.pixels(found.map.shape))
        st.markdown(
            _(
                "In the box: **{inside:.0%}** of what speaks for the class, on {area:.0%} of the "
                "area ({ratio:.1f} × its share)."
            ).format(inside=inside, area=area, ratio=inside / area)
        )


def take_box(drawn: tuple[float, float, float, float], shape: tuple[int, ...]) -> None:
    """Makes the box that was drawn on a map (H, W) the one that is measured.

    Args:
        drawn: Corners (x0, y0, x1, y1) in pixels of the map, in any order.
        shape: (H, W).
    """
    height, width = shape
    x0, y0, x1, y1 = drawn
    state = st.session_state
    for key, other, values, side in (
        ("left", "right", (x0, x1), width), ("top", "bottom", (y0, y1), height),
    ):  # fmt: skip
        low, high = (100 * min(max(value, 0), side) / side for value in sorted(values))
        state[f"_w_{key}"] = min(99, round(low))
        state[f"_w_{other}"] = min(100, max(state[f"_w_{key}"] + 1, round(high)))
    state["_w_region"] = True


def choose_box() -> Box | None:
    """Draws the switch and the edges of the box."""
    popover = st.popover(
        _("Region"), icon=":material/select_all:", width="stretch", key="region-edges",
        on_change=when_opened(),
    )  # fmt: skip
    with in_popover(popover):
        if not flag("region", _("Measure a box")):
            return None
        left = number("left", _("Left edge (%)"), (0, 99), default=25)
        right = number("right", _("Right edge (%)"), (1, 100), default=75)
        top = number("top", _("Upper edge (%)"), (0, 99), default=25)
        bottom = number("bottom", _("Lower edge (%)"), (1, 100), default=75)
        if right <= left or bottom <= top:
            st.warning(_("The box is empty: its right and lower edges come first."))
            return None
    return Box(left, top, right, bottom)
