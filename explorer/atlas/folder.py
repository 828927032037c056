"""Where a survey's rows are kept, so that a kill at any moment costs only the running items.

    survey.json     what is surveyed; a folder with another one is refused
    rows.jsonl      rows since the last shard, one a line, each on the disk before the next item
    shards/         tables of ``SHARD_ROWS`` rows, each written once
    NAME.parquet    all rows in the order of the plan, at the end

Whatever is written is complete under its name or not there: first beside its place, then synced to
the disk, then renamed. A row is in the journal before its shard is there, and counts once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from explorer.atlas.survey import Survey
from explorer.errors import AtlasError
from explorer.i18n import N_

FORMAT = 1
SHARD_ROWS = 50
MANIFEST, JOURNAL, SHARDS, LOCK = "survey.json", "rows.jsonl", "shards", "survey.lock"
_COMPARED = ("format", "survey", "items", "digest", "conditions")

Row = dict[str, Any]


class SurveyFolder:
    """An output folder, held by this process; made by ``open_folder``.

    Attributes:
        path: The folder.
        survey: What it holds.
        notes: As in the manifest.
        done: Positions of the items whose rows are kept.
    """

    def __init__(self, path: Path, survey: Survey, notes: dict[str, Any]) -> None:
        self.path = path
        self.survey = survey
        self.notes = notes
        self._shards = path / SHARDS
        self.done, self._recent = _kept_rows(path)
        self._journal = self._begin_journal()

    @property
    def missing(self) -> list[int]:
        """Positions of the items that have no row yet, in order."""
        return [place for place in range(len(self.survey.items)) if place not in self.done]

    @property
    def merged(self) -> Path:
        """The file with all rows."""
        return self.path / f"{self.survey.name}.parquet"

    def append(self, row: Row) -> None:
        """Keeps a row; when this returns it is on the disk.

        Raises:
            ValueError: The item has a row already.
            AtlasError: It cannot be written.
        """
        if row["position"] in self.done:
            raise ValueError(f"item {row['position']} has a row already")
        with _written(self.path):
            self._journal.write(json.dumps(row, ensure_ascii=False) + "\n")
            self._journal.flush()
            os.fsync(self._journal.fileno())
        self.done.add(row["position"])
        self._recent.append(row)
        if len(self._recent) >= SHARD_ROWS:
            self._seal()

    def note(self, **values: Any) -> None:
        """Keeps what is worth knowing when the survey goes on.

        Raises:
            AtlasError: It cannot be written.
        """
        self.notes |= values
        manifest = manifest_of(self.path) or {}
        _write_manifest(self.path, manifest | {"notes": self.notes})

    def merge(self) -> Path:
        """Writes the file with all rows, once there is one for every item; its path.

        Raises:
            ValueError: Items are missing.
            AtlasError: It cannot be written.
        """
        if self.missing:
            raise ValueError(f"{len(self.missing)} items have no row yet")
        self._seal()
        tables = [_read(shard) for shard in sorted(self._shards.glob("*.parquet"))]
        empty = self.survey.schema.empty_table()
        table = pa.concat_tables([empty, *(one.cast(empty.schema) for one in tables)])
        manifest = (self.path / MANIFEST).read_text("utf-8")
        table = table.sort_by("position").replace_schema_metadata({"explorer.atlas": manifest})
        with _written(self.path):
            _write(self.merged, lambda file: pq.write_table(table, file, compression="zstd"))
        return self.merged

    def close(self) -> None:
        """Lets go of the journal."""
        self._journal.close()

    def _begin_journal(self) -> IO[str]:
        """The journal with whole rows only: a kill may have left half a line."""
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self._recent)
        with _written(self.path):
            _write(self.path / JOURNAL, lambda file: file.write(lines.encode()))
            return (self.path / JOURNAL).open("a", encoding="utf-8")

    def _seal(self) -> None:
        """Turns the journal's rows into a shard."""
        if not self._recent:
            return
        table = pa.Table.from_pylist(self._recent, schema=self.survey.schema)
        place = self._shards / f"{len(list(self._shards.glob('*.parquet'))):05d}.parquet"
        with _written(self.path):
            _write(place, lambda file: pq.write_table(table, file, compression="zstd"))
        self._recent = []
        self._journal.close()
        self._journal = self._begin_journal()


