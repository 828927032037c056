"""A task as it travels to a node: its large parts apart, so that each crosses the network once."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.engine.closed import refs_of

# Smaller than this, a part costs less inside the message than apart from it.
BLOB_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Parcel:
    """A pickled task without its large parts.

    Attributes:
        skeleton: The pickle, in which parts and files are named by their number.
        blobs: The large parts (uploaded images, maps), as they are.
        files: Paths of files that the task reads (a visitor's own weights), on the server's disk.
    """

    skeleton: bytes
    blobs: tuple[bytes, ...] = ()
    files: tuple[str, ...] = ()


def pack(task: Any) -> Parcel:
    """Takes a task apart."""
    files = _files_of(task)
    blobs: list[bytes] = []
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, blobs, files)
    pickler.dump(task)
    return Parcel(buffer.getvalue(), tuple(blobs), files)


def unpack(skeleton: bytes, blobs: Sequence[bytes] = (), files: Sequence[str] = ()) -> Any:
    """Puts a task together again.

    Args:
        skeleton: The pickle.
        blobs: Its large parts, in their order.
        files: Where its files lie here.
    """
    return _Unpickler(io.BytesIO(skeleton), blobs, files).load()


def _files_of(task: Any) -> tuple[str, ...]:
    found = [ref.file for ref in refs_of(task)] + [getattr(task, "file", None)]
    return tuple(dict.fromkeys(one for one in found if one and Path(one).is_file()))


class _Pickler(pickle.Pickler):
    def __init__(self, buffer: io.BytesIO, blobs: list[bytes], files: Sequence[str]) -> None:
        super().__init__(buffer, protocol=5)
        self._blobs = blobs
        self._files = files

    def persistent_id(self, found: Any) -> tuple[str, int] | None:
        """Names a large part or a file in place of pickling it."""
        if type(found) is bytes and len(found) >= BLOB_BYTES:
            self._blobs.append(found)
            return "blob", len(self._blobs) - 1
        if type(found) is str and found in self._files:
            return "file", self._files.index(found)
        if type(found) is _Apart:
            return "blob", found.number
        return None

    def reducer_override(self, found: Any) -> Any:
        """Takes the values of a large array out."""
        numpy_array = type(found).__module__ == "numpy" and type(found).__name__ == "ndarray"
        if not numpy_array or found.nbytes < BLOB_BYTES or found.dtype.hasobject:
            return NotImplemented
        self._blobs.append(found.tobytes())
        return _array, (_Apart(len(self._blobs) - 1), found.dtype.str, found.shape)


class _Apart:
    """Stands for a large part while its owner is pickled."""

    def __init__(self, number: int) -> None:
        self.number = number


def _array(data: bytes, dtype: str, shape: tuple[int, ...]) -> Any:
    import numpy as np

    # A copy, which can be written to like any other array.
    return np.frombuffer(data, np.dtype(dtype)).reshape(shape).copy()


class _Unpickler(pickle.Unpickler):
    def __init__(self, buffer: io.BytesIO, blobs: Sequence[bytes], files: Sequence[str]) -> None:
        super().__init__(buffer)
        self._parts = {"blob": blobs, "file": files}

    def persistent_load(self, name: tuple[str, int]) -> Any:
        """The part of this name."""
        kind, number = name
        return self._parts[kind][number]
