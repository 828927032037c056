"""What a visitor may hand in by mistake: one sentence each, and the page stays usable."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.images import sample_bytes
from tests.pages.conftest import Open, captions, finish, texts

COFFEE = sample_bytes("coffee")


def png(width: int, height: int) -> bytes:
    """The head of a PNG that claims a size, without its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    crc = struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + chunk + crc


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    app.file_uploader[0].set_value((name, data, "image/jpeg"))
    return finish(app.run())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("text.jpg", b"This is no photo."),
        ("empty.png", b""),
        ("half.jpg", COFFEE[: len(COFFEE) // 2]),
        ("huge.png", png(30_000, 30_000)),
        ("drawing.jpg", b'<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>'),
    ],
)
def test_what_is_no_photo_is_refused_in_one_sentence(
    open_page: Open, name: str, data: bytes
) -> None:
    app = upload(open_page("attribution", method="saliency"), name, data)
    assert len(app.error) == 1, texts(app)
    sentence = app.error[0].value
    assert sentence.count("\n") == 0
    assert "Traceback" not in sentence
    assert app.title[0].value == "Attribution"


@pytest.mark.parametrize(
    ("name", "image", "form"),
    [
        ("dot.png", Image.new("RGB", (1, 1), "red"), "PNG"),
        ("print.jpg", Image.new("CMYK", (300, 200), (10, 200, 0, 30)), "JPEG"),
        ("deep.png", Image.new("I;16", (64, 64), 40_000), "PNG"),
        ("still.gif", Image.new("P", (80, 60), 3), "GIF"),
    ],
)
def test_odd_but_sound_images_are_classified(
    open_page: Open, name: str, image: Image.Image, form: str
) -> None:
    app = upload(open_page("attribution", method="saliency"), name, encoded(image, form))
    assert not app.error, [element.value for element in app.error]
    assert captions(app)


def test_weights_that_cannot_be_had_offer_the_untrained_network(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page("attribution", model="resnet18", weights="IMAGENET1K_V1", method="saliency")
    assert any("IMAGENET1K" in info.value for info in app.info)
    assert not captions(app)
    app.button(key="get-weights").click()
    finish(app.run())
    assert len(app.error) == 1  # the tests have no network
    app.button(key="untrained-weights").click()
    finish(app.run())
    assert captions(app)
    assert any("Untrained network" in warning.value for warning in app.warning)
