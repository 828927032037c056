from __future__ import annotations

import hashlib
import re
import subprocess
import sys

import pytest

from explorer.errors import ImageError
from explorer.images import IMAGE_DIR, SAMPLES, open_image, sample_bytes

PHOTOS = [sample for sample in SAMPLES.values() if sample.dataset == "imagenet"]


def test_at_least_eight_photos_and_ten_digits() -> None:
    assert len(PHOTOS) >= 8
    digits = [sample for sample in SAMPLES.values() if sample.dataset == "mnist"]
    assert [sample.id for sample in digits] == [f"digit_{digit}" for digit in range(10)]
    assert [sample.expected for sample in digits] == [(digit,) for digit in range(10)]


@pytest.mark.parametrize("id", SAMPLES)
def test_every_sample_exists_and_opens(id: str) -> None:
    image = open_image(sample_bytes(id))
    assert image.mode == "RGB"
    assert SAMPLES[id].id == id
    assert SAMPLES[id].licence
    assert SAMPLES[id].author


@pytest.mark.parametrize("sample", PHOTOS, ids=lambda sample: sample.id)
def test_photos_are_small(sample: object) -> None:
    data = sample_bytes(sample.id)
    assert len(data) <= 120_000
    assert data.startswith(b"\xff\xd8\xff")
    assert max(open_image(data).size) <= 640


def test_licences_are_listed_for_every_photo_and_no_other() -> None:
    text = (IMAGE_DIR / "LICENSES.md").read_text("utf-8")
    listed = re.findall(r"^\| `(\w+\.jpg)` \|.*$", text, re.MULTILINE)
    assert sorted(listed) == sorted(sample.file for sample in PHOTOS)
    assert sorted(listed) == sorted(path.name for path in IMAGE_DIR.glob("*.jpg"))
    for sample in PHOTOS:
        row = next(line for line in text.splitlines() if f"`{sample.file}`" in line)
        assert sample.author.removeprefix("Stéfan ").split(" (")[0] in row
        licence = sample.licence.replace("CC-BY-", "CC BY ").replace("CC0-", "CC0 ")
        assert licence in row


def test_pictures_differ() -> None:
    found = {hashlib.sha256(sample_bytes(id)).hexdigest() for id in SAMPLES}
    assert len(found) == len(SAMPLES)


@pytest.mark.parametrize("id", ["", "nope", "../LICENSES.md", "<script>"])
def test_unknown_sample(id: str) -> None:
    with pytest.raises(ImageError, match="no sample named"):
        sample_bytes(id)


def test_importing_images_loads_no_torch() -> None:
    code = "import explorer.images, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
