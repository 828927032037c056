"""Settings that can be read and still are not what the operator meant: each in one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from explorer.catalog import CATALOG
from explorer.errors import SettingsError
from explorer.i18n import N_
from explorer.offered import patterns
from explorer.settings import Settings

PREFIX = "EXPLORER_"
# Variables of this program that are no settings: name → who reads it. A test looks for them.
OTHERS: Mapping[str, str] = {
    "EXPLORER_NODE": "explorer.machine: the node of a cluster that a worker runs on",
}
# What has no effect unless public mode is on.
PUBLIC_ONLY = (
    "offered", "max_jobs_per_visitor", "max_jobs", "max_job_seconds", "max_batch",
    "jobs_per_minute", "jobs_per_minute_per_address",
)  # fmt: skip
# The first must not be more than the second.
ORDERED = (
    ("max_jobs_per_visitor", "max_jobs"),
    ("jobs_per_minute", "jobs_per_minute_per_address"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is odd.

    Attributes:
        error: The sentence.
        fatal: Whether the server cannot be used with it, so that it does not start.
    """

    error: SettingsError
    fatal: bool = False


def misspelt(environment: Mapping[str, str]) -> Iterator[SettingsError]:
    """Variables that begin like settings and are none, which would otherwise be passed over."""
    known = [PREFIX + field.upper() for field in Settings.model_fields]
    for name in sorted(environment):
        upper = name.upper()  # names are read in any case
        if upper.startswith(PREFIX) and upper not in known and upper not in OTHERS:
            yield SettingsError(
                N_("There is no setting {name}, so it has no effect; did you mean {closest}?"),
                name=name[:60],
                closest=difflib.get_close_matches(upper, known, n=1, cutoff=0.0)[0],
            )


def problems(settings: Settings) -> Iterator[Problem]:
    """Values that contradict each other or lead to nothing."""
    if not settings.public:
        for name in PUBLIC_ONLY:
            if name in settings.model_fields_set:
                yield Problem(_without_effect(name, settings))
        return
    for less, more in ORDERED:
        if getattr(settings, less) > getattr(settings, more):
            yield Problem(_contradiction(less, more, settings))
    yield from _offered(settings)


def _without_effect(name: str, settings: Settings) -> SettingsError:
    return SettingsError(
        N_("{name}={value} has no effect without EXPLORER_PUBLIC=1; set that too, or unset it."),
        name=PREFIX + name.upper(),
        value=getattr(settings, name),
    )


def _contradiction(less: str, more: str, settings: Settings) -> SettingsError:
    return SettingsError(
        N_(
            "{less}={less_value} is never reached because {more}={more_value} is less; raise the "
            "latter or lower the former."
        ),
        less=PREFIX + less.upper(),
        less_value=getattr(settings, less),
        more=PREFIX + more.upper(),
        more_value=getattr(settings, more),
    )


def _offered(settings: Settings) -> Iterator[Problem]:
    """Patterns that match no model; where none of them does, no page could be opened."""
    wanted = patterns(settings.offered)
    idle = [one for one in wanted if not any(fnmatchcase(model, one) for model in CATALOG)]
    if len(idle) == len(wanted):
        error = SettingsError(
            N_("EXPLORER_OFFERED={value} matches no model; use “*” for all, or ids like resnet*."),
            value=settings.offered,
        )
        yield Problem(error, fatal=True)
        return
    for pattern in idle:
        error = SettingsError(
            N_("“{pattern}” in EXPLORER_OFFERED matches no model; correct it or take it out."),
            pattern=pattern,
        )
        yield Problem(error)
