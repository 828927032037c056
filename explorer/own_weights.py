"""A visitor's own weights: is the file a safetensors file at all, and where it lies meanwhile.

Nothing is allocated for the tensors here, and nothing of the file is run: a header is read and
compared with the file's length. What ``safetensors`` itself checks is left to it; checked before
are sizes that would cost memory to refuse, and what it lets pass: names that come twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import shutil
import struct
import weakref
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from safetensors import SafetensorError, safe_open

from explorer.errors import OwnWeightsError
from explorer.i18n import N_
from explorer.settings import get_settings

_log = logging.getLogger(__name__)
MAX_HEADER = 8 * 2**20  # the largest network of timm needs under 0.5 MB
MAX_TENSORS = 20_000
MOST_FILES = 3  # of one session
TOTAL_FILES = 4  # times the largest file: what all sessions' files may take together

# One command, of fixed text: what a visitor named a file never comes into a command line.
CONVERT = (
    'python -c "import torch, safetensors.torch as s; '
    "w = torch.load('weights.pt', map_location='cpu', weights_only=True); "
    "w = w.get('state_dict', w); "
    "s.save_file({k: v.contiguous().clone() for k, v in w.items()}, 'weights.safetensors')\""
)
_PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
_PROGRAMS = (".onnx", ".pt2", ".pte", ".tflite", ".pb")
FILE_TYPES = ("safetensors", *(ending[1:] for ending in (*_PICKLES, *_PROGRAMS)))
"""What the uploader takes: the others too, so that they are refused with a sentence."""


@dataclass(frozen=True, slots=True)
class OwnWeights:
    """A file that was checked and lies in the session's folder.

    Attributes:
        id: "own-" and the first digits of the hash of its content.
        name: What the visitor called it, for display.
        path: Where it lies.
        tensors: How many it holds.
    """

    id: str
    name: str
    path: str
    tensors: int


class PickleRefusedError(OwnWeightsError):
    """The file may hold a pickle; ``CONVERT`` says how it becomes a safetensors file."""


def refuse_foreign(name: str, head: bytes) -> None:
    """Refuses what is no safetensors file by its name or by how it begins.

    Args:
        name: The file's name.
        head: Its first bytes.

    Raises:
        OwnWeightsError: It is of another kind.
    """
    ending = Path(name.lower()).suffix
    # Pickles begin with the protocol's opcode, torch's files are zip archives or tar archives.
    if ending in _PICKLES or head[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        raise PickleRefusedError(
            N_(
                "“{name}” may hold a pickle, which can run code when it is opened; convert it to "
                "safetensors on your own machine with the command below."
            ),
            name=name[:60],
        )
    if ending in _PROGRAMS:
        raise OwnWeightsError(
            N_(
                "“{name}” is a whole program, which is not run here; save the network's weights as "
                "a .safetensors file."
            ),
            name=name[:60],
        )
    if head[:4] == b"PK\x03\x04":
        raise PickleRefusedError(
            N_(
                "“{name}” is an archive as torch.save writes it, with a pickle inside; convert it "
                "to safetensors on your own machine with the command below."
            ),
            name=name[:60],
        )


def check_header(path: Path) -> int:
    """Whether a file is a whole safetensors file; reads its header and nothing else.

    Returns:
        The number of its tensors.

    Raises:
        OwnWeightsError: It is not; one sentence with what is wrong.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(8)
        if len(first) < 8:
            raise OwnWeightsError(
                N_("The file has {size} bytes, too few for a safetensors file; choose another."),
                size=size,
            )
        (length,) = struct.unpack("<Q", first)
        if length > size - 8:
            raise OwnWeightsError(
                N_(
                    "The file is no safetensors file or is cut off: its header claims {length:,} "
                    "bytes of {size:,}; save it again."
                ),
                length=length, size=size,
            )  # fmt: skip
        if length > MAX_HEADER:
            raise OwnWeightsError(
                N_("The file's header has {length:,} bytes, more than the {limit:,} allowed."),
                length=length, limit=MAX_HEADER,
            )  # fmt: skip
        header = file.read(length)
    names = _names(header)
    if not names:
        raise OwnWeightsError(N_("The file holds no tensors; save the network's state dict."))
    if len(names) > MAX_TENSORS:
        raise OwnWeightsError(
            N_("The file claims {count:,} tensors, more than the {limit:,} allowed."),
            count=len(names), limit=MAX_TENSORS,
        )  # fmt: skip
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise OwnWeightsError(
            N_("The file's header names the tensor “{name}” twice; save it again."),
            name=twice[:60],
        )
    try:
        # Offsets (order, gaps, overlaps, end), dtypes, and shapes against lengths.
        with safe_open(path, framework="np"):
            pass
    except (SafetensorError, ValueError, OSError, OverflowError) as error:
        _log.info("own weights refused: %s", error)
        raise OwnWeightsError(
            N_("The file is no sound safetensors file ({reason}); save it again."),
            reason=str(error).removeprefix("Error while deserializing header: ")[:120],
        ) from error
    return len(names)


