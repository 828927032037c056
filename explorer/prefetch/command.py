"""``python -m explorer prefetch``: a progress bar, then a line for each model, then what failed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from explorer.downloads import ProgressCallback
from explorer.errors import ExplorerError
from explorer.i18n import _, ngettext
from explorer.prefetch.choosing import Wanted, choose
from explorer.prefetch.fetching import Outcome, Stage, get
from explorer.tour import load_tour
from explorer.tracing.cache import MAX_FILES

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

INTERRUPTED = 130
MEGA = 1e6  # bytes of a MB


def prefetch(options: argparse.Namespace) -> int:
    """Runs the command; the exit status: 0 when everything is there, 1 when something is not."""
    try:
        wanted = choose(options.models, options.weights, load_tour() if options.tour else ())
    except ExplorerError as error:
        sys.stderr.write(f"{error.text(_)}\n")
        return 1
    if len(wanted) > MAX_FILES:
        text = _("{count} models are asked for; only the last {most} traces are kept.")
        sys.stderr.write(text.format(count=len(wanted), most=MAX_FILES) + "\n")
    outcomes: list[Outcome] = []
    status = 0
    try:
        with _bar(len(wanted), sys.stderr) as begin:
            for one in wanted:
                outcomes.append(get(one, begin(one)))
    except KeyboardInterrupt:
        sys.stderr.write(_("Stopped; the same command goes on where this one ended.") + "\n")
        status = INTERRUPTED
    for outcome in outcomes:
        sys.stdout.write(f"{describe(outcome)}\n")
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    for failure in failures:
        sys.stderr.write(f"✗ {failure.text(_)}\n")
    fetched = sum(outcome.fetched for outcome in outcomes)
    text = ngettext(
        "{count} model looked after, {size:.1f} MB downloaded.",
        "{count} models looked after, {size:.1f} MB downloaded.",
        len(outcomes),
    )
    sys.stdout.write(text.format(count=len(outcomes), size=fetched / MEGA) + "\n")
    return status or (1 if failures else 0)


def describe(outcome: Outcome) -> str:
    """One line: what of this model works without a network."""
    works = []
    if outcome.traced:
        works.append(_("graph, costs, comparison"))
    if outcome.weights:
        text = _("predictions, maps, latency with {weights}")
        works.append(text.format(weights=", ".join(outcome.weights)))
    else:
        works.append(_("latency untrained"))
    mark = "✗" if outcome.failures else "✓"
    return f"{mark} {outcome.spec.id}: {'; '.join(works)}"


@contextmanager
def _bar(total: int, out: TextIO) -> Iterator[Callable[[Wanted], Stage]]:
    """Two lines: the models, and the bytes of the present download."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[amount]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(file=out)) as bar:
        models = bar.add_task(_("Models"), total=total, amount=f"0/{total}")
        part = bar.add_task("", total=None, amount="", visible=False)
        done = 0

        def begin(wanted: Wanted) -> Stage:
            nonlocal done
            bar.update(models, completed=done, amount=f"{done}/{total}", refresh=True,
                       description=wanted.spec.name)  # fmt: skip
            bar.update(part, visible=False)
            done += 1
            return _stages(bar, part)

        yield begin
        bar.update(models, completed=done, amount=f"{done}/{total}")


def _stages(bar: Progress, part: TaskID) -> Stage:
    def stage(message: str, name: str) -> ProgressCallback:
        bar.reset(part, total=None, visible=True, amount="",
                  description=_(message).format(weights=name, model=name))  # fmt: skip

        def progress(done: int, total: int | None) -> None:
            bar.update(part, completed=done, total=total, amount=_amount(done, total))

        return progress

    return stage


def _amount(done: int, total: int | None) -> str:
    if total is None:
        return f"{done / MEGA:.1f} MB"
    return f"{done / MEGA:.1f}/{total / MEGA:.1f} MB"
