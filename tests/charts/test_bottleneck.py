"""The drawn designs: slabs to one scale, each layer with its own count."""

from __future__ import annotations

import pytest

from explorer.bottleneck import EXAMPLES, PATTERNS, compare
from explorer.charts.bottleneck import draw_designs


def test_the_widest_tensor_is_the_tallest_slab() -> None:
    fig = draw_designs(compare(EXAMPLES["bottleneck"], "bottleneck"))
    heights = {
        trace.text: round(max(trace.y) - min(trace.y), 6)
        for trace in fig.data
        if trace.text.endswith("channels")
    }
    assert heights["256 channels"] == 1
    assert heights["64 channels"] == 64 / 256


@pytest.mark.parametrize("pattern", list(PATTERNS))
@pytest.mark.parametrize("width", [360, 1200])
def test_every_layer_is_named_and_counted(pattern: str, width: int) -> None:
    pair = compare(EXAMPLES[pattern], pattern)
    fig = draw_designs(pair, width=width)
    said = " ".join(note.text for note in fig.layout.annotations)
    for design in pair:
        assert f"{design.macs_per_position:,}" in said
        for layer in design.layers:
            assert f"{layer.weights:,}" in said
    assert pair[1].layers[0].text in fig.layout.meta["alt"]


def test_nothing_to_draw_is_a_sentence() -> None:
    assert "no design" in draw_designs(()).layout.annotations[0].text
