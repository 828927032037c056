"""A folder of images, with boxes around what is to be found in them where somebody drew some."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.errors import AtlasError
from explorer.i18n import N_

ENDINGS = (
    ".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif",
)  # fmt: skip
BOXES = ("boxes.json", "boxes.csv")

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of the upright image."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that is to be an image; whether it can be opened turns out when it is.

    Attributes:
        path: Where it is.
        digest: Hex SHA-256 of its bytes; "" where it cannot be read.
        boxes: Around what is to be found in it.
    """

    path: Path
    digest: str
    boxes: tuple[Box, ...] = ()

    @property
    def name(self) -> str:
        """Its name in the folder."""
        return self.path.name

    def read(self) -> bytes:
        """Its bytes.

        Raises:
            AtlasError: It cannot be read, or is no longer what it was.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise AtlasError(
                N_("{name} cannot be read ({reason})."),
                name=self.name, reason=error.strerror or str(error),
            ) from error  # fmt: skip
        if hashlib.sha256(data).hexdigest() != self.digest:
            raise AtlasError(
                N_("{name} has changed since the survey began; begin anew in another folder."),
                name=self.name,
            )
        return data


def pictures(folder: Path) -> tuple[Picture, ...]:
    """The images of a folder by name, with their boxes.

    Args:
        folder: Files that end as images do; beside them ``boxes.json``, {"cat.jpg": [[left, top,
            right, bottom], …]}, or ``boxes.csv`` with the columns image, left, top, right, bottom.

    Raises:
        AtlasError: There is no such folder, no image in it, or boxes that cannot be used.
    """
    try:
        found = [one for one in folder.iterdir() if one.suffix.lower() in ENDINGS]
    except OSError as error:
        raise AtlasError(
            N_("The folder {folder} cannot be read ({reason}); name a folder of images."),
            folder=str(folder), reason=error.strerror or str(error),
        ) from error  # fmt: skip
    if not found:
        raise AtlasError(
            N_("There is no image in {folder}; name a folder with files like {known}."),
            folder=str(folder), known=", ".join(ENDINGS),
        )  # fmt: skip
    boxes = _boxes(folder)
    strangers = sorted(set(boxes) - {one.name for one in found})
    if strangers:
        raise AtlasError(
            N_("Boxes are given for {name}, which is not in {folder}; mend the name."),
            name=strangers[0], folder=str(folder),
        )  # fmt: skip
    return tuple(
        Picture(one, _digest(one), tuple(boxes.get(one.name, ()))) for one in sorted(found)
    )


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _boxes(folder: Path) -> dict[str, list[Box]]:
    for name in BOXES:
        path = folder / name
        if path.exists():
            try:
                read = _from_json if path.suffix == ".json" else _from_csv
                return read(path.read_text("utf-8"))
            except (OSError, ValueError, TypeError, KeyError) as error:
                raise AtlasError(
                    N_("{name} cannot be used ({reason}); a box is left, top, right, bottom."),
                    name=name, reason=str(error).partition("\n")[0],
                ) from error  # fmt: skip
    return {}


def _from_json(text: str) -> dict[str, list[Box]]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("it holds no names")
    return {str(name): [_box(one) for one in boxes] for name, boxes in found.items()}


def _from_csv(text: str) -> dict[str, list[Box]]:
    found: dict[str, list[Box]] = {}
    for row in csv.DictReader(text.splitlines()):
        sides = [row[side] for side in ("left", "top", "right", "bottom")]
        found.setdefault(str(row["image"]), []).append(_box(sides))
    return found


def _box(values: Iterable[Any]) -> Box:
    left, top, right, bottom = (float(value) for value in values)
    whole = all(math.isfinite(side) for side in (left, top, right, bottom))
    if not whole or left >= right or top >= bottom:
        raise ValueError(f"{[left, top, right, bottom]} is empty")
    return left, top, right, bottom
