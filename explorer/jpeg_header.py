"""What stands before the image data of a JPEG, looked at before Pillow reads it byte by byte."""

from __future__ import annotations

# Cameras leave a few bytes between segments, or none; and 20 MB of metadata are a few hundred.
JUNK_BYTES = 2**20
SEGMENTS = 20_000
START_OF_SCAN = 0xDA


def overlong(data: bytes) -> bool:
    """Whether the header of a JPEG has more between its segments, or more of them, than any photo.

    Pillow reads what is between segments one byte at a time: 8 MB took a second.

    Args:
        data: The whole file, which begins with the marker of a JPEG.
    """
    at, junk, segments = 2, 0, 0
    while at + 4 <= len(data):
        if data[at] != 0xFF or data[at + 1] in (0x00, 0xFF):
            following = data.find(b"\xff", at + 1)
            following = len(data) if following < 0 else following
            junk, at = junk + following - at, following
        elif data[at + 1] == START_OF_SCAN:
            return False
        elif 0xD0 <= data[at + 1] <= 0xD9 or data[at + 1] == 0x01:  # markers without a length
            at, segments = at + 2, segments + 1
        else:
            at, segments = at + 2 + int.from_bytes(data[at + 2 : at + 4]), segments + 1
        if junk > JUNK_BYTES or segments > SEGMENTS:
            return True
    return False
