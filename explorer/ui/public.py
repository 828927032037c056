"""What public mode leaves of the controls' values; the engine refuses the rest by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from explorer.settings import get_settings


def largest_batch(otherwise: int) -> int:
    """Images at once in a timing; ``otherwise`` outside of public mode."""
    settings = get_settings()
    return min(settings.max_batch, otherwise) if settings.public else otherwise


def allowed_batches(sizes: Sequence[str]) -> list[str]:
    """The sizes that may be timed here; where none may, the largest that is allowed."""
    settings = get_settings()
    if not settings.public:
        return list(sizes)
    kept = [size for size in sizes if int(size) <= settings.max_batch]
    return kept or [str(settings.max_batch)]


def allowed_seconds(choices: Sequence[str]) -> list[str]:
    """The shortest and all that leave a job half of its time for loading and warm-up."""
    settings = get_settings()
    if not settings.public:
        return list(choices)
    most = settings.max_job_seconds / 2
    return [choice for place, choice in enumerate(choices) if place == 0 or float(choice) <= most]


def too_dear(seconds: float) -> bool:
    """Whether a job of this estimated length is not begun here, because it would be stopped."""
    settings = get_settings()
    return settings.public and seconds > settings.max_job_seconds


def when_opened() -> Literal["ignore", "rerun"]:
    """``on_change`` of a popover or expander whose content a crowd need not pay for.

    In public mode the content is made when somebody opens it: ask ``.open is not False``.
    """
    return "rerun" if get_settings().public else "ignore"
