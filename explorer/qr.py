"""QR codes of addresses, made here: no service learns what an audience looks at."""

from __future__ import annotations

import io
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from explorer.errors import TourError
from explorer.i18n import N_

LONGEST = 1_500  # characters; what phones still read from the back of a room is less
_SPEAKERS_OWN = ("talk", "step")


def audience_url(address: str) -> str:
    """The address of a view without the parameters of the talk.

    Raises:
        TourError: It is no web address, or too long for a code.
    """
    if len(address) > LONGEST:
        raise TourError(
            N_("This view's address has more than {most} characters, too many for a QR code."),
            most=LONGEST,
        )
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TourError(N_("This view has no web address that a QR code could carry."))
    query = [
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if key not in _SPEAKERS_OWN
    ]
    return urlunsplit(parts._replace(query=urlencode(query, safe=",/:"), fragment=""))


def qr_svg(text: str) -> str:
    """An SVG element with the QR code of a text, black on white with its quiet zone.

    Args:
        text: Up to ``LONGEST`` characters. Only squares made from it are in the picture.
    """
    import segno

    code = segno.make(text, error="m", micro=False)
    out = io.BytesIO()
    code.save(
        out, kind="svg", xmldecl=False, svgns=True, border=4, dark="#000", light="#fff",
        omitsize=True,
    )  # fmt: skip
    return out.getvalue().decode("utf-8")
