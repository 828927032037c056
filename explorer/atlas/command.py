"""``python -m explorer atlas``: a survey in a folder, a bar, and at the end what failed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from explorer.atlas.running import failures
from explorer.errors import AtlasError, ExplorerError
from explorer.i18n import N_, _, ngettext

INTERRUPTED = 130
MOST_TOLD = 20


def atlas(options: argparse.Namespace) -> int:
    """Runs the command; the exit status: 0 when every item has a row, whatever stands in it."""
    survey: Callable[[argparse.Namespace], Path] = {
        "costs": _costs, "latency": _latency, "attribution": _attribution,
    }[options.survey]  # fmt: skip
    try:
        _check_not_public()
        merged = survey(options)
    except ExplorerError as error:
        sys.stderr.write(f"{error.text(_)}\n")
        return 1
    except KeyboardInterrupt:
        text = _("Stopped; the same command with --resume goes on where this one ended.")
        sys.stderr.write(text + "\n")
        return INTERRUPTED
    _tell(merged)
    return 0


def _check_not_public() -> None:
    from explorer.settings import get_settings

    if get_settings().public:
        raise AtlasError(
            N_("Surveys are closed in public mode; unset {name} for this command."),
            name="EXPLORER_PUBLIC",
        )


def _tell(merged: Path) -> None:
    failed = failures(merged)
    for name, reason in failed[:MOST_TOLD]:
        sys.stderr.write(f"✗ {name}: {reason}\n")
    more = len(failed) - MOST_TOLD
    if more > 0:
        text = ngettext("… and {count} more row", "… and {count} more rows", more)
        sys.stderr.write(text.format(count=more) + "\n")
    text = ngettext(
        "{count} row has a reason in place of numbers. All rows: {file}",
        "{count} rows have a reason in place of numbers. All rows: {file}",
        len(failed),
    )
    sys.stdout.write(text.format(count=len(failed), file=merged) + "\n")


def _costs(options: argparse.Namespace) -> Path:
    from explorer.atlas.costs import CountCosts, costs_survey
    from explorer.atlas.crew import Bounds, Crew, own_workers, per_worker_bytes
    from explorer.atlas.folder import open_folder
    from explorer.atlas.running import run_survey, survey_bar
    from explorer.sweeps.choosing import select_models

    workers = options.workers or _cores()
    memory = per_worker_bytes(workers) if options.memory is None else int(options.memory * 1e9)
    survey = costs_survey(select_models(options.models))
    with open_folder(Path(options.out), survey, resume=options.resume) as folder:
        if not folder.missing:
            return folder.merge()
        # No more processes than items are left.
        count = min(workers, len(folder.missing))
        with own_workers(count) as engines, survey_bar(folder) as tell:
            crew = Crew(engines, Bounds(options.seconds, memory))
            return run_survey(
                folder, crew, lambda place: CountCosts(survey.items[place]["model"]), tell
            )


def _cores() -> int:
    import psutil

    return psutil.cpu_count(logical=False) or psutil.cpu_count() or 1


def _latency(options: argparse.Namespace) -> Path:
    from explorer.atlas.latency import run_latency

    return run_latency(options)


def _attribution(options: argparse.Namespace) -> Path:
    from explorer.atlas.attribution_run import run_attribution

    return run_attribution(options)
