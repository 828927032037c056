"""Twenty visitors at once: nobody sees another's image, result, selection or language."""

from __future__ import annotations

import colorsys
import io
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.proto.Element_pb2 import Element

from explorer.catalog import CATALOG
from tests.browser.conftest import running_app
from tests.public.visitor import Visitor

VISITORS = 20
LIMIT = 200.0  # seconds until all have their map
UPLOADER = {"en": "Or your own photo", "zh": "或上传自己的照片"}
PLAIN = [model for model in CATALOG if "/" not in model and model != "lenet5"]
OTHERS = PLAIN[:: len(PLAIN) // VISITORS][:VISITORS]  # a model in the tray for each


def colour(number: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(number / VISITORS, 1.0, 0.9)
    return round(255 * red), round(255 * green), round(255 * blue)


def photo(number: int) -> bytes:
    """An image of one colour; of 3 MB, which a careless server would put on disk meanwhile."""
    buffer = io.BytesIO()
    Image.new("RGB", (1000, 1000), colour(number)).save(buffer, "BMP")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(tmp_path_factory.mktemp("isolation"), EXPLORER_PUBLIC="1") as found:
        yield found


class Seen:
    """What one visitor got to see, over all runs."""

    def __init__(self, address: str, number: int) -> None:
        self.number = number
        self.language = ("en", "zh")[number % 2]
        self.visitor = Visitor(
            address,
            "attribution",
            {
                "model": "tf_efficientnet_lite0", "methods": "saliency", "lang": self.language,
                "compare": OTHERS[number],
            },
        )  # fmt: skip
        self.pictures: set[str] = set()
        self._elements: dict[bytes, Element] = {}

    def go(self, together: threading.Barrier) -> None:
        visitor = self.visitor
        visitor.run()
        visitor.upload(
            UPLOADER[self.language], f"photo-of-{self.number:02}.bmp", photo(self.number)
        )
        together.wait(LIMIT)
        deadline = time.monotonic() + LIMIT
        visitor.run()
        while time.monotonic() < deadline:
            self._look()
            if len(visitor.images) >= 2:  # the map, and what the network sees
                return
            time.sleep(visitor.every or 0.5)
            if visitor.fragments:  # a progress bar; the page is run when it has ended
                visitor.run_fragment(visitor.fragments[-1])
            else:
                visitor.run()
        raise AssertionError(f"visitor {self.number} got no map:\n{visitor.text[-2000:]}")

    def _look(self) -> None:
        self._elements |= {one.SerializeToString(): one for one in self.visitor.elements}
        self.pictures |= set(self.visitor.images)

    @cached_property
    def text(self) -> str:
        """Everything that was sent, as text; to be asked for at the end."""
        return "\n".join(map(str, self._elements.values()))


def in_tray(number: int) -> str:
    """What the page holds when this visitor's model is in the tray: the name of its control."""
    return f'_compare_weights_0_{OTHERS[number]}"'


def test_twenty_visitors_at_once(address: str) -> None:
    everybody = [Seen(address, number) for number in range(VISITORS)]
    together = threading.Barrier(VISITORS)
    with ThreadPoolExecutor(VISITORS) as pool:
        for done in [pool.submit(one.go, together) for one in everybody]:
            done.result()
    for one in everybody:
        crops = [one.visitor.picture(url) for url in one.pictures]
        own = [
            crop
            for crop in crops
            if np.abs(crop.reshape(-1, 3).mean(0) - colour(one.number)).max() <= 2
        ]
        assert own, f"visitor {one.number} does not see the own image"
        assert in_tray(one.number) in one.text
        for other in everybody:
            if other is one:
                continue
            assert not one.pictures & other.pictures, (one.number, other.number)
            assert f"photo-of-{other.number:02}" not in one.text.replace("\\", "")
            assert in_tray(other.number) not in one.text
        for crop in crops:
            means = crop.reshape(-1, 3).mean(0)
            for number in set(range(VISITORS)) - {one.number}:
                assert np.abs(means - colour(number)).max() > 2
        chinese = UPLOADER["zh"] in one.text
        assert chinese == (one.language == "zh")
    for one in everybody:
        one.visitor.close()


def test_no_image_is_on_disk(address: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    # Runs after the one above, on its server: 64 bytes of a pixel row are looked for in every file.
    wanted = bytes(reversed(colour(7))) * 20
    for folder in tmp_path_factory.getbasetemp().glob("isolation*"):
        for path in folder.rglob("*"):
            if path.is_file():
                assert wanted not in Path(path).read_bytes(), path
