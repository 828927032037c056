"""Hostile files, made by script: ``corpus()`` gives name → bytes, always the same.

``python -m tests.tools.hostile_files FOLDER`` writes them down, to be tried by hand.
"""

from __future__ import annotations

import functools
import gzip
import io
import pickle
import random
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from explorer import images

SEED = 20160525
SIDE = 96
#: Where the planted pickle would leave its mark.
MARK = Path("planted-pickle-was-run")
BOMB_SIDES = ((30_000, 30_000), (65_000, 65_000), (2**31 - 1, 2**31 - 1))


class Planted:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (MARK,)


def photo() -> Image.Image:
    """Noise that no format compresses away."""
    values = np.random.default_rng(SEED).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    return Image.fromarray(values)


def encoded(kind: str, image: Image.Image | None = None, **options: Any) -> bytes:
    """An image as a file of this kind."""
    images._register_heif()
    buffer = io.BytesIO()
    (image or photo()).save(buffer, kind, **options)
    return buffer.getvalue()


@functools.cache
def sound() -> dict[str, bytes]:
    """One sound file of each kind."""
    return {
        "jpeg": encoded("JPEG"),
        "jpeg-progressive": encoded("JPEG", progressive=True),
        "png": encoded("PNG"),
        "webp": encoded("WEBP"),
        "webp-lossless": encoded("WEBP", lossless=True),
        "bmp": encoded("BMP"),
        "tiff": encoded("TIFF"),
        "tiff-lzw": encoded("TIFF", compression="tiff_lzw"),
        "tiff-jpeg": encoded("TIFF", compression="jpeg"),
        "gif": encoded("GIF"),
        "avif": encoded("AVIF"),
        "heif": encoded("HEIF"),
    }


def truncated() -> Iterator[tuple[str, bytes]]:
    """Every kind, cut off at eight places."""
    for kind, data in sound().items():
        for share in (0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.999):
            yield f"truncated/{kind}-{share}", data[: max(1, int(len(data) * share))]


