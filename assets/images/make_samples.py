"""Makes the sample photos in this folder from the packages that ship their originals.

``python assets/images/make_samples.py SCIKIT_LEARN_WHEEL LOMIRI_DEB`` with the files that
``pip download --no-deps scikit-learn`` and ``apt-get download lomiri-wallpapers-16.04`` fetch;
scikit-image must be installed. Authors and licences are listed in LICENSES.md.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import skimage
from PIL import Image

HERE = Path(__file__).resolve().parent
LONGEST_SIDE = 640  # pixels
LARGEST_FILE = 120_000  # bytes

SKIMAGE = {
    "astronaut": "astronaut.png",
    "camera": "camera.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "rocket": "rocket.jpg",
}
SKLEARN = {"dahlia": "flower.jpg", "pagoda": "china.jpg"}
LOMIRI = {
    "drum": "Wine_by_Jakkub_Mede.jpg",
    "fig": "Picture_0B_by_freespace.jpg",
    "spaniels": "friends_by_Aitzol_Berasategi.jpg",
}
# Shares of the width and height (left, upper, right, lower): only the part with the dogs is kept.
CROPS = {"spaniels": (0.1, 0.17, 0.85, 0.67)}


def save(name: str, data: bytes) -> None:
    """Writes one photo as JPEG of at most ``LONGEST_SIDE`` pixels and ``LARGEST_FILE`` bytes."""
    with Image.open(io.BytesIO(data)) as source:
        image = source.convert("RGB")
    if name in CROPS:
        left, upper, right, lower = CROPS[name]
        box = (left * image.width, upper * image.height, right * image.width, lower * image.height)
        image = image.crop(tuple(round(edge) for edge in box))
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    for quality in (92, 88, 84, 80, 75, 70):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        if buffer.tell() <= LARGEST_FILE:
            break
    (HERE / f"{name}.jpg").write_bytes(buffer.getvalue())
    print(f"{name}.jpg {image.size} quality {quality} {buffer.tell()} bytes")


def main(wheel: str, package: str) -> None:
    """Makes all photos."""
    folder = Path(skimage.__file__).parent / "data"
    for name, file in SKIMAGE.items():
        save(name, (folder / file).read_bytes())
    with zipfile.ZipFile(wheel) as archive:
        for name, file in SKLEARN.items():
            save(name, archive.read(f"sklearn/datasets/images/{file}"))
    tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(tar.stdout)) as archive:
        for name, file in LOMIRI.items():
            member = archive.extractfile(f"./usr/share/backgrounds/{file}")
            assert member is not None
            save(name, member.read())


if __name__ == "__main__":
    main(*sys.argv[1:])