@contextmanager
def open_folder(path: Path, survey: Survey, *, resume: bool) -> Iterator[SurveyFolder]:
    """Holds a survey's output folder; made when it is not there.

    Args:
        path: The folder.
        survey: What goes into it.
        resume: Whether a run that was broken off may go on.

    Raises:
        AtlasError: The folder holds something else, or this survey and ``resume`` is False, or
            another process is at it, or it cannot be written.
    """
    with _written(path):
        path.mkdir(parents=True, exist_ok=True)
        others = [one.name for one in path.iterdir() if one.name != LOCK]
    # Before the lock makes a file in a folder of somebody else's.
    if others and not (path / MANIFEST).exists() and set(others) - {f".{MANIFEST}.part"}:
        raise AtlasError(
            N_("{folder} is not empty and holds no survey; name an empty or a new folder."),
            folder=str(path),
        )
    lock = FileLock(path / LOCK, timeout=0)
    try:
        with _written(path):
            lock.acquire()
    except Timeout as error:
        raise AtlasError(
            N_("Another process writes into {folder} just now; wait for it, or stop it."),
            folder=str(path),
        ) from error
    try:
        notes = _agreed(path, survey, resume=resume)
        with _written(path):
            (path / SHARDS).mkdir(exist_ok=True)
            for half in (*path.glob(".*.part"), *(path / SHARDS).glob(".*.part")):
                half.unlink()
        folder = SurveyFolder(path, survey, notes)
        try:
            yield folder
        finally:
            folder.close()
    finally:
        lock.release()


def manifest_of(path: Path) -> dict[str, Any] | None:
    """What a folder says that it holds; None where there is no survey.

    Raises:
        AtlasError: It cannot be read.
    """
    try:
        found = json.loads((path / MANIFEST).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path / MANIFEST, error) from error
    return dict(found) if isinstance(found, dict) else {}


def _agreed(path: Path, survey: Survey, *, resume: bool) -> dict[str, Any]:
    """The notes of a manifest that says the same; a new one is written where there is none."""
    wanted = {
        "format": FORMAT, "survey": survey.name, "items": len(survey.items),
        "digest": survey.digest, "conditions": survey.conditions,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"), "notes": survey.notes,
    }  # fmt: skip
    found = manifest_of(path)
    if found is None:
        _write_manifest(path, wanted)
        return dict(survey.notes)
    differing = _differing(found, json.loads(json.dumps(wanted)))
    if differing:
        raise AtlasError(
            N_("{folder} holds another survey (different: {fields}); name another folder."),
            folder=str(path), fields=", ".join(differing),
        )  # fmt: skip
    if not resume:
        raise AtlasError(
            N_("{folder} holds this survey already; add --resume to go on, or name another."),
            folder=str(path),
        )
    return dict(found.get("notes", {}))


def _write_manifest(path: Path, values: dict[str, Any]) -> None:
    text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
    with _written(path):
        _write(path / MANIFEST, lambda file: file.write(text.encode()))


def _differing(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What keeps a survey from going on, by name; conditions one by one."""
    fields = []
    for name in _COMPARED:
        ours, theirs = wanted[name], found.get(name)
        if name == "conditions" and isinstance(theirs, dict):
            keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
            fields += sorted(keys)
        elif ours != theirs:
            fields.append("items" if name == "digest" else name)
    return list(dict.fromkeys(fields))


def _kept_rows(path: Path) -> tuple[set[int], list[Row]]:
    """Positions of all rows, and the rows that are in no shard yet."""
    done: set[int] = set()
    for shard in sorted((path / SHARDS).glob("*.parquet")):
        done |= set(_read(shard, ["position"])["position"].to_pylist())
    recent = []
    for row in _journal_rows(path / JOURNAL):
        if row["position"] not in done:  # else the kill came between shard and journal
            done.add(row["position"])
            recent.append(row)
    return done, recent


def _journal_rows(path: Path) -> Iterator[Row]:
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(path, error) from error
    # After the last line break stands nothing, or the half of a row that a kill cut off.
    for line in lines[:-1]:
        try:
            yield json.loads(line)
        except ValueError as error:
            raise _unreadable(path, error) from error


def _read(shard: Path, names: list[str] | None = None) -> pa.Table:
    try:
        return pq.ParquetFile(shard).read(columns=names)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(shard, error) from error


def _unreadable(path: Path, error: Exception) -> AtlasError:
    return AtlasError(
        N_("{name} cannot be read ({reason}); remove the folder {folder} and begin anew."),
        name=path.name, folder=str(path.parent), reason=str(error).partition("\n")[0],
    )  # fmt: skip


def _write(place: Path, fill: Callable[[IO[bytes]], Any]) -> None:
    """Writes a file that is there whole or not at all, also after a power cut."""
    half = place.with_name(f".{place.name}.part")
    try:
        with half.open("wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        half.replace(place)
    except OSError:
        with suppress(OSError):
            half.unlink()
        raise
    _sync_folder(place.parent)


def _sync_folder(path: Path) -> None:
    """Puts a rename on the disk, where the system can open folders (POSIX)."""
    with suppress(PermissionError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, TimeoutError):
            raise
        raise AtlasError(
            N_("{folder} cannot be written ({reason}); rows so far are kept, --resume goes on."),
            folder=str(path), reason=error.strerror or str(error),
        ) from error  # fmt: skip