def flipped() -> Iterator[tuple[str, bytes]]:
    """Every kind with bits turned: in the header, and anywhere."""
    chance = random.Random(SEED)
    for kind, data in sound().items():
        for number, (reach, bits) in enumerate(((64, 1), (64, 8), (512, 16), (len(data), 64))):
            for variant in range(2):
                broken = bytearray(data)
                for _ in range(bits):
                    position = chance.randrange(min(reach, len(data)))
                    broken[position] ^= 1 << chance.randrange(8)
                yield f"flipped/{kind}-{number}-{variant}", bytes(broken)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def _png(width: int, height: int, data: bytes, *before: bytes, depth: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    rest = (*before, _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(rest)


def _tiff(width: int, height: int, *extra: tuple[int, int, int, int], after: int = 0) -> bytes:
    """A TIFF of one strip whose directory names another one at ``after``."""
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 16), *extra,
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    start = 8 + 16
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", after)
    return b"II*\0" + struct.pack("<I", start) + b"\0" * 16 + directory


def _webp(width: int, height: int) -> bytes:
    """An extended WebP whose canvas is as large as said (up to 2²⁴ a side)."""
    lossless = encoded("WEBP", Image.new("RGB", (4, 4)), lossless=True)[12:]
    canvas = struct.pack("<I", 0) + (width - 1).to_bytes(3, "little")
    canvas += (height - 1).to_bytes(3, "little")
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + canvas + lossless
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that claim, or hold, much more than they should."""
    zeros = zlib.compress(b"\0" * 10_000_000, 9)
    for width, height in BOMB_SIDES:
        yield f"bomb/png-{width}", _png(width, height, zeros)
        yield f"bomb/tiff-{width}", _tiff(width, height)
        bmp = bytearray(sound()["bmp"])
        struct.pack_into("<ii", bmp, 18, width, height)
        yield f"bomb/bmp-{width}", bytes(bmp)
        gif = bytearray(sound()["gif"])
        struct.pack_into("<HH", gif, 6, width & 0xFFFF, height & 0xFFFF)
        yield f"bomb/gif-{width}", bytes(gif)
        jpeg = bytearray(sound()["jpeg"])
        at = jpeg.index(b"\xff\xc0") + 5
        struct.pack_into(">HH", jpeg, at, min(height, 65_500), min(width, 65_500))
        yield f"bomb/jpeg-{width}", bytes(jpeg)
        yield f"bomb/webp-{width}", _webp(min(width, 2**24), min(height, 2**24))
        for kind in ("avif", "heif"):
            data = bytearray(sound()[kind])
            at = data.index(b"ispe") + 8
            struct.pack_into(">II", data, at, width, height)
            yield f"bomb/{kind}-{width}", bytes(data)
    # Within what is allowed, and as large as that gets when it is decoded.
    side = 5000
    for mode in ("RGB", "RGBA", "LA", "P", "I;16"):
        data = encoded("PNG", Image.new(mode, (side, side)), compress_level=1)
        yield f"bomb/allowed-png-{mode}", data
    yield (
        "bomb/allowed-tiff-float",
        encoded("TIFF", Image.new("F", (side, side)), compression="tiff_deflate"),
    )
    yield "bomb/allowed-gif", encoded("GIF", Image.new("P", (side, side)))
    yield "bomb/allowed-jpeg", encoded("JPEG", Image.new("RGB", (side, side)))
    yield "bomb/halved-jpeg", encoded("JPEG", Image.new("RGB", (7000, 7000)))
    yield "bomb/progressive", encoded("JPEG", Image.new("RGB", (7000, 7000)), progressive=True)
    yield "bomb/allowed-webp", encoded("WEBP", Image.new("RGB", (3800, 3900)), method=0)
    yield "bomb/too-large-webp", encoded("WEBP", Image.new("RGB", (5000, 5000)), method=0)
    yield (
        "bomb/gif-frames",
        encoded(
            "GIF",
            save_all=True,
            append_images=[Image.new("P", (SIDE, SIDE), n % 9) for n in range(500)],
        ),
    )
    yield "bomb/png-16-bits-claimed", _png(4000, 4000, zeros, depth=16)


def metadata() -> Iterator[tuple[str, bytes]]:
    """EXIF, ICC, XMP and text that are huge, broken or point nowhere."""
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "A" * 50_000_000, zip=True)
    yield "metadata/png-text-50-mb", encoded("PNG", pnginfo=text)
    many = PngImagePlugin.PngInfo()
    for number in range(20_000):
        many.add_text(f"key{number}", "<script>alert(1)</script>")
    yield "metadata/png-many-texts", encoded("PNG", pnginfo=many)
    profile = zlib.compress(b"\0" * 80_000_000, 9)
    bomb = _chunk(b"iCCP", b"icc\0\0" + profile)
    yield "metadata/png-icc-80-mb", _png(4, 4, zlib.compress(b"\0" * 52), bomb)
    exif = _chunk(b"eXIf", b"II*\0" + b"\xff" * 5000)
    yield "metadata/png-exif-rubbish", _png(4, 4, zlib.compress(b"\0" * 52), exif)
    yield "metadata/jpeg-icc-rubbish", encoded("JPEG", icc_profile=b"\xff" * 300_000)
    yield "metadata/webp-icc-rubbish", encoded("WEBP", icc_profile=b"\xff" * 300_000)
    yield "metadata/tiff-icc-rubbish", encoded("TIFF", icc_profile=b"\xff" * 300_000)
    xmp = b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b '" + b"c" * 1000 + b"'>"
    xmp += b"".join(b"<!ENTITY b%d '&b;&b;&b;&b;&b;&b;&b;&b;'>" % number for number in range(50))
    xmp += b"]><x:xmpmeta xmlns:x='adobe:ns:meta/'>&b49;</x:xmpmeta>"
    yield "metadata/jpeg-xmp-entities", encoded("JPEG", xmp=xmp)
    yield "metadata/webp-xmp-entities", encoded("WEBP", xmp=xmp)
    for orientation in (0, 9, 65535, 6):
        found = Image.Exif()
        found[0x0112] = orientation
        yield f"metadata/jpeg-orientation-{orientation}", encoded("JPEG", exif=found.tobytes())
    header = b"Exif\0\0II*\0\x08\0\0\0"
    for name, entries in {
        "loop": struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 8),
        "count": struct.pack("<HHHIII", 1, 0x0112, 2, 2**32 - 1, 0, 0),
        "offset": struct.pack("<HHHIII", 1, 0x010E, 2, 60_000, 2**32 - 8, 0),
        "65535-entries": struct.pack("<H", 65535) + b"\x12\x01\x03\0" * 3000,
        "no-entries": b"",
        "type": struct.pack("<HHHIII", 1, 0x0112, 999, 1, 6, 0),
    }.items():
        yield f"metadata/jpeg-exif-{name}", encoded("JPEG", exif=(header + entries)[:65000])
    comment = b"\xff\xfe\xff\xff" + (b"<img src=x onerror=alert(1)>" * 2341)[:65533]
    jpeg = sound()["jpeg"]
    yield "metadata/jpeg-comments-15-mb", jpeg[:2] + comment * 240 + jpeg[2:]
    yield "bomb/jpeg-junk-15-mb", jpeg[:20] + comment.replace(b"\xff\xfe", b"") * 240 + jpeg[20:]


def loops() -> Iterator[tuple[str, bytes]]:
    """Directories and boxes that lead back to themselves, or lie about their lengths."""
    yield "loop/tiff-itself", _tiff(4, 4, after=24)
    yield "loop/tiff-header", _tiff(4, 4, after=8)
    yield "loop/tiff-beyond", _tiff(4, 4, after=2**32 - 1)
    yield "loop/tiff-sub-directory", _tiff(4, 4, (330, 4, 1, 24))
    yield "loop/tiff-exif", _tiff(4, 4, (34665, 4, 1, 24))
    yield "loop/tiff-strips", _tiff(4, 4, (324, 4, 2**31, 8))
    yield "loop/tiff-samples", _tiff(4, 4, (339, 3, 2**30, 8))
    yield "loop/tiff-big", b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + struct.pack("<Q", 2**63)
    for kind in ("avif", "heif"):
        data = sound()[kind]
        for box in (b"meta", b"iloc", b"iprp", b"ispe", b"mdat", b"iinf"):
            for length in (0, 1, 7, 2**32 - 1):
                at = data.find(box)
                if at >= 4:
                    broken = bytearray(data)
                    struct.pack_into(">I", broken, at - 4, length)
                    yield f"loop/{kind}-{box.decode()}-{length}", bytes(broken)


def polyglots() -> Iterator[tuple[str, bytes]]:
    """Files that are two things at once."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("run.py", "import os")
    archive_bytes = buffer.getvalue()
    planted = pickle.dumps(Planted())
    script = b"*/=1;alert(document.domain)/*"
    for kind, data in sound().items():
        yield f"polyglot/{kind}-zip", data + archive_bytes
        yield f"polyglot/{kind}-pickle", data + planted
    yield "polyglot/zip-jpeg", archive_bytes + sound()["jpeg"]
    yield "polyglot/pickle-png", planted + sound()["png"]
    yield "polyglot/gif-js", b"GIF89a/*" + sound()["gif"][8:] + script
    yield "polyglot/bmp-js", b"BM" + script + sound()["bmp"]
    yield "polyglot/pdf-jpeg", b"%PDF-1.4\n" + sound()["jpeg"]
    yield "polyglot/html-png", b"<html><script>alert(1)</script>" + sound()["png"]


def foreign() -> Iterator[tuple[str, bytes]]:
    """What is no image, or no image that is ever opened here."""
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    entity = b"<!DOCTYPE s [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg>&a;</svg>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 20_000_000)
    yield "foreign/empty", b""
    yield "foreign/zip-bomb", buffer.getvalue()
    yield "foreign/gzip", gzip.compress(b"\0" * 1_000_000)
    for protocol in range(6):
        yield f"foreign/pickle-{protocol}", pickle.dumps(Planted(), protocol)
    yield "foreign/svg", svg
    yield "foreign/svg-entity", entity
    yield "foreign/eps-shell", eps + b"(%pipe%touch " + bytes(MARK) + b") (w) file\nshowpage\n"
    yield "foreign/ps", b"%!PS\n{ } loop\n"
    yield "foreign/dos-eps", b"\xc5\xd0\xd3\xc6" + b"\0" * 100
    yield "foreign/pdf", b"%PDF-1.7\n1 0 obj<</JS(app.alert(1))>>endobj"
    for length in (1, 2, 7, 8, 100, 1_000_000):
        yield f"foreign/nul-{length}", b"\0" * length
        yield f"foreign/ff-{length}", b"\xff" * length
        yield f"foreign/random-{length}", random.Random(SEED + length).randbytes(length)
    for kind in ("ICO", "PPM", "TGA", "PCX", "JPEG2000", "DDS", "SGI", "MPO"):
        yield f"foreign/{kind.lower()}", encoded(kind)
    heads = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*",
                 b"RIFF\xff\xff\xff\xffWEBP", b"\0\0\0\x20ftypavif", b"\0\0\0\x20ftypheic",
                 b"FLIF", b"8BPS", b"\0\0\0\x0cJXL ", b"#!/bin/sh\n", b"MZ")  # fmt: skip
    for head in heads:
        yield f"foreign/head-{head[:12].hex()}", head
        yield f"foreign/head-zeros-{head[:12].hex()}", head + b"\0" * 5000
        yield f"foreign/head-ff-{head[:12].hex()}", head + b"\xff" * 5000


MAKERS = (truncated, flipped, bombs, metadata, loops, polyglots, foreign)


@functools.cache
def corpus() -> dict[str, bytes]:
    """All of them by name."""
    return {name: data for make in MAKERS for name, data in make()}


if __name__ == "__main__":
    for file_name, content in corpus().items():
        target = Path(sys.argv[1]) / file_name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
