"""Own weights before anything is allocated: each broken file is one sentence, soon and small."""

from __future__ import annotations

import json
import pickle
import struct
import time
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from explorer.errors import OwnWeightsError
from explorer.own_weights import CONVERT, PickleRefusedError, check_header, refuse_foreign

SECONDS, MEBIBYTES = 1.0, 100


def packed(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    """A file with this header, which may claim another length than it has."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(start: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def many(count: int) -> bytes:
    """Tensors without elements, so that the file needs no data."""
    return packed({f"t{number}": tensor(0, 0, [0]) for number in range(count)})


GOOD = save({"a": np.zeros((2, 3), np.float32), "b": np.ones(4, np.float16)})
TWICE = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},' + (
    b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
)
BAD = {
    "empty": (b"", "too few for a safetensors file"),
    "seven bytes": (b"\0" * 7, "too few for a safetensors file"),
    "length only": (struct.pack("<Q", 0), "not JSON"),
    "header of no bytes": (packed(b"", b"\0" * 100), "not JSON"),
    "length beyond the end": (packed({"a": tensor(0, 4, [1])}, b"\0" * 4, 10**6), "claims"),
    "length of 2**63": (packed(b"{}", length=2**63), "claims"),
    "length of 2**64-1": (packed(b"{}", length=2**64 - 1), "claims"),
    "length one short": (packed({"a": tensor(0, 4, [1])}, b"\0" * 4, 20), "not JSON"),
    "header too long": (packed(b"{" + b" " * (9 * 2**20) + b"}"), "more than the"),
    "no JSON": (packed(b"not json at all"), "not JSON"),
    "a list": (packed([1, 2]), "not JSON"),
    "a number": (packed(5), "not JSON"),
    "nested without end": (packed(b"[" * 100_000), "not JSON"),
    "bytes that are no text": (packed(b'{"\xff\xfe": 1}'), "not JSON"),
    "no tensors": (packed({"__metadata__": {"a": "b"}}), "holds no tensors"),
    "20,001 tensors": (many(20_001), "claims 20,001 tensors"),
    "100,000 tensors": (many(100_000), "claims 100,000 tensors"),
    # A thousand million headers would be 60 GB: the length that claims them is the lie.
    "10**9 tensors": (packed(b'{"t0":{"dtype":"F32"', length=60 * 10**9), "claims 60,000,000,000"),
    "10**9 elements": (packed({"a": tensor(0, 4, [10**9])}, b"\0" * 4), "no sound"),
    "shape that overflows": (packed({"a": tensor(0, 4, [2**62, 2**62])}, b"\0" * 4), "no sound"),
    "negative shape": (packed({"a": tensor(0, 4, [-1])}, b"\0" * 4), "no sound"),
    "overlapping": (
        packed({"a": tensor(0, 8, [2]), "b": tensor(4, 12, [2])}, b"\0" * 12),
        "no sound",
    ),
    "a hole": (packed({"a": tensor(0, 4, [1]), "b": tensor(8, 12, [1])}, b"\0" * 12), "no sound"),
    "out of range": (packed({"a": tensor(0, 400, [100])}, b"\0" * 4), "no sound"),
    "backwards": (packed({"a": tensor(8, 4, [1])}, b"\0" * 8), "no sound"),
    "negative offsets": (packed({"a": tensor(-4, 0, [1])}, b"\0" * 4), "no sound"),
    "more data than named": (packed({"a": tensor(0, 4, [1])}, b"\0" * 400), "no sound"),
    "unknown dtype": (packed({"a": tensor(0, 4, [1], "OBJECT")}, b"\0" * 4), "no sound"),
    "wrong length for the shape": (packed({"a": tensor(0, 4, [3])}, b"\0" * 4), "no sound"),
    "no dtype": (packed({"a": {"shape": [1], "data_offsets": [0, 4]}}, b"\0" * 4), "no sound"),
    "the same name twice": (packed(TWICE, b"\0" * 4), "names the tensor “a” twice"),
    "cut off by one": (GOOD[:-1], "no sound"),
    "cut off in the header": (GOOD[:20], "cut off"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_broken_file_is_one_sentence_soon_and_small(tmp_path: Path, name: str) -> None:
    data, said = BAD[name]
    path = tmp_path / "own.safetensors"
    path.write_bytes(data)
    # Generous for the clock of a busy machine: the refusal itself takes milliseconds.
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(OwnWeightsError) as caught:
            check_header(path)
        taken, (_now, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    text = str(caught.value)
    assert said in text
    assert "\n" not in text
    assert str(tmp_path) not in text
    assert taken < SECONDS * 3  # tracemalloc alone makes Python three times slower
    assert peak < MEBIBYTES * 2**20


def test_a_sound_file_passes(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    path.write_bytes(GOOD)
    assert check_header(path) == 2
    path.write_bytes(many(20_000))
    began = time.process_time()
    assert check_header(path) == 20_000
    assert time.process_time() - began < SECONDS


def refuse_and_check(name: str, data: bytes, path: Path) -> None:
    """What a session's folder does with an upload."""
    refuse_foreign(name, data[:16])
    check_header(path)


class Planted:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["own.safetensors", "own.pt", "own.bin", "own"])
def test_a_planted_pickle_is_not_run(tmp_path: Path, name: str, protocol: int) -> None:
    sprung = tmp_path / "sprung"
    data = pickle.dumps(Planted(sprung), protocol)
    path = tmp_path / "weights"
    path.write_bytes(data)
    with pytest.raises(OwnWeightsError):
        refuse_and_check(name, data, path)
    assert not sprung.exists()
    pickle.loads(data)  # the trap works
    assert sprung.exists()


@pytest.mark.parametrize("name", ["a.pt", "a.PTH", "b.bin", "c.ckpt", "d.pkl"])
def test_a_pickle_by_name_says_how_to_convert(name: str) -> None:
    with pytest.raises(PickleRefusedError, match="convert it to safetensors"):
        refuse_foreign(name, b"\0" * 16)


@pytest.mark.parametrize("name", ["net.onnx", "net.pt2"])
def test_a_program_is_not_run(name: str) -> None:
    with pytest.raises(OwnWeightsError, match="a whole program, which is not run"):
        refuse_foreign(name, b"\0" * 16)


def test_an_archive_of_torch_under_a_false_name() -> None:
    with pytest.raises(PickleRefusedError, match=r"archive as torch\.save writes it"):
        refuse_foreign("a.safetensors", b"PK\x03\x04" + b"\0" * 12)


def test_the_command_converts(tmp_path: Path) -> None:
    import shlex
    import subprocess
    import sys

    import torch

    torch.save({"state_dict": {"a": torch.ones(2, 3).t()}}, tmp_path / "weights.pt")
    words = shlex.split(CONVERT)
    assert words[:2] == ["python", "-c"]
    subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, check=True)
    assert check_header(tmp_path / "weights.safetensors") == 1
