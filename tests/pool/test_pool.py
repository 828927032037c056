"""Loaded models under a budget: what goes, what stays, who waits."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import torch
from torch import nn

from explorer.catalog import CATALOG, find
from explorer.catalog.spec import ModelSpec
from explorer.downloads import ProgressCallback
from explorer.errors import (
    JobCancelled,
    ModelTooLargeError,
    UnknownModelError,
    UnknownWeightsError,
    WeightsUnavailableError,
)
from explorer.pool import ModelPool, expected_bytes
from explorer.requests import ModelRef
from explorer.settings import Settings
from explorer.zoo import LoadedModel

# Untrained networks between 4 and 6 million parameters: any three fit where any four may not.
NAMES = [
    name
    for name, spec in CATALOG.items()
    if spec.source == "torchvision" and 4_000_000 < spec.params + spec.aux_params < 6_000_000
]
A, B, C, D = (ModelRef(name) for name in NAMES[:4])


def size(ref: ModelRef) -> int:
    return expected_bytes(find(ref.model), ref.weights)


@dataclass
class Loader:
    """Makes modules of the declared size without memory behind them, and notes who was asked for.

    Attributes:
        extra: Bytes of buffers that the catalog does not know of.
        during: Called while a model is loaded.
    """

    extra: int = 0
    during: Callable[[ModelRef], None] = lambda ref: None
    loads: list[ModelRef] = field(default_factory=list)
    modules: list[weakref.ref[nn.Module]] = field(default_factory=list)

    def __call__(
        self,
        spec: ModelSpec,
        weights_id: str | None,
        device: torch.device,
        progress: ProgressCallback | None,
    ) -> LoadedModel:
        ref = ModelRef(spec.id, weights_id)
        self.loads.append(ref)
        self.during(ref)
        module = nn.Identity()
        module.itself = [module]  # a circle, as hooks make them
        self.modules.append(weakref.ref(module))
        nbytes = size(ref) + self.extra
        return LoadedModel(spec, None, module, device, spec.preprocessing, (), nbytes)


@pytest.fixture
def loader() -> Loader:
    return Loader()


def make_pool(loader: Loader, *refs: ModelRef) -> ModelPool:
    """A pool with room for exactly these models."""
    return ModelPool(sum(size(ref) for ref in refs), loader, "cpu")


def touch(pool: ModelPool, *refs: ModelRef) -> None:
    for ref in refs:
        with pool.use(ref):
            pass


def residents(pool: ModelPool) -> list[ModelRef]:
    return [ref for ref, _ in pool.resident]


def test_a_model_is_loaded_once_and_kept(loader: Loader) -> None:
    pool = make_pool(loader, A, B)
    with pool.use(A) as first, pool.use(A) as again:
        assert first is again
        assert first.spec.id == A.model
    touch(pool, A, B, A)
    assert loader.loads == [A, B]
    assert pool.resident == ((B, size(B)), (A, size(A)))


def test_trained_and_untrained_are_two_models(loader: Loader) -> None:
    trained = ModelRef(A.model, find(A.model).weights[0].id)
    pool = make_pool(loader, A, trained)
    touch(pool, A, trained, A)
    assert loader.loads == [A, trained]


def test_least_recently_used_goes_first(loader: Loader) -> None:
    pool = ModelPool(3 * 4 * 6_000_000, loader, "cpu")
    touch(pool, A, B, C)
    touch(pool, A)  # B is now the oldest
    pool.budget_bytes = size(A) + size(C) + size(D)
    touch(pool, D)
    assert residents(pool) == [C, A, D]
    touch(pool, B)
    assert B in residents(pool)
    assert C not in residents(pool)
    assert loader.loads == [A, B, C, D, B]


def test_evicted_modules_are_gone(loader: Loader) -> None:
    gc.disable()  # so that it is the pool that collects the circle
    try:
        pool = make_pool(loader, A)
        pool.budget_bytes = max(size(A), size(B))
        touch(pool, A, B)
        assert loader.modules[0]() is None
        assert loader.modules[1]() is not None
        pool.clear()
        assert loader.modules[1]() is None
        assert pool.resident == ()
    finally:
        gc.enable()


def test_one_in_use_is_never_evicted(loader: Loader) -> None:
    pool = ModelPool(3 * 4 * 6_000_000, loader, "cpu")
    with pool.use(A) as loaded:
        touch(pool, B, C)
        pool.budget_bytes = size(A) + max(size(B), size(C), size(D))
        touch(pool, B, C, D, B, C, D)
        assert residents(pool) == [A, D]
        with pool.use(A) as again:
            assert again is loaded
    assert loader.loads.count(A) == 1


def test_clear_leaves_what_is_in_use(loader: Loader) -> None:
    pool = make_pool(loader, A, B)
    with pool.use(A):
        touch(pool, B)
        pool.clear()
        assert residents(pool) == [A]


def test_larger_than_the_budget_is_refused_before_loading(loader: Loader) -> None:
    pool = ModelPool(30_000_000, loader, "cpu")
    with pytest.raises(ModelTooLargeError) as caught, pool.use(ModelRef("resnet50")):
        pass
    text = str(caught.value)
    assert "102.2 MB" in text  # 25,557,032 published parameters · 4 bytes
    assert "30.0 MB" in text
    assert "EXPLORER_MODEL_BUDGET" in text
    assert loader.loads == []
    touch(pool, A)  # still usable


def test_buffers_count_once_they_are_known() -> None:
    loader = Loader(extra=1_000)
    pool = ModelPool(size(A) + 999, loader, "cpu")
    with pytest.raises(ModelTooLargeError), pool.use(A):
        pass
    assert pool.resident == ()
    pool.budget_bytes += 1
    touch(pool, A)
    assert pool.resident == ((A, size(A) + 1_000),)
    pool.budget_bytes = size(A) + size(B) + 1_999
    touch(pool, B)
    assert residents(pool) == [B]


def test_a_thread_that_holds_one_is_refused_instead_of_waiting_for_itself(loader: Loader) -> None:
    pool = make_pool(loader, A)
    pool.budget_bytes = max(size(A), size(B))
    with pool.use(A), pytest.raises(ModelTooLargeError, match="in use leave"), pool.use(B):
        pass
    touch(pool, B)
    assert residents(pool) == [B]


def test_another_thread_waits_until_there_is_room(loader: Loader) -> None:
    pool = make_pool(loader, A)
    pool.budget_bytes = max(size(A), size(B))
    waiting, got = threading.Event(), threading.Event()

    def other() -> None:
        with pool.use(B, progress=lambda *_: waiting.set()):
            got.set()

    thread = threading.Thread(target=other)
    with pool.use(A):
        thread.start()
        assert waiting.wait(10)
        assert not got.is_set()
        assert residents(pool) == [A]
    thread.join(10)
    assert got.is_set()
    assert residents(pool) == [B]


def test_eight_threads_load_one_model_once() -> None:
    barrier = threading.Barrier(8)
    inside: list[int] = []
    most: list[int] = []
    loader = Loader(during=lambda _ref: time.sleep(0.1))  # time for all to arrive
    pool = make_pool(loader, A)

    def work() -> None:
        barrier.wait(10)
        with pool.use(A) as loaded:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.005)
            inside.pop()
            found.append(loaded)

    found: list[LoadedModel] = []
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert loader.loads == [A]
    assert len(found) == 8
    assert len({id(loaded) for loaded in found}) == 1
    assert max(most) == 1  # one lock per model


def test_different_models_are_used_at_the_same_time(loader: Loader) -> None:
    pool = make_pool(loader, A, B)
    both = threading.Barrier(2)

    def work(ref: ModelRef) -> None:
        with pool.use(ref):
            both.wait(10)  # breaks if one had to wait for the other

    threads = [threading.Thread(target=work, args=(ref,)) for ref in (A, B)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not both.broken
    assert sorted(residents(pool), key=str) == sorted([A, B], key=str)


@pytest.mark.slow
def test_many_threads_and_models_stay_within_the_budget(loader: Loader) -> None:
    refs = [ModelRef(name) for name in NAMES[:6]]
    pool = ModelPool(sum(sorted(size(ref) for ref in refs)[-2:]), loader, "cpu")
    totals: list[int] = []
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for step in range(4):
                with pool.use(refs[(seed * 5 + step * (seed + 1)) % len(refs)]):
                    totals.append(sum(nbytes for _, nbytes in pool.resident))
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert len(totals) == 6 * 4
    assert max(totals) <= pool.budget_bytes


def test_a_failed_load_leaves_nothing_and_the_next_try_loads() -> None:
    def fail_once(ref: ModelRef) -> None:
        if len(loader.loads) == 1:
            raise WeightsUnavailableError("gone")

    loader = Loader(during=fail_once)
    pool = make_pool(loader, A)
    with pytest.raises(WeightsUnavailableError), pool.use(A):
        pass
    assert pool.resident == ()
    touch(pool, A)
    assert residents(pool) == [A]


def test_an_error_in_the_block_unpins(loader: Loader) -> None:
    pool = make_pool(loader, A)
    pool.budget_bytes = max(size(A), size(B))
    with pytest.raises(ZeroDivisionError), pool.use(A):
        raise ZeroDivisionError
    touch(pool, B)
    assert residents(pool) == [B]


def test_cancel_while_waiting_for_the_lock(loader: Loader) -> None:
    pool = make_pool(loader, A)
    cancelled = threading.Event()

    def cancel(done: int, total: int | None) -> None:
        raise JobCancelled("cancelled")

    def other() -> None:
        try:
            with pool.use(A, progress=cancel):
                pass
        except JobCancelled:
            cancelled.set()

    thread = threading.Thread(target=other)
    with pool.use(A):
        thread.start()
        thread.join(10)
        assert cancelled.is_set()
    touch(pool, A)
    assert loader.loads == [A]


def test_unknown_model_and_weights(loader: Loader) -> None:
    pool = make_pool(loader, A)
    with pytest.raises(UnknownModelError), pool.use(ModelRef("nope")):
        pass
    with pytest.raises(UnknownWeightsError), pool.use(ModelRef(A.model, "nope")):
        pass
    assert pool.resident == ()


def test_budget_from_the_settings_or_a_third_of_free_memory(
    loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.pool.get_settings", lambda: Settings(device="cpu"))
    monkeypatch.setattr("explorer.pool.free_memory", lambda device: 3_000_000_000)
    assert ModelPool(loader=loader).budget_bytes == 1_000_000_000
    found = Settings(device="cpu", model_budget=12_345)
    monkeypatch.setattr("explorer.pool.get_settings", lambda: found)
    pool = ModelPool(loader=loader)
    assert pool.budget_bytes == 12_345
    assert pool.device == torch.device("cpu")
    assert ModelPool(99, loader).budget_bytes == 99


def test_trained_weights_are_counted_with_their_own_head() -> None:
    spec = find("googlenet")
    # 6,624,904 published without the auxiliary heads, which are built too.
    assert expected_bytes(spec, None) == 4 * (6_624_904 + spec.aux_params)
    assert expected_bytes(find("resnet50"), "IMAGENET1K_V2") == 4 * 25_557_032


@pytest.mark.gpu
def test_memory_of_the_gpu_is_returned() -> None:
    from explorer.device import pick_device

    device = pick_device("auto")
    pool = ModelPool(110_000_000, device=device)
    with pool.use(ModelRef("resnet50")):
        pass
    if device.type == "cuda":
        torch.cuda.synchronize()
        first = torch.cuda.memory_allocated(device)
        assert first >= 102_000_000
        with pool.use(ModelRef("resnext50_32x4d")):
            assert torch.cuda.memory_allocated(device) < first * 1.15
    pool.clear()
    assert pool.resident == ()
