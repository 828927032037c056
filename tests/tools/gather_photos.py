"""Gathers the images of the attribution leaderboard: free photos of packages, digits of MNIST.

    apt-get download lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 plasma-workspace-wallpapers
    python -m tests.tools.gather_photos FOLDER *.deb

Ten are the app's own samples, the others come from scikit-image, matplotlib and three Debian
packages; their authors and licences are in ``PHOTOS``. All are scaled to at most 640 pixels, and
``boxes.json`` beside them holds boxes that were drawn by hand where one thing is the subject. They
go into FOLDER/photos, and the first six of each digit that LeNet-5 was not trained on into
FOLDER/digits.
"""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SAMPLES, HELD_OUT = ASSETS / "images", ASSETS / "data" / "mnist" / "heldout.npz"
LONGEST_SIDE = 640
OF_EACH_DIGIT = 6

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Photo:
    """Where a photo is from.

    Attributes:
        source: Package.
        file: In it.
        author: As the package states.
        licence: Likewise.
        boxes: Left, top, right, bottom as shares of the sides.
    """

    source: str
    file: str
    author: str
    licence: str
    boxes: tuple[Box, ...] = ()


def _sample(name: str, *boxes: Box) -> Photo:
    return Photo("assets/images", f"{name}.jpg", "see LICENSES.md there", "see there", boxes)


def _scikit(file: str, author: str, licence: str, *boxes: Box) -> Photo:
    return Photo("scikit-image", f"data/{file}", author, licence, boxes)


def _lomiri(file: str, author: str, licence: str, *boxes: Box) -> Photo:
    release = "20.04" if "Kleiber" in file else "16.04"
    place = f"usr/share/backgrounds/{file}"
    return Photo(f"lomiri-wallpapers-{release}", place, author, licence, boxes)


def _plasma(name: str, author: str, *boxes: Box) -> Photo:
    file = f"usr/share/wallpapers/{name}/contents/images/2560x1600.jpg"
    return Photo("plasma-workspace-wallpapers", file, author, "LGPL-3.0", boxes)


_AITZOL, _RISTO = "Aitzol Berasategi", "Risto Saukonpää"

#: Name of the file that is written, without its ending → where it is from.
PHOTOS: Mapping[str, Photo] = {
    "astronaut": _sample("astronaut"),
    "camera": _sample("camera"),
    "chelsea": _sample("chelsea"),
    "coffee": _sample("coffee", (0.12, 0.03, 0.81, 0.97)),
    "dahlia": _sample("dahlia", (0.27, 0.2, 0.7, 0.85)),
    "drum": _sample("drum"),
    "fig": _sample("fig", (0.45, 0.35, 0.7, 0.76)),
    "pagoda": _sample("pagoda", (0.12, 0.07, 0.57, 0.95)),
    "rocket": _sample("rocket", (0.46, 0.3, 0.55, 1.0)),
    "spaniels": _sample("spaniels", (0.27, 0.13, 0.56, 0.45), (0.5, 0.55, 0.77, 0.98)),
    "brick": _scikit("brick.png", "CC0Textures", "CC0-1.0"),
    "clock": _scikit(
        "clock_motion.png", "Stéfan van der Walt", "public domain",
        (0.35, 0.32, 0.7, 0.71),
    ),
    "coins": _scikit("coins.png", "Brooklyn Museum", "no known restrictions"),
    "grass": _scikit("grass.png", "linolafett", "CC0-1.0"),
    "gravel": _scikit("gravel.png", "CC0Textures", "CC0-1.0"),
    "hubble": _scikit("hubble_deep_field.jpg", "NASA", "public domain"),
    "moon": _scikit("moon.png", "NASA", "public domain"),
    "motorcycle": _scikit(
        "motorcycle_left.png", "D. Scharstein et al.", "CC0-1.0",
        (0.14, 0.28, 0.92, 0.93),
    ),
    "page": _scikit("page.png", "scikit-image", "BSD-3-Clause"),
    "retina": _scikit("retina.jpg", "Mikael Häggström", "CC0-1.0"),
    "hopper": Photo(
        "matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "J. S. Davis, US Navy",
        "public domain",
    ),
    "aitzgorri": _lomiri("aitzgorri_by_Aitzol_Berasategi.jpg", _AITZOL, "CC-BY-4.0"),
    "bridge": _lomiri("Bridge_by_Sander_Klootwijk.jpg", "Sander Klootwijk", "CC-BY-SA-4.0"),
    "brushes": _lomiri("Picture_1A_by_freespace.jpg", 'Trevor "Freespace"', "CC-BY-4.0"),
    "creek": _lomiri("life_by_Aitzol_Berasategi.jpg", _AITZOL, "CC-BY-4.0"),
    "dandelions": _lomiri("seeding_by_Clements_Engelhardt.jpg", "Clemens Engelhardt", "CC0-1.0"),
    "dragonfly": _lomiri("Dragonfly_by_Bolly.jpg", "Bolly", "CC-BY-SA-4.0"),
    "nuthatch": _lomiri(
        "Kleiber_by_Lukas_Baubkus.jpg", "Lukas Baubkus", "CC-BY-SA-3.0", (0.4, 0.42, 0.55, 0.66)
    ),
    "parakeet": _lomiri(
        "free_by_Peter_Nerlich.jpg", "Peter Nerlich", "CC-BY-SA-4.0", (0.25, 0.58, 0.66, 0.86)
    ),
    "picos": _lomiri("picosdeeuropa_by_Aitzol_Berasategi.jpg", _AITZOL, "CC-BY-4.0"),
    "sunset": _lomiri("sunset_by_Aitzol_Berasategi.jpg", _AITZOL, "CC-BY-4.0"),
    "wall_clock": _lomiri("greentock_by_Peter_Nerlich.jpg", "Peter Nerlich", "CC-BY-SA-4.0"),
    "boats": _plasma("EveningGlow", "Ian Hex"),
    "cups": _plasma("ColorfulCups", "Dmitri Popov"),
    "dusk": _plasma("DarkestHour", _RISTO),
    "facade": _plasma("Grey", "Sigi Sagi"),
    "forest": _plasma("Path", _RISTO),
    "jetty": _plasma("ColdRipple", _RISTO),
    "kite": _plasma("Kite", _RISTO, (0.63, 0.3, 0.72, 0.41)),
    "leaves": _plasma("FallenLeaf", "Martin Klapetek"),
    "moss": _plasma("OneStandsOut", _RISTO),
    "planks": _plasma("BytheWater", "Maciej Wiklo"),
    "summer": _plasma("summer_1am", _RISTO),
}  # fmt: skip


