"""How a network was traced, and at which input size."""

from __future__ import annotations

import streamlit as st

from explorer.catalog.spec import ModelSpec
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.ui.params import choice

SIDES = (32, 64, 96, 128, 160, 192, 224, 256, 288, 299, 320, 384, 448, 512)


def choose_input_size(spec: ModelSpec) -> tuple[int, int, int] | None:
    """Draws the choice of the input's side (``?size=``); None for the network's own.

    Args:
        spec: The network.
    """
    channels, height, width = spec.input_size
    own = _("{height}×{width}, its own").format(height=height, width=width)
    sides = {"own": own} | {str(side): f"{side}×{side}" for side in SIDES if side != height}
    chosen = choice("size", _("Input size (pixels)"), sides)
    return None if chosen == "own" else (channels, int(chosen), int(chosen))


def say_method(graph: LayerGraph) -> None:
    """Says how the graph was found when it is not a plain export, and what is missing."""
    if graph.method not in ("export", "pre_dispatch"):
        st.info(
            _("Traced by {method}, because `torch.export` does not take this network.").format(
                method=graph.method
            ),
            icon=":material/info:",
        )
    for sentence in graph.missing:
        st.warning(_(sentence), icon=":material/info:")
