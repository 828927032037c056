"""Tasks on what visitors bring themselves; see ``explorer.tasks``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.i18n import N_
from explorer.task_keys import digest
from explorer.tasks import Context

if TYPE_CHECKING:
    from explorer import results


@dataclass(frozen=True, slots=True)
class CheckOwnWeights:
    """Whether a visitor's own weights fit a network.

    Attributes:
        model: Catalog id.
        file: Path of the file, in a folder that only the session knows.
    """

    model: str
    file: str

    def key(self) -> str:
        """By the file's path, which holds its hash."""
        return digest("own-weights", self.model, self.file)

    def run(self, context: Context) -> results.OwnWeightsReport:
        """What fits and what does not."""
        from pathlib import Path

        from explorer.catalog import find
        from explorer.own_state import examine
        from explorer.zoo import build

        context.stage(N_("Comparing the weights with the network"))
        return examine(build(find(self.model), init=False), Path(self.file))
