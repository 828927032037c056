"""A survey from where it stands to its end: rows into the folder, a bar, one file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from explorer.atlas.folder import SurveyFolder
from explorer.atlas.register import register
from explorer.atlas.survey import FAILED
from explorer.i18n import _

if TYPE_CHECKING:
    from explorer.atlas.crew import Crew, Outcome
    from explorer.tasks import Task

Tell = Callable[[str], None]


def run_survey(
    folder: SurveyFolder,
    crew: Crew,
    make: Callable[[int], Task],
    tell: Tell | None = None,
    values: Callable[[Any], dict[str, Any]] = dict,
) -> Path:
    """Does the items that have no row yet, and merges; after a kill, call it again.

    Args:
        folder: Of the survey.
        crew: What runs tasks.
        make: An item's task; an ``ExplorerError`` that it raises goes into the item's row.
        tell: Called with a word on each item that has ended.
        values: What a task returned → the columns of its row.

    Returns:
        The file with all rows.
    """
    survey = folder.survey

    def done(position: int, outcome: Outcome) -> None:
        if outcome.error is None:
            row = survey.row(position, values(outcome.found))
        else:
            seconds = round(outcome.seconds, 3)
            row = survey.failure(position, outcome.error.text(), seconds=seconds)
        folder.append(row)
        if tell is not None:
            tell(name_of(survey.items[position]))

    crew.run(folder.missing, make, done)
    return folder.merge()


def name_of(item: dict[str, Any]) -> str:
    """An item in a word or two."""
    parts = [item.get(name) for name in ("model", "image", "method", "batch_size", "mode")]
    return " · ".join(str(part) for part in parts if part is not None)


@contextmanager
def survey_bar(folder: SurveyFolder, out: TextIO = sys.stderr) -> Iterator[Tell]:
    """A line that says how many items have a row, and about how long the others take."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn(_("left")),
        # A survey's items differ by a factor of a hundred: a mean over many of them.
        TimeRemainingColumn(), TextColumn("{task.description}"),
    )  # fmt: skip
    register(folder)
    total = len(folder.survey.items)
    with Progress(*columns, console=Console(file=out), speed_estimate_period=300.0) as bar:
        task = bar.add_task("", total=total, completed=len(folder.done))
        yield lambda name: bar.update(task, completed=len(folder.done), description=name)


def failures(path: Path) -> list[tuple[str, str]]:
    """(item, reason) of every row of a merged file that could not be done."""
    import pyarrow.parquet as pq

    rows = pq.ParquetFile(path).read().to_pylist()
    return [(name_of(row), str(row["reason"])) for row in rows if row["state"] == FAILED]