def _names(header: bytes) -> list[str]:
    """The tensors' names as they stand, also those that come twice."""
    outermost: list[tuple[str, Any]] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal outermost
        outermost = pairs  # objects are closed from the inside: the last one is the whole
        return {}

    try:
        whole = json.loads(header, object_pairs_hook=keep)
    except (ValueError, RecursionError) as error:
        raise OwnWeightsError(
            N_("The file is no safetensors file: its header is not JSON; choose another.")
        ) from error
    if not isinstance(whole, dict):
        raise OwnWeightsError(
            N_("The file is no safetensors file: its header is not JSON; choose another.")
        )
    return [name for name, _value in outermost if name != "__metadata__"]


def folder() -> Path:
    """Where this process keeps its sessions' files; nobody else may look into it."""
    return Path(get_settings().cache_dir) / "own-weights" / str(os.getpid())


def sweep() -> None:
    """At start: removes what processes that have ended, or were killed, left behind."""
    for left in folder().parent.glob("*"):
        alive = left.name.isdigit() and int(left.name) != os.getpid()
        if not (alive and psutil.pid_exists(int(left.name))):
            shutil.rmtree(left, ignore_errors=True)


class SessionFolder:
    """One session's files, in a folder whose name nobody can guess; gone when this object is."""

    def __init__(self) -> None:
        self.path = folder() / secrets.token_hex(16)
        self.files: dict[str, OwnWeights] = {}
        # Also at the end of the process.
        self._gone = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def keep(self, name: str, data: memoryview) -> OwnWeights:
        """Checks a file and writes it, readable for this user only.

        Args:
            name: What the visitor called it.
            data: Its content.

        Raises:
            OwnWeightsError: It cannot be used, is too large, or there is no room.
        """
        limit = get_settings().max_weights_mb
        if len(data) > limit * 2**20:
            raise OwnWeightsError(
                N_("“{name}” has {size:.0f} MB, more than the {limit} MB allowed."),
                name=name[:60], size=len(data) / 2**20, limit=limit,
            )  # fmt: skip
        refuse_foreign(name, bytes(data[:16]))
        digest = hashlib.sha256(data).hexdigest()
        path = self.path / f"{digest}.safetensors"
        if path.exists():
            return self.files.get(digest) or OwnWeights(
                f"own-{digest[:6]}", name, str(path), check_header(path)
            )
        if len(list(self.path.glob("*"))) >= MOST_FILES:
            raise OwnWeightsError(
                N_("This session holds {count} files of weights already; remove one first."),
                count=MOST_FILES,
            )
        if _held() + len(data) > most_bytes():
            raise OwnWeightsError(
                N_("This server holds as many own weights as it may; try again later.")
            )
        try:
            self._write(path, data)
            tensors = check_header(path)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise OwnWeightsError(
                N_("The file cannot be kept on this server ({reason}); try again later."),
                reason=os.strerror(error.errno) if error.errno else type(error).__name__,
            ) from error
        except OwnWeightsError:
            path.unlink(missing_ok=True)
            raise
        found = self.files[digest] = OwnWeights(f"own-{digest[:6]}", name, str(path), tensors)
        return found

    def _write(self, path: Path, data: memoryview) -> None:
        for parent in (path.parent.parent.parent, path.parent.parent, path.parent):
            parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)

    def drop(self, weights: OwnWeights) -> None:
        """Removes a file."""
        Path(weights.path).unlink(missing_ok=True)
        self.files.pop(Path(weights.path).stem, None)

    def clear(self) -> None:
        """Removes all; the object may be used again."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.files.clear()


def most_bytes() -> int:
    """What the files of all sessions may take together."""
    return TOTAL_FILES * get_settings().max_weights_mb * 2**20


def _held() -> int:
    """Bytes of all files of all sessions of this process."""
    return sum(path.stat().st_size for path in folder().glob("*/*"))
