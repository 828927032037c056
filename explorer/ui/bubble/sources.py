"""The three data sets of the front page, and the filters over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import streamlit as st

from explorer.catalog import CATALOG
from explorer.catalog.paper2016 import PaperDataError, load_points
from explorer.catalog.pretraining import LABELS
from explorer.charts.bubble import BubbleRow
from explorer.charts.bubble_rows import ghosts, rows_2016, rows_today
from explorer.errors import MeasurementError
from explorer.i18n import _, language
from explorer.ui.banners import show_error
from explorer.ui.folding import folded
from explorer.ui.params import choice, flag, number, several, text
from explorer.ui.selection import curated_ids

FIRST, LAST = 2012, 2026


@dataclass(frozen=True, slots=True)
class Filters:
    """What is left to draw; empty fields let everything pass.

    Attributes:
        words: All have to occur in name, family or weights.
        families: Any of them.
        licences: Any of them; "" stands for a publisher who states none.
        data: Any of ``pretraining.LABELS``.
        years: First and last, both included; rows of unknown year pass the whole range only.
    """

    words: str = ""
    families: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    years: tuple[int, int] = (FIRST, LAST)

    def keep(self, row: BubbleRow) -> bool:
        """Whether the row passes."""
        where = f"{row.label} {row.family} {row.weights} {row.model}".casefold()
        plain = where.replace("-", "").replace("_", "").replace(" ", "")
        if not all(word in where or word in plain for word in self.words.casefold().split()):
            return False
        if self.years != (FIRST, LAST):
            year = row.values.get("year")
            if year is None or not self.years[0] <= year <= self.years[1]:
                return False
        return all(
            not wanted or value in wanted
            for wanted, value in (
                (self.families, row.family),
                (self.licences, row.licence),
                (self.data, row.data),
            )
        )


def paper_rows(with_ghosts: bool) -> list[BubbleRow]:
    """The 14 points, with today's weights of the same networks on request; bad rows are said."""
    try:
        points, problems = load_points()
    except PaperDataError as error:
        show_error(error)
        return []
    for problem in problems:
        show_error(problem)
    return rows_2016(points) + (ghosts(points, CATALOG) if with_ghosts else [])


def today_rows(whole_timm: bool) -> list[BubbleRow]:
    """Weights of torchvision, or timm's whole table: never both, since they measure differently."""
    if not whole_timm:
        return rows_today(CATALOG[model_id] for model_id in curated_ids())
    return list(_timm_rows(language()))


@cache
def _timm_rows(_language: str) -> tuple[BubbleRow, ...]:
    """The table as rows; their cards are in the current language, hence one of each."""
    from explorer.catalog.timm_results import results
    from explorer.charts.bubble_timm import rows_timm

    return tuple(rows_timm(results(), CATALOG))


def measured_rows() -> list[BubbleRow]:
    """What the store keeps of one setup, to be chosen; nothing where it is empty or gone."""
    from explorer.charts.bubble_measured import rows_measured, setup_of
    from explorer.measurements import MeasurementStore, RowFilter

    try:
        kept = MeasurementStore().rows(RowFilter())
    except MeasurementError as error:
        show_error(error)
        return []
    counts = Counter(setup_of(row) for row in kept)
    if not counts:
        return []
    labels = {
        setup: "{}, {}, {}, {}, {}".format(
            *(part for part in setup.split("|")[:3]),
            _("batch {size}").format(size=setup.split("|")[3]),
            _("{count} threads").format(count=setup.split("|")[4]),
        )
        for setup, _count in counts.most_common()
    }
    setup = choice("setup", _("Measured with"), labels)
    return rows_measured((row for row in kept if setup_of(row) == setup), CATALOG)


def rows_of(data: str, options_for: Callable[[str, str], bool]) -> list[BubbleRow]:
    """The rows of a data set.

    Args:
        data: "2016", "today" or "measured".
        options_for: Draws the switch of this key and label.
    """
    if data == "2016":
        return paper_rows(options_for("ghosts", _("Today's weights of the same networks")))
    if data == "today":
        return today_rows(options_for("timm", _("All of timm's results")))
    return measured_rows()


def choose_filters(rows: Sequence[BubbleRow]) -> Filters:
    """Draws the filters; the address keeps them."""
    words = text("q", _("Name, family or weights"), placeholder="convnext in22k")
    families = sorted({row.family for row in rows}, key=str.casefold)
    licences = sorted({row.licence for row in rows})
    chosen_families = several(
        "families", _("Families"), {name: name for name in families}, default=[], most=12
    )
    chosen_licences = several(
        "licences", _("Licences"), {one or "-": one or _("not stated") for one in licences},
        default=[], most=12,
    )  # fmt: skip
    data = several(
        "train", _("Training data"), {key: _(label) for key, label in LABELS.items()},
        default=[], most=3,
    )  # fmt: skip
    left, right = (nullcontext(), nullcontext()) if folded() else st.columns(2)
    with left:
        first = number("from", _("From year"), (FIRST, LAST), default=FIRST)
    with right:
        last = number("until", _("Until year"), (FIRST, LAST), default=LAST)
    return Filters(
        words, tuple(chosen_families), tuple("" if one == "-" else one for one in chosen_licences),
        tuple(data), (int(first), int(last)),
    )  # fmt: skip


def table_rows(rows: Sequence[BubbleRow]) -> list[dict[str, Any]]:
    """The chart's rows for a table and its downloads, in the units that the axes show."""
    from explorer.charts.axes import AXES

    keys = [key for key in AXES if any(key in row.values for row in rows)]
    heads = {key: f"{_(AXES[key].title)} [{_(AXES[key].unit)}]".replace(" []", "") for key in keys}
    return [
        {
            _("Network"): row.label, _("Family"): row.family, _("Weights"): row.weights,
            _("Crop [pixels]"): row.crop or None, _("Licence"): row.licence,
            _("Training data"): _(LABELS.get(row.data, "")),  # type: ignore[call-overload]
        }
        | {heads[key]: _shown(row, key) for key in keys}
        for row in rows
    ]  # fmt: skip


def _shown(row: BubbleRow, key: str) -> float | None:
    from explorer.charts.axes import AXES

    value = row.values.get(key)
    return None if value is None else round(AXES[key].show(value), 4)


def switch(key: str, label: str) -> bool:
    """A switch of the address, off by default."""
    return flag(key, label)
