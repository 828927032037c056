"""What one visitor, one address and all together may ask of a public server.

Counts and times only: no thread, no process. Addresses are kept as keyed hashes, for a minute.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

from explorer.errors import ExplorerError, LimitError
from explorer.i18n import N_
from explorer.settings import Settings

WINDOW_SECONDS = 60.0
# Visitors and addresses whose last minute is remembered. Who comes as the next one displaces the
# one who has been silent for longest, and that one begins a new minute.
REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a public server takes; each is the most that is still allowed.

    Attributes:
        jobs_per_owner: Jobs of one owner that wait or run.
        jobs: Jobs that wait or run in all.
        job_seconds: For which a job may run.
        jobs_per_minute: New jobs of one owner within any 60 s.
        jobs_per_minute_per_address: The same of all visitors of one network address.
        batch: Images at once in a timing.
    """

    jobs_per_owner: int
    jobs: int
    job_seconds: float
    jobs_per_minute: int
    jobs_per_minute_per_address: int
    batch: int


def limits_of(settings: Settings) -> Limits | None:
    """The limits of public mode; None outside of it."""
    if not settings.public:
        return None
    return Limits(
        jobs_per_owner=settings.max_jobs_per_visitor,
        jobs=settings.max_jobs,
        job_seconds=settings.max_job_seconds,
        jobs_per_minute=settings.jobs_per_minute,
        jobs_per_minute_per_address=settings.jobs_per_minute_per_address,
        batch=settings.max_batch,
    )


class SlidingWindow:
    """When each name began something within the last minute.

    Args:
        clock: Seconds.
        most: Beginnings of one name within any ``WINDOW_SECONDS``.
        remembered: Names that are kept at most.
    """

    def __init__(self, clock: Callable[[], float], most: int, remembered: int = REMEMBERED) -> None:
        self._clock = clock
        self._most = most
        self._remembered = remembered
        self._begun: OrderedDict[bytes, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._begun)

    def wait(self, name: bytes) -> float:
        """Seconds until this name may begin the next one; 0 for now."""
        now = self._clock()
        begun = self._begun.get(name)
        if begun is None:
            return 0.0
        # A clock that was set back leaves times in the future: they say nothing and are dropped.
        recent = deque(at for at in begun if 0 <= now - at < WINDOW_SECONDS)
        if not recent:
            del self._begun[name]
            return 0.0
        self._begun[name] = recent
        return 0.0 if len(recent) < self._most else WINDOW_SECONDS - (now - recent[0])

    def note(self, name: bytes) -> None:
        """Says that this name begins one now."""
        self._begun.setdefault(name, deque()).append(self._clock())
        self._begun.move_to_end(name)
        while len(self._begun) > self._remembered:
            self._begun.popitem(last=False)


class Gate:
    """Decides whether a new job is taken. Callers hold the board's lock.

    Args:
        limits: What is allowed.
        clock: Seconds, monotonic.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self._owners = SlidingWindow(clock, limits.jobs_per_minute)
        self._addresses = SlidingWindow(clock, limits.jobs_per_minute_per_address)
        self._secret = secrets.token_bytes(16)

    def refusal(
        self, label: str, owner: str, address: str, own: int, total: int
    ) -> ExplorerError | None:
        """Why a new job is not taken; None when it is, which ``admit`` then notes.

        Args:
            label: What was to be done, in words.
            owner: Who asks.
            address: Network address; "" where it is not known, which has no limit of its own.
            own: Jobs that this owner has waiting and running.
            total: Jobs that wait and run.
        """
        limits = self.limits
        if own >= limits.jobs_per_owner:
            return LimitError(
                N_(
                    "“{task}” was not begun: {most} of your jobs wait or run, as many as one "
                    "visitor may have on this server; wait for one or cancel one, then try again."
                ),
                task=label,
                most=limits.jobs_per_owner,
            )
        if total >= limits.jobs:
            return LimitError(
                N_(
                    "“{task}” was not begun: {most} jobs wait or run, as many as this server "
                    "takes; try again in a minute."
                ),
                task=label,
                most=limits.jobs,
            )
        wait = self._owners.wait(self._name(owner))
        if wait > 0:
            return LimitError(
                N_(
                    "“{task}” was not begun: one visitor may begin {most} jobs a minute on this "
                    "server; try again in {seconds} s."
                ),
                task=label,
                most=limits.jobs_per_minute,
                seconds=math.ceil(wait),
            )
        wait = self._addresses.wait(self._name(address)) if address else 0.0
        if wait > 0:
            return LimitError(
                N_(
                    "“{task}” was not begun: {most} jobs a minute may be begun from one network "
                    "address, which you may share with others; try again in {seconds} s."
                ),
                task=label,
                most=limits.jobs_per_minute_per_address,
                seconds=math.ceil(wait),
            )
        return None

    def admit(self, owner: str, address: str) -> None:
        """Counts a job that is taken."""
        self._owners.note(self._name(owner))
        if address:
            self._addresses.note(self._name(address))

    def _name(self, text: str) -> bytes:
        # Keyed with what only this process knows, so that no one can try all addresses later.
        return hashlib.blake2b(text.encode(), key=self._secret, digest_size=16).digest()


def too_long(label: str, most: float) -> LimitError:
    """What the owners of a job are told that ran for longer than ``most`` seconds."""
    return LimitError(
        N_(
            "“{task}” was stopped because a job may run for {most} s on this server; choose a "
            "smaller model or cheaper options, or run it on your own machine (README)."
        ),
        task=label,
        most=f"{most:g}",
    )
