"""QR codes: what a phone reads is the view's address, without the talk's own parameters."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import zxingcpp

from explorer.errors import TourError
from explorer.qr import LONGEST, audience_url, qr_svg

RUN = re.compile(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?")


def drawn(svg: str, scale: int = 6) -> np.ndarray:
    """The dark squares as an image: the path is rows of strokes one unit high."""
    root = ElementTree.fromstring(svg)
    side = int(root.attrib["viewBox"].split()[2])
    image = np.full((side, side), 255, np.uint8)
    path = next(one for one in root if one.attrib.get("stroke") == "#000")
    x = y = 0.0
    for kind, first, second in RUN.findall(path.attrib["d"]):
        if kind == "M":
            x, y = float(first), float(second)
        elif kind == "m":
            x, y = x + float(first), y + float(second)
        else:
            image[int(y), int(x) : int(x) + int(first)] = 0
            x += float(first)
    return image.repeat(scale, 0).repeat(scale, 1)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://h:8501/?talk=1", "http://h:8501/"),
        ("http://h:8501/graph?talk=1&step=3&model=vgg16", "http://h:8501/graph?model=vgg16"),
        (
            "https://e.org/a/compare?compare=resnet34%2Cvgg19&step=12&talk=1&lang=zh#x",
            "https://e.org/a/compare?compare=resnet34,vgg19&lang=zh",
        ),
        ("http://h/history?q=a%26b%3Dc&talk=1", "http://h/history?q=a%26b%3Dc"),
        ("http://h/graph?select=", "http://h/graph?select="),
    ],
)
def test_the_code_reads_as_the_address_without_the_talk(address: str, shown: str) -> None:
    assert audience_url(address) == shown
    (found,) = zxingcpp.read_barcodes(drawn(qr_svg(shown)))
    assert found.text == shown


def test_the_longest_address_still_reads() -> None:
    address = "http://h/graph?open=" + "a" * (LONGEST - 20)
    assert audience_url(address) == address
    (found,) = zxingcpp.read_barcodes(drawn(qr_svg(address)))
    assert found.text == address
    with pytest.raises(TourError, match="too many"):
        audience_url(address + "a")


@pytest.mark.parametrize(
    "address", ["", "graph", "javascript:alert(1)", "file:///etc/passwd", "http://", "http://[x"]
)
def test_what_is_no_web_address_gets_no_code(address: str) -> None:
    with pytest.raises(TourError, match="web address"):
        audience_url(address)


def test_text_of_the_address_is_not_in_the_picture() -> None:
    svg = qr_svg('http://h/?q="><script>alert(1)</script>')
    assert "script" not in svg
    assert re.fullmatch(r"[\w\s<>/=\"':.#-]+", svg)
