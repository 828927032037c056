"""Images of a folder and the boxes beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.atlas.localisation import localisation, region
from explorer.atlas.pictures import pictures
from explorer.catalog.spec import Preprocessing
from explorer.errors import AtlasError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.png", "a.jpg"):
        Image.new("RGB", (8, 6)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path


def test_images_come_by_name_with_their_boxes(folder: Path) -> None:
    (folder / "boxes.json").write_text('{"b.png": [[0, 0, 4, 4], [4, 4, 8, 6]]}')
    first, second = pictures(folder)
    assert (first.name, first.boxes) == ("a.jpg", ())
    assert second.boxes == ((0, 0, 4, 4), (4, 4, 8, 6))
    assert second.read() == (folder / "b.png").read_bytes()


def test_boxes_as_a_table(folder: Path) -> None:
    (folder / "boxes.csv").write_text("image,left,top,right,bottom\na.jpg,1,1,3,2.5\n")
    assert pictures(folder)[0].boxes == ((1, 1, 3, 2.5),)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[1", "boxes.json cannot be used"),
        ("[]", "it holds no names"),
        ('{"a.jpg": [[1, 2, 3]]}', "boxes.json cannot be used"),
        ('{"a.jpg": [[3, 0, 3, 4]]}', "is empty"),
        ('{"a.jpg": [[0, 0, NaN, 4]]}', "is empty"),
        ('{"z.jpg": [[0, 0, 3, 4]]}', "Boxes are given for z.jpg"),
    ],
)
def test_boxes_that_cannot_be_used_are_named(folder: Path, text: str, match: str) -> None:
    (folder / "boxes.json").write_text(text)
    with pytest.raises(AtlasError, match=match):
        pictures(folder)


def test_a_folder_without_images_is_named(tmp_path: Path) -> None:
    with pytest.raises(AtlasError, match="There is no image in"):
        pictures(tmp_path)
    with pytest.raises(AtlasError, match="nowhere cannot be read"):
        pictures(tmp_path / "nowhere")


def test_an_image_that_changed_or_went_is_said(folder: Path) -> None:
    first, second = pictures(folder)
    first.path.write_bytes(b"other")
    with pytest.raises(AtlasError, match=r"a\.jpg has changed"):
        first.read()
    second.path.unlink()
    with pytest.raises(AtlasError, match=r"b\.png cannot be read"):
        second.read()


@pytest.mark.parametrize("channels", [1, 3])
def test_boxes_take_the_way_of_the_image(channels: int) -> None:
    """200×100, resized to 40×20, the middle 16×16 of it seen: x from 60 to 140, y from 10 to 90."""
    way = Preprocessing((channels, 16, 16), 20, (0.5,) * channels, (0.5,) * channels)
    inside = region((200, 100), ((60, 10, 100, 50),), way)
    wanted = np.zeros((16, 16), bool)
    wanted[:8, :8] = True  # 40 of 80 pixels each way, at a fifth: the upper left quarter
    assert inside.tolist() == wanted.tolist()
    assert not region((200, 100), ((0, 0, 50, 100),), way).any()
    assert region((200, 100), ((0, 0, 200, 100),), way).all()


def test_what_is_located() -> None:
    inside = np.zeros((4, 4), bool)
    inside[:2, :2] = True
    map = np.full((4, 4), -1, np.float32)
    map[0, 0], map[3, 3] = 3, 1
    found = localisation(map, inside)
    assert found == {"box_share": 4 / 16, "pointing": True, "energy": 3 / (3 + 1)}
    map[3, 3] = 9
    assert localisation(map, inside)["pointing"] is False
    nothing = {"box_share": 0.25, "pointing": None, "energy": None}
    assert localisation(np.full((4, 4), -1, np.float32), inside) == nothing
    assert localisation(map, np.zeros((4, 4), bool))["energy"] is None
