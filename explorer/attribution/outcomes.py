"""What became of every method on networks on which it was run: a table, made by a script.

``tests/tools/make_attribution_methods.py`` runs every cell and writes the table; free of torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from explorer.catalog import CATALOG

PATH = Path(__file__).resolve().parents[2] / "assets" / "data" / "attribution_outcomes.json"

Status = Literal["works", "repaired", "refused"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a method on a network.

    Attributes:
        status: "works"; "repaired", where Captum alone would have been wrong; or "refused".
        reasons: Sentences (English msgids with fields); none where it works.
        values: What fills the sentences' fields.
    """

    status: Status
    reasons: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The reasons in English."""
        return " ".join(reason.format(**self.values) for reason in self.reasons)


@cache
def outcomes() -> Mapping[str, Mapping[str, Outcome]]:
    """Model id → method id → outcome, of all networks that were tried."""
    stored: dict[str, dict[str, dict[str, Any]]] = json.loads(PATH.read_text("utf-8"))["cells"]
    return MappingProxyType(
        {
            model: MappingProxyType({name: _read(cell) for name, cell in row.items()})
            for model, row in stored.items()
        }
    )


def _read(cell: Mapping[str, Any]) -> Outcome:
    return Outcome(cell["status"], tuple(cell.get("reasons", ())), cell.get("values", {}))


def outcome(method: str, model_id: str) -> Outcome | None:
    """What became of this method on this network; None where it was not tried.

    Args:
        method: Id in ``METHODS``.
        model_id: Catalog id.
    """
    spec = CATALOG.get(model_id)
    return outcomes().get(spec.id if spec else model_id, {}).get(method)
