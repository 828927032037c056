"""Pictures that a page computes travel within it.

``st.image`` keeps what it shows in a store of the server and sends its address. A picture of a run
that the next one overtakes is thrown out of that store before a slow browser has asked for it; and
PNG files without transparency, which our maps are, are sent as JPEG of quality 90 from there.
"""

from __future__ import annotations

import base64


def in_page(png: bytes) -> str:
    """The bytes of a PNG file as an address that holds them, which ``st.image`` takes."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")
