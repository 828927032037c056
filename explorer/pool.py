"""Loaded models under a byte budget: least recently used goes first, one in use never."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from explorer.catalog import find, find_weights
from explorer.catalog.spec import ModelSpec
from explorer.device import free_memory, pick_device
from explorer.downloads import ProgressCallback
from explorer.errors import ModelTooLargeError
from explorer.i18n import N_
from explorer.memory import give_back
from explorer.requests import ModelRef
from explorer.settings import get_settings
from explorer.weights import own_weights_spec
from explorer.zoo import LoadedModel, load, load_own

Loader = Callable[[ModelSpec, str | None, torch.device, ProgressCallback | None], LoadedModel]
BUDGET_SHARE = 1 / 3
_POLL_SECONDS = 0.2

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Entry:
    """One model of the pool.

    Attributes:
        lock: Held while the model is loaded or used.
        users: Threads that hold or wait for the lock; above 0 it is pinned.
        nbytes: What it counts against the budget; an estimate until it is loaded.
        loaded: None until it is.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    users: int = 0
    nbytes: int = 0
    loaded: LoadedModel | None = None


class ModelPool:
    """Keeps networks loaded, as many as the budget allows.

    Args:
        budget_bytes: Of parameters and buffers of all loaded models; None for the setting
            ``EXPLORER_MODEL_BUDGET``, or else a third of the device's free memory.
        loader: What loads a model; ``explorer.zoo.load``.
        device: Where models run; None for the setting ``EXPLORER_DEVICE``.
    """

    def __init__(
        self,
        budget_bytes: int | None = None,
        loader: Loader = load,
        device: torch.device | str | None = None,
    ) -> None:
        settings = get_settings()
        self.device = pick_device(settings.device) if device is None else torch.device(device)
        budget = budget_bytes if budget_bytes is not None else settings.model_budget
        if budget is None:
            budget = int(free_memory(self.device) * BUDGET_SHARE)
        self.budget_bytes = budget
        self._loader = loader
        self._entries: OrderedDict[ModelRef, _Entry] = OrderedDict()
        self._changed = threading.Condition()
        self._held = threading.local()

    @property
    def resident(self) -> tuple[tuple[ModelRef, int], ...]:
        """Loaded models and their bytes, least recently used first."""
        with self._changed:
            return tuple((r, e.nbytes) for r, e in self._entries.items() if e.loaded is not None)

    @contextmanager
    def use(self, ref: ModelRef, progress: ProgressCallback | None = None) -> Iterator[LoadedModel]:
        """The model, loaded first where it is not, under its lock and safe from eviction.

        A thread that finds the budget taken by models that others use waits for them. One that
        itself uses a model meanwhile does not wait (two such threads would wait for each other
        forever): it is refused.

        Args:
            ref: What to load.
            progress: Called with (bytes done, bytes in all or None) during a download and while
                waiting; what it raises cancels.

        Raises:
            ModelTooLargeError: It is larger than the budget, or than what this thread leaves of it.
            UnknownModelError: No such model.
            UnknownWeightsError: No such weights.
            WeightsUnavailableError: They could not be had.
        """
        spec = find(ref.model)
        entry = self._pin(ref)
        try:
            while not entry.lock.acquire(timeout=_POLL_SECONDS):
                if progress is not None:
                    progress(0, None)
            try:
                if entry.loaded is None:
                    self._load(ref, spec, entry, progress)
                assert entry.loaded is not None
                self._held.count = self._holding + 1
                try:
                    yield entry.loaded
                finally:
                    self._held.count = self._holding - 1
            finally:
                entry.lock.release()
        finally:
            self._unpin(ref, entry)

    def clear(self) -> None:
        """Unloads every model that is not in use."""
        with self._changed:
            for ref in [ref for ref, entry in self._entries.items() if entry.users == 0]:
                del self._entries[ref]
        release_memory(self.device)

    @property
    def _holding(self) -> int:
        """Models that the calling thread uses at this moment."""
        count: int = getattr(self._held, "count", 0)
        return count

    def _pin(self, ref: ModelRef) -> _Entry:
        with self._changed:
            entry = self._entries.setdefault(ref, _Entry())
            entry.users += 1
            self._entries.move_to_end(ref)
            return entry

    def _unpin(self, ref: ModelRef, entry: _Entry) -> None:
        with self._changed:
            entry.users -= 1
            if entry.users == 0 and entry.loaded is None and self._entries.get(ref) is entry:
                del self._entries[ref]
            self._changed.notify_all()

    def _load(
        self, ref: ModelRef, spec: ModelSpec, entry: _Entry, progress: ProgressCallback | None
    ) -> None:
        estimate = expected_bytes(spec, None if ref.file else ref.weights)
        self._reserve(spec, entry, estimate, progress)
        try:
            if ref.file:
                loaded = load_own(spec, own_weights_spec(spec, ref.weights, ref.file), self.device)
            else:
                loaded = self._loader(spec, ref.weights, self.device, progress)
            # Buffers are counted now; most often below one percent more than the estimate.
            self._reserve(spec, entry, loaded.nbytes, progress)
            entry.loaded = loaded
        finally:
            if entry.loaded is None:
                with self._changed:
                    entry.nbytes = 0
                    self._changed.notify_all()

    def _reserve(
        self, spec: ModelSpec, entry: _Entry, wanted: int, progress: ProgressCallback | None
    ) -> None:
        """Counts ``wanted`` bytes for the entry, after unloading what must go for them."""
        if wanted > self.budget_bytes:
            raise ModelTooLargeError(
                N_(
                    "{model} takes {size} MB, more than the budget of {budget} MB for loaded "
                    "models; choose a smaller model or raise EXPLORER_MODEL_BUDGET."
                ),
                model=spec.name,
                size=f"{wanted / 1e6:.1f}",
                budget=f"{self.budget_bytes / 1e6:.1f}",
            )
        while True:
            with self._changed:
                evicted = self._evict(wanted - entry.nbytes)
                free = self.budget_bytes - self._total()
                fits = wanted - entry.nbytes <= free
                if fits:
                    entry.nbytes = wanted
                elif self._holding:
                    raise ModelTooLargeError(
                        N_(
                            "{model} takes {size} MB, but the models in use leave {free} MB of the "
                            "budget of {budget} MB; choose smaller models or raise "
                            "EXPLORER_MODEL_BUDGET."
                        ),
                        model=spec.name,
                        size=f"{wanted / 1e6:.1f}",
                        free=f"{max(free + entry.nbytes, 0) / 1e6:.1f}",
                        budget=f"{self.budget_bytes / 1e6:.1f}",
                    )
                elif not evicted:
                    self._changed.wait(_POLL_SECONDS)
            if evicted:
                release_memory(self.device)
            if fits:
                return
            if progress is not None:
                progress(0, None)

    def _total(self) -> int:
        return sum(entry.nbytes for entry in self._entries.values())

    def _evict(self, wanted: int) -> bool:
        """Unloads least recently used models until ``wanted`` more bytes fit; whether any went."""
        gone: list[tuple[ModelRef, _Entry]] = []
        for ref, entry in self._entries.items():
            if self._total() - sum(e.nbytes for _, e in gone) + wanted <= self.budget_bytes:
                break
            if entry.users == 0:
                gone.append((ref, entry))
        for ref, entry in gone:
            _log.info("unloading %s (%d bytes)", ref, entry.nbytes)
            del self._entries[ref]
        return bool(gone)


def expected_bytes(spec: ModelSpec, weights_id: str | None) -> int:
    """Bytes of a model's fp32 parameters by the catalog, without its buffers."""
    params = spec.params
    if weights_id is not None:
        params = find_weights(spec, weights_id).params or params
    return 4 * (params + spec.aux_params)


def release_memory(device: torch.device) -> None:
    """Gives the memory of models that were let go back to the system."""
    give_back()
    if device.type in {"cuda", "mps"}:
        torch.accelerator.empty_cache()
