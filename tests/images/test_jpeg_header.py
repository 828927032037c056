from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from explorer.errors import ImageError
from explorer.images import SAMPLES, open_image, sample_bytes
from explorer.jpeg_header import JUNK_BYTES, SEGMENTS, overlong


def photo() -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG", comment=b"a word")
    return buffer.getvalue()


def with_header(extra: bytes) -> bytes:
    data = photo()
    end = 2 + 2 + 16  # of the start, and of the segment JFIF, which has to come first
    return data[:end] + extra + data[end:]


def test_photos_are_photos() -> None:
    assert not overlong(photo())
    jpegs = [data for one in SAMPLES if (data := sample_bytes(one)).startswith(b"\xff\xd8")]
    assert len(jpegs) >= 8
    assert not any(map(overlong, jpegs))


@pytest.mark.parametrize(
    ("extra", "refused"),
    [
        (b"\xff\xfe\xff\xff" + bytes(65533), False),  # a comment of full length
        ((b"\xff\xfe\xff\xff" + bytes(65533)) * 200, False),  # 13 MB of them
        (bytes(1000), False),  # junk, which readers pass over
        (bytes(JUNK_BYTES + 1), True),
        (b"\xff" * (JUNK_BYTES + 2), True),  # padding without end
        (b"\xff\x00" * (JUNK_BYTES // 2 + 1), True),
        (b"\xff\xfe\x00\x02" * (SEGMENTS + 1), True),  # empty comments
        (b"\xff\x01" * (SEGMENTS + 1), True),
    ],
    ids=["comment", "comments", "some", "junk", "padding", "stuffing", "segments", "markers"],
)
def test_a_header_without_end_is_refused(extra: bytes, refused: bool) -> None:
    data = with_header(extra)
    assert overlong(data) is refused
    if refused:
        with pytest.raises(ImageError, match="damaged or cut off"):
            open_image(data)
    else:
        assert open_image(data).size == (50, 40)


def test_a_cut_header_is_left_to_the_decoder() -> None:
    for length in range(2, 60):
        assert not overlong(photo()[:length])
