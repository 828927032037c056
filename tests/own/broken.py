"""Lists of networks that are none, for ``EXPLORER_MODELS``; without torch, which takes seconds."""

from __future__ import annotations

import os

from explorer.own_models import OwnModel


def nothing() -> int:
    """No list at all."""
    return 7


def raises() -> list[OwnModel]:
    """Fails when it is called."""
    raise RuntimeError("the disk with the networks\nis not mounted")


def leaves() -> list[OwnModel]:
    """Ends the process the hard way, as a crash in native code does."""
    os._exit(3)
