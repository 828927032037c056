"""A map to take along: picture, raw numbers, settings, the code that makes it again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from explorer.attribution.snippet import snippet
from explorer.i18n import _
from explorer.results import Attribution
from explorer.tasks import Explain


def downloads(found: Attribution, label: str, picture: bytes, task: Explain) -> None:
    """The buttons below a map.

    Args:
        found: The map.
        label: Name of the class.
        picture: PNG as shown.
        task: What computed it.
    """
    name = f"{found.model.replace('/', '-')}-{found.method}"
    # Only the picture is there already; the others are made when somebody asks for them.
    files: dict[str, tuple[bytes | Callable[[], str | bytes], str, str]] = {
        "PNG": (picture, "png", "image/png"),
        "NPZ": (partial(npz, found, label), "npz", "application/octet-stream"),
        "JSON": (partial(document, found, label), "json", "application/json"),
        _("Code"): (partial(snippet, task.ref, task.request, found), "py", "text/x-python"),
    }
    with st.container(horizontal=True, gap="small"):
        for title, (data, ending, kind) in files.items():
            st.download_button(
                title, data, f"{name}.{ending}", kind, on_click="ignore",
                key=f"{ending}-{found.method}", icon=":material/download:", type="tertiary",
            )  # fmt: skip


def about(found: Attribution, label: str) -> dict[str, object]:
    """All settings and figures of a map, as plain data."""
    return {
        "model": found.model,
        "weights": found.weights,
        "method": found.method,
        "target": {"index": found.target, "label": label},
        "also": list(found.also),
        "against": found.against,
        "output": found.output,
        "layer": found.layer,
        "options": found.options,
        "completeness_delta": found.delta,
        "seconds": found.seconds,
        "warnings": list(found.warnings),
        "repaired": list(found.repaired),
    }


def npz(found: Attribution, label: str) -> bytes:
    """``map`` (H, W) float32, ``crop`` (H, W, 3) uint8, ``probabilities``, ``about`` (JSON).

    With ``channels`` (C, H, W) float32 where they were asked for.
    """
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {
        "map": found.map,
        "crop": found.crop,
        "probabilities": found.probabilities,
        "about": np.array(json.dumps(about(found, label), ensure_ascii=False)),
    }
    if found.channels is not None:
        arrays["channels"] = found.channels
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def document(found: Attribution, label: str) -> str:
    """All settings and the raw map as JSON."""
    rows = [[round(float(value), 7) for value in row] for row in found.map]
    return json.dumps(about(found, label) | {"map": rows}, ensure_ascii=False)
