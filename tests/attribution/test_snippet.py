"""The downloaded script makes the same map again."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from explorer.attribution import METHODS, ExplainRequest, explain
from explorer.attribution.snippet import snippet, uses_captum
from explorer.images import IMAGE_DIR, open_image
from explorer.requests import ModelRef
from explorer.zoo import LoadedModel

ROOT = Path(__file__).resolve().parents[2]
SEVEN = IMAGE_DIR / "digits" / "7.png"


def run(script: str, folder: Path, *, alone: bool) -> np.ndarray:
    """The map that a script writes, run by itself or, as that costs seconds, in this process."""
    path, map = folder / "again.py", folder / "map.npy"
    path.write_text(script)
    if alone:
        subprocess.run(
            [sys.executable, str(path), str(SEVEN), str(map)],
            check=True,
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1", "HOME": str(folder)},
            timeout=120,
        )
    else:
        with mock.patch.object(sys, "argv", [str(path), str(SEVEN), str(map)]):
            runpy.run_path(str(path))
    return np.load(map)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("saliency", {"channels": "mean"}),
        ("integrated_gradients", {"baseline": "grey", "steps": 20}),
        ("integrated_gradients", {"steps": 20}),  # black and white
        ("grad_cam", {"relu": False}),
        ("occlusion", {}),  # by our own call
    ],
)
def test_the_script_gives_the_map(
    lenet5: LoadedModel, tmp_path: Path, method: str, options: dict[str, Any]
) -> None:
    request = ExplainRequest(method, target=3, options=options)
    found = explain(lenet5, open_image(SEVEN.read_bytes()), request)
    assert lenet5.weights is not None
    ref = ModelRef("lenet5", lenet5.weights.id)
    script = snippet(ref, request, found)
    assert (
        ("from captum.attr import" in script)
        == uses_captum(ref, request)
        == (method != "occlusion")
    )
    again = run(script, tmp_path, alone=method == "grad_cam")
    assert np.abs(again - found.map).max() <= 1e-4 * np.abs(found.map).max()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_script(lenet5: LoadedModel, method: str) -> None:
    request = ExplainRequest("saliency", target=3)
    found = explain(lenet5, open_image(SEVEN.read_bytes()), request)
    script = snippet(ModelRef("lenet5"), ExplainRequest(method, target=3), found)
    compile(script, f"{method}.py", "exec")
    assert "lenet5" in script


def test_what_plain_captum_cannot_say_is_left_to_our_own_call() -> None:
    lenet, vit = ModelRef("lenet5"), ModelRef("vit_b_16")
    for kind in ("blurred", "several"):
        options = {"baseline": kind}
        assert not uses_captum(lenet, ExplainRequest("integrated_gradients", options=options))
    assert not uses_captum(lenet, ExplainRequest("saliency", against=3))
    assert not uses_captum(lenet, ExplainRequest("saliency", output="probability"))
    assert uses_captum(lenet, ExplainRequest("grad_cam"))
    assert not uses_captum(vit, ExplainRequest("grad_cam"))  # its layers answer in tokens