def gather(folder: Path, packages: Sequence[Path]) -> None:
    """Writes the photos and ``boxes.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: data for package in packages for name, data in _unpacked(package)}
    boxes = {}
    for name, photo in PHOTOS.items():
        with Image.open(io.BytesIO(_bytes(photo, files))) as source:
            image = source.convert("RGB")
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
        image.save(folder / f"{name}.png")
        if photo.boxes:
            sides = (image.width, image.height, image.width, image.height)
            boxes[f"{name}.png"] = [
                [round(share * side, 1) for share, side in zip(box, sides, strict=True)]
                for box in photo.boxes
            ]
    (folder / "boxes.json").write_text(json.dumps(boxes, indent=1) + "\n", "utf-8")


def _bytes(photo: Photo, files: Mapping[str, bytes]) -> bytes:
    if photo.source == "assets/images":
        return (SAMPLES / photo.file).read_bytes()
    if photo.file in files:
        return files[photo.file]
    module = {"scikit-image": "skimage"}.get(photo.source, photo.source)
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise SystemExit(f"{photo.source} is not there; install it or name its file")
    return (Path(found.origin).parent / photo.file).read_bytes()


def _unpacked(package: Path) -> Iterator[tuple[str, bytes]]:
    """Photos of a Debian package by path."""
    wanted = {photo.file for photo in PHOTOS.values()}
    shown = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(shown.stdout)) as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            file = archive.extractfile(member) if name in wanted else None
            if file is not None:
                yield name, file.read()


def digits(folder: Path) -> None:
    """Writes the digits, as MNIST has them."""
    folder.mkdir(parents=True, exist_ok=True)
    with np.load(HELD_OUT) as held_out:
        for digit in range(10):
            chosen = np.flatnonzero(held_out["labels"] == digit)[:OF_EACH_DIGIT]
            for number in chosen.tolist():
                Image.fromarray(held_out["images"][number]).save(
                    folder / f"{digit}-{number:04d}.png"
                )


if __name__ == "__main__":
    gather(Path(sys.argv[1], "photos"), [Path(one) for one in sys.argv[2:]])
    digits(Path(sys.argv[1], "digits"))
