from __future__ import annotations

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from explorer import images
from explorer.errors import ImageError
from explorer.images import FORMATS, open_image

RED = (250, 10, 20)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    if kind == "HEIF":
        images._register_heif()
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(width: int = 64, height: int = 48) -> Image.Image:
    """Red left half, blue right half, with a little noise so that no format compresses it away."""
    noise = np.random.default_rng(0).integers(0, 8, (height, width, 3), dtype=np.uint8)
    noise[:, : width // 2] += np.array([240, 0, 0], np.uint8)
    noise[:, width // 2 :] += np.array([0, 0, 240], np.uint8)
    return Image.fromarray(noise)


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_opens_to_the_same_picture(kind: str) -> None:
    opened = open_image(encoded(photo(), kind, **({"quality": 95} if kind != "GIF" else {})))
    assert opened.mode == "RGB"
    assert opened.size == (64, 48)
    pixels = np.asarray(opened, int)
    assert pixels[:, :28, 0].mean() > 225
    assert pixels[:, :28, 2].mean() < 25
    assert pixels[:, 36:, 2].mean() > 225


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("tenth", range(1, 10))
def test_truncated_files_are_refused_or_complete(kind: str, tenth: int) -> None:
    data = encoded(photo(320, 240), kind)
    with pytest.raises(ImageError, match="damaged or cut off"):
        open_image(data[: len(data) * tenth // 10])


def test_no_library_that_the_app_imports_lets_truncated_images_through() -> None:
    import timm  # noqa: F401
    import torchvision  # noqa: F401

    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize(
    ("orientation", "red_corner"),
    # Where the stored top left pixel is seen: EXIF 2.3, tag 0x0112.
    [
        *[(1, (0, 0)), (2, (0, -1)), (3, (-1, -1)), (4, (-1, 0))],
        *[(5, (0, 0)), (6, (0, -1)), (7, (-1, -1)), (8, (-1, 0))],
    ],
)
def test_exif_orientation_is_applied(orientation: int, red_corner: tuple[int, int]) -> None:
    stored = Image.new("RGB", (6, 4), "white")
    stored.putpixel((0, 0), RED)
    exif = Image.Exif()
    exif[0x0112] = orientation
    opened = open_image(encoded(stored, "PNG", exif=exif))
    assert opened.size == ((6, 4) if orientation < 5 else (4, 6))
    assert tuple(np.asarray(opened)[red_corner]) == RED


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "WEBP", "JPEG"])
def test_exif_orientation_is_applied_once_in_every_container(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # stored left edge is the top
    opened = open_image(encoded(photo(), kind, exif=exif.tobytes(), quality=95))
    assert opened.size == (48, 64)
    pixels = np.asarray(opened, int)
    assert pixels[:28, :, 0].mean() > 225
    assert pixels[36:, :, 2].mean() > 225


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_impossible_orientation_is_ignored(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert open_image(encoded(photo(), "JPEG", exif=exif)).size == (64, 48)


def test_broken_exif_block_costs_only_the_orientation() -> None:
    data = encoded(photo(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")
    assert open_image(data).size == (64, 48)


@pytest.mark.parametrize(
    ("image", "seen"),
    [
        (Image.new("RGBA", (2, 2), (*RED, 0)), (255, 255, 255)),
        # 0.2·250 + 0.8·255 = 254; 0.2·10 + 0.8·255 = 206; 0.2·20 + 0.8·255 = 208
        (Image.new("RGBA", (2, 2), (*RED, 51)), (254, 206, 208)),
        (Image.new("LA", (2, 2), (0, 0)), (255, 255, 255)),
        (Image.new("LA", (2, 2), (7, 255)), (7, 7, 7)),
        (Image.new("L", (2, 2), 99), (99, 99, 99)),
        (Image.new("1", (2, 2), 1), (255, 255, 255)),
    ],
)
def test_modes_and_transparency_on_white(image: Image.Image, seen: tuple[int, ...]) -> None:
    assert open_image(encoded(image, "PNG")).getpixel((0, 0)) == seen


def test_palette_transparency_in_png_and_gif_is_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([*RED, 0, 0, 255])
    image.putpixel((1, 0), 1)
    for kind in ("PNG", "GIF"):
        opened = open_image(encoded(image, kind, transparency=1))
        assert [opened.getpixel((x, 0)) for x in (0, 1)] == [RED, (255, 255, 255)]


def test_rgb_colour_key_is_transparent() -> None:
    image = Image.new("RGB", (2, 1), RED)
    opened = open_image(encoded(image, "PNG", transparency=RED))
    assert opened.getpixel((0, 0)) == (255, 255, 255)


def test_sixteen_bits_are_scaled() -> None:
    values = np.array([[0, 257, 32896, 65535]], np.uint16)  # 257·(0, 1, 128, 255)
    for kind in ("PNG", "TIFF"):
        opened = open_image(encoded(Image.fromarray(values), kind))
        assert np.asarray(opened)[0, :, 1].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),  # 0…1: ·255
        ([0.0, 100.0, 255.0], [0, 100, 255]),  # 0…255: as they are
        ([-1.0, 0.0, 3.0], [0, 64, 255]),  # stretched: (0 + 1)/4·255 = 63.75
        ([np.nan, 0.5, np.inf], [0, 128, 0]),  # not a number, infinite: black
        ([5e9, 5e9, 5e9], [0, 0, 0]),  # constant outside every range: black
    ],
)
def test_float_images_are_scaled(values: list[float], seen: list[int]) -> None:
    image = Image.fromarray(np.array([values], np.float32))
    assert np.asarray(open_image(encoded(image, "TIFF")))[0, :, 0].tolist() == seen


def test_integer_images_are_scaled() -> None:
    image = Image.fromarray(np.array([[0, 257, 65535]], np.int32))
    assert np.asarray(open_image(encoded(image, "TIFF")))[0, :, 0].tolist() == [0, 1, 255]
    image = Image.fromarray(np.array([[-10, 0, 90]], np.int32))  # (0 + 10)/100·255 = 25.5
    assert np.asarray(open_image(encoded(image, "TIFF")))[0, :, 0].tolist() == [0, 26, 255]


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_converted_also_adobes_inverted_kind(kind: str) -> None:
    # Pillow writes CMYK JPEG as Adobe does: inverted, with the APP14 marker.
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    data = encoded(image, kind)
    if kind == "JPEG":
        assert b"Adobe" in data
    red, green, blue = open_image(data).getpixel((8, 8))
    assert red > 245
    assert max(green, blue) < 10


def test_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        red, green, blue = open_image(data).getpixel((4, 4))
        assert red > 240, kind
        assert max(green, blue) < 15, kind


@pytest.mark.parametrize("kind", FORMATS)
def test_one_pixel(kind: str) -> None:
    assert open_image(encoded(Image.new("RGB", (1, 1), RED), kind)).size == (1, 1)


def png_header(width: int, height: int) -> bytes:
    """A valid PNG that claims any size and holds next to nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "size", [(30_000, 30_000), (10_000, 5_001), (2**31 - 1, 2**31 - 1), (50_000_001, 1)]
)
def test_too_many_pixels_are_refused_before_decoding(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def decoded(self: object) -> None:
        raise AssertionError("decoded before its size was checked")

    monkeypatch.setattr(Image.Image, "load", decoded)
    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    with pytest.raises(ImageError, match="scale it down"):
        open_image(png_header(*size))


def test_exactly_the_limit_is_let_through_to_the_decoder() -> None:
    with pytest.raises(ImageError, match="damaged or cut off"):  # 25,000,000 pixels, no data
        open_image(png_header(5_000, 5_000))


def test_too_many_bytes() -> None:
    with pytest.raises(ImageError, match=r"100\.0 MB, more than the 20 MB"):
        open_image(b"\xff\xd8\xff" + bytes(100 * 1024 * 1024 - 3))


def test_zero_sized_image() -> None:
    with pytest.raises(ImageError):
        open_image(png_header(0, 5))


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "empty"),
        (b"Dear all, please find the photo attached.", "44 65 61 72"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "EPS"),
        (b"8BPS\0\1" + bytes(30), "PSD"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\0\x18ftypmp42" + bytes(20), "MP4"),
        (b"P6 2 2 255 " + bytes(12), "50 36 20"),  # PPM: Pillow could, we do not try
        (b"\xff\xd8\xff", "damaged"),
        (bytes(64), "00 00 00"),
    ],
)
def test_everything_else_is_one_sentence(
    data: bytes, match: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ImageError, match=match) as caught:
        open_image(data)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    if data:
        assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    "error", [MemoryError(), SyntaxError("broken"), struct.error("short"), KeyError("x")]
)
def test_whatever_a_decoder_raises_is_an_image_error(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: object) -> None:
        raise error

    data = encoded(photo(), "PNG")
    monkeypatch.setattr(ImageFile.ImageFile, "load", fail)
    with pytest.raises(ImageError, match=r"PNG file \([\d,]+ bytes\) is damaged"):
        open_image(data)
    assert caplog.records[-1].exc_info is not None


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMATS), st.data())
def test_flipped_bytes_never_raise_anything_else(kind: str, data: st.DataObject) -> None:
    original = bytearray(encoded(photo(16, 12), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        original[data.draw(st.integers(0, len(original) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ImageError):
        assert open_image(bytes(original)).mode == "RGB"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_never_raise_anything_else(data: bytes) -> None:
    with pytest.raises(ImageError):
        open_image(data)
