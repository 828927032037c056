from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.engine.cluster.parcels import BLOB_BYTES, pack, unpack
from explorer.engine.cluster.placing import PATIENCE_SECONDS, wants
from explorer.engine.cluster.remote import Depot
from explorer.engine.cluster.versions import differing, installed
from explorer.own_tasks import CheckOwnWeights
from explorer.requests import ExplainRequest, ModelRef
from explorer.tasks import Explain

PHOTO = bytes(range(256)) * (BLOB_BYTES // 256)


@dataclass(frozen=True)
class WithArray:
    values: Any


def again(task: Any) -> Any:
    parcel = pack(task)
    return unpack(parcel.skeleton, parcel.blobs, parcel.files)


def test_a_photo_travels_apart_from_its_task() -> None:
    task = Explain(ModelRef("lenet5"), PHOTO, ExplainRequest("saliency"))
    parcel = pack(task)
    assert parcel.blobs == (PHOTO,)
    assert parcel.blobs[0] is PHOTO  # no copy
    assert len(parcel.skeleton) < 2000
    assert unpack(parcel.skeleton, parcel.blobs) == task


def test_a_small_task_is_one_piece() -> None:
    task = Explain(ModelRef("lenet5"), PHOTO[: BLOB_BYTES - 1], ExplainRequest("saliency"))
    assert pack(task).blobs == ()
    assert again(task) == task


@pytest.mark.parametrize(
    "values",
    [
        np.arange(60_000, dtype=np.float32).reshape(200, 300),
        np.arange(60_000, dtype=np.float64).reshape(200, 300).T,
        np.array(["a", None], dtype=object),
        np.zeros(3),
    ],
    ids=["large", "not contiguous", "objects", "small"],
)
def test_arrays_come_out_as_they_went_in(values: Any) -> None:
    parcel = pack(WithArray(values))
    assert len(parcel.blobs) == (values.nbytes >= BLOB_BYTES)
    found = unpack(parcel.skeleton, parcel.blobs).values
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)
    found.flat[0] = found.flat[0]  # can be written to


def test_a_visitors_own_weights_lie_elsewhere_on_the_node(tmp_path: Path) -> None:
    file = tmp_path / "own.safetensors"
    file.write_bytes(b"weights")
    task = Explain(ModelRef("lenet5", None, str(file)), PHOTO, ExplainRequest("saliency"))
    parcel = pack(task)
    assert parcel.files == (str(file),)
    found = unpack(parcel.skeleton, parcel.blobs, ["elsewhere/own.safetensors"])
    assert found.ref.file == "elsewhere/own.safetensors"
    assert found.image == PHOTO
    assert pack(CheckOwnWeights("lenet5", str(file))).files == (str(file),)
    assert pack(CheckOwnWeights("lenet5", str(tmp_path / "gone"))).files == ()


def test_what_cannot_be_pickled_says_so_here() -> None:
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pack(WithArray(lambda: 0))


# --- the object store ---------------------------------------------------------------------------


def test_a_photo_is_put_once_while_it_is_used() -> None:
    put: list[bytes] = []

    def keep(data: bytes) -> int:
        put.append(data)
        return len(put)

    depot = Depot(keep, most=250)
    photos = [bytes([number]) * 100 for number in range(3)]
    assert [depot.place(photos[0]) for _ in range(3)] == [1, 1, 1]
    assert [depot.place(photo) for photo in photos[1:]] == [2, 3]
    assert (len(depot), depot.nbytes) == (2, 200)
    assert depot.place(photos[2]) == 3
    assert depot.place(photos[0]) == 4  # it had made room
    depot.forget()
    assert (len(depot), depot.nbytes) == (0, 0)


# --- versions -----------------------------------------------------------------------------------


def test_what_differs_is_named_with_both_versions() -> None:
    here = installed()
    assert here["torch"]
    assert differing(here, here) == []
    there = {**here, "torch": "2.0.0", "timm": ""}
    assert differing(here, there) == [("torch", here["torch"], "2.0.0"), ("timm", here["timm"], "")]


# --- which worker runs a job --------------------------------------------------------------------

POPULAR, OTHER = ModelRef("resnet50"), ModelRef("vgg16")


@dataclass
class Seat:
    free: bool = True
    networks: frozenset[ModelRef] = frozenset()


@pytest.mark.parametrize(
    ("mine", "others", "needs", "waited", "taken"),
    [
        ((), [], (POPULAR,), 0.0, True),
        ((), [], (), 0.0, True),
        ((POPULAR,), [Seat(True, frozenset({POPULAR}))], (POPULAR,), 0.0, True),
        ((), [Seat(True, frozenset({POPULAR}))], (POPULAR,), 99.0, False),
        ((), [Seat(False, frozenset({POPULAR}))], (POPULAR,), 0.0, False),
        ((), [Seat(False, frozenset({POPULAR}))], (POPULAR,), PATIENCE_SECONDS + 0.1, True),
        ((OTHER,), [Seat(False, frozenset({OTHER}))], (POPULAR,), 0.0, True),
        ((POPULAR,), [Seat(True, frozenset({POPULAR, OTHER}))], (POPULAR, OTHER), 0.0, False),
    ],
    ids=[
        "nobody has it", "needs none", "has it", "a free one has it", "a busy one has it",
        "a busy one has it and the wait was long", "others have others", "has one of two",
    ],
)  # fmt: skip
def test_a_job_goes_where_its_network_is(
    mine: tuple[ModelRef, ...],
    others: list[Seat],
    needs: tuple[ModelRef, ...],
    waited: float,
    taken: bool,
) -> None:
    assert wants(Seat(True, frozenset(mine)), others, needs, waited) is taken
