"""Counts of one forward pass that need a trace, kept as data so that the front page has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from explorer.catalog.store import read_json

FILE = "counted.json"


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted on the traced graph of one network at one size, one image.

    Attributes:
        canziani_ops: Operations as the 2016 chart counts them (``costs.Convention.CANZIANI``).
        activation_bytes: Bytes that all ops write, fp32 (``LayerGraph.activation_bytes``).
    """

    canziani_ops: int
    activation_bytes: int


@cache
def _table() -> Mapping[tuple[str, int], Counted]:
    return {
        (model, side): Counted(ops, activation_bytes)
        for model, side, ops, activation_bytes in read_json(FILE)
    }


def counted(model_id: str, side: int) -> Counted | None:
    """The counts of a plain id at an input of ``side`` pixels; None where there are none."""
    return _table().get((model_id, side))
