"""Costs of every network as the atlas counted them, kept as data: nothing is traced to read them.

``assets/data/make_atlas_costs.py`` writes the file; its head says with which versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache

from explorer.catalog.store import read_json

FILE = "atlas_costs.json"


@dataclass(frozen=True, slots=True)
class AtlasCosts:
    """What one trace counted, one image at the network's own input size.

    Attributes:
        params: Trainable, without auxiliary heads.
        macs: Multiply–accumulates.
        canziani_ops: Operations as the 2016 chart counts them (``costs.Convention.CANZIANI``).
        activation_bytes: Of the tensors that all operations write, fp32.
        peak_bytes: The most that is alive at once.
        complete: False where an operation may multiply and has no formula: "at least".
    """

    params: int
    macs: int
    canziani_ops: int
    activation_bytes: int
    peak_bytes: int
    complete: bool


@cache
def atlas_costs() -> Mapping[tuple[str, int], AtlasCosts]:
    """(catalog id, input's side) → costs; networks that could not be traced are left out."""
    kept = read_json(FILE)
    names = [field.name for field in fields(AtlasCosts)]
    found = {}
    for values in kept["rows"]:
        row = dict(zip(kept["columns"], values, strict=True))
        if row["reason"] is None:
            key = row["model"], row["height"]
            found[key] = AtlasCosts(**{name: row[name] for name in names})
    return found


@cache
def atlas_versions() -> Mapping[str, str]:
    """Versions of the libraries that were counted with."""
    return dict(read_json(FILE)["versions"])
