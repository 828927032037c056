"""Traces kept on disk by content: which network, size, libraries and tracing code made them.

One gzip-compressed JSON file per trace, written beside its place and moved there, so that a reader
never sees half of one. A file that cannot be read is thrown away and made again. The folder is
bounded; the traces used longest ago go first. A folder that cannot be written costs time, never the
result.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import os
import re
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from explorer.graph import LayerGraph
from explorer.settings import get_settings
from explorer.tracing.encoding import decode, encode
from explorer.tracing.versions import code_version, library_versions

logger = logging.getLogger(__name__)

MAX_FILES = 300
MAX_BYTES = 200 * 2**20
LOCK_SECONDS = 120.0
_SUFFIX = ".json.gz"


def folder() -> Path:
    """Where traces are kept."""
    return Path(get_settings().cache_dir) / "traces"


def path_of(model: str, size: tuple[int, ...]) -> Path:
    """The file of a trace; its name is readable, its digest stands for everything it depends on."""
    content = repr((model, size, sorted(library_versions().items()), code_version()))
    digest = hashlib.sha256(content.encode()).hexdigest()[:20]
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", model)[:60]
    return folder() / f"{readable}-{'x'.join(map(str, size))}-{digest}{_SUFFIX}"


def load(model: str, size: tuple[int, ...]) -> LayerGraph | None:
    """The kept trace; None when there is none or it cannot be read, which is said in the log."""
    path = path_of(model, size)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        logger.warning("The kept trace %s cannot be read: %s", path.name, error)
        return None
    try:
        graph = decode(json.loads(gzip.decompress(data)))
    except (
        OSError,
        EOFError,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        ArithmeticError,
        RecursionError,
        zlib.error,
    ) as error:
        logger.warning("The kept trace %s is broken and is made again: %r", path.name, error)
        with suppress(OSError):
            path.unlink()
        return None
    if graph.model != model:
        logger.warning("The kept trace %s is of another network and is made again", path.name)
        return None
    with suppress(OSError):
        os.utime(path)  # Used now: the last to go.
    return graph


def store(graph: LayerGraph, size: tuple[int, ...]) -> None:
    """Keeps a trace; a folder that cannot be written is said in the log and nothing else."""
    path = path_of(graph.model, size)
    data = gzip.compress(
        json.dumps(encode(graph), separators=(",", ":")).encode(), compresslevel=5, mtime=0
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        except OSError:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
        _prune(path)
    except OSError as error:
        logger.warning("The trace of %s is not kept: %s", graph.model, error)


def load_or_make(model: str, size: tuple[int, ...], make: Callable[[], LayerGraph]) -> LayerGraph:
    """The kept trace, or a new one; of several who ask at once one makes it, the others wait."""
    found = load(model, size)
    if found is not None:
        return found
    path = path_of(model, size)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS)
        lock.acquire()
    except (OSError, Timeout) as error:
        logger.warning("The trace of %s is made without the cache: %s", model, error)
        return make()
    try:
        found = load(model, size)
        if found is None:
            found = make()
            store(found, size)
        return found
    finally:
        lock.release()


def _prune(newest: Path) -> None:
    """Removes what was used longest ago until both bounds hold; the newest file always stays."""
    kept: list[tuple[float, int, Path]] = []
    for path in newest.parent.glob(f"*{_SUFFIX}"):
        with suppress(OSError):
            stat = path.stat()
            kept.append((stat.st_mtime, stat.st_size, path))
    kept.sort()
    total = sum(size for _, size, _ in kept)
    count = len(kept)
    for _, size, path in kept:
        if count <= MAX_FILES and total <= MAX_BYTES:
            break
        if path == newest:
            continue
        with suppress(OSError):
            path.unlink()
            path.with_suffix(".lock").unlink(missing_ok=True)
            logger.info("The kept trace %s made room", path.name)
        count -= 1
        total -= size
