"""Own weights on the pages: taken where they fit, listed where not, of one session only."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from explorer.catalog import find
from explorer.own_weights import CONVERT, folder
from explorer.zoo import build
from tests.pages.conftest import Open, finish, texts


def weights(model: str = "lenet5", **changed: torch.Tensor) -> bytes:
    generator = torch.Generator().manual_seed(5)
    state = build(find(model)).state_dict()
    made = {
        name: torch.rand(tensor.shape, generator=generator).to(tensor.dtype) - 0.5
        if tensor.is_floating_point() else tensor
        for name, tensor in state.items()
    }  # fmt: skip
    return save({f"module.{name}": tensor for name, tensor in (made | changed).items()})


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    (own,) = (widget for widget in app.file_uploader if str(widget.key).startswith("_own_file"))
    own.set_value((name, data, "application/octet-stream"))
    return finish(app.run())


@pytest.mark.parametrize("page", ["attribution", "complexity", "latency"])
def test_own_weights_are_chosen_and_said_not_to_be_verified(open_page: Open, page: str) -> None:
    app = upload(open_page(page, model="lenet5"), "digits.safetensors", weights())
    assert not app.error, [error.value for error in app.error]
    chosen = app.selectbox(key="weights").value
    assert str(chosen).startswith("own-")
    assert f"{chosen} (own weights, not verified)" in texts(app).replace("\\", "")
    if page == "attribution":  # the others count and time, whatever the weights
        assert any("Own weights, not verified" in info.value for info in app.info)
    assert not any("Untrained network" in warning.value for warning in app.warning)


def test_another_session_does_not_reach_them(open_page: Open) -> None:
    first = upload(open_page("attribution", model="lenet5"), "digits.safetensors", weights())
    chosen = str(first.selectbox(key="weights").value)
    other = open_page("attribution", model="lenet5", weights=chosen)
    assert other.selectbox(key="weights").value != chosen
    assert any("has no weights" in warning.value for warning in other.warning)
    compared = open_page("compare", compare=f"lenet5:{chosen}")
    assert any("has no weights" in warning.value for warning in compared.warning)


def test_they_are_compared_with_the_published_ones(open_page: Open) -> None:
    app = upload(open_page("compare", model="lenet5"), "digits.safetensors", weights())
    chosen = str(app.selectbox(key="weights").value)
    app.button(key="compare-add").click()
    finish(app.run())
    assert app.session_state["_compare"][0].selection.ref.weights == chosen
    assert not app.error, [error.value for error in app.error]


def test_what_does_not_fit_is_listed_by_name_and_shape(open_page: Open) -> None:
    app = open_page("complexity", model="lenet5")
    before = app.selectbox(key="weights").value
    there = set(folder().rglob("*.safetensors"))  # of sessions that this process had before
    app = upload(app, "<b>other</b>.safetensors", weights("resnet18"))
    assert app.selectbox(key="weights").value == before
    (said,) = (error.value for error in app.error)
    assert "does not fit" in said
    assert "<b>" not in said.replace("\\<b\\>", "")
    listed = "\n".join(text.value for text in app.text)
    # conv1.weight is in both; the first twenty of the other 121 are listed.
    assert "Not in the network (121):" in listed
    assert "… +101" in listed
    assert "conv1.weight: (64, 3, 7, 7) in the file, (6, 1, 5, 5) in the network" in listed
    assert set(folder().rglob("*.safetensors")) <= there, "a file that is refused is not kept"


def test_not_a_number_is_said(open_page: Open) -> None:
    name = next(iter(build(find("lenet5")).state_dict()))
    broken = torch.full((6, 1, 5, 5), float("nan"))
    app = upload(
        open_page("complexity", model="lenet5"), "a.safetensors", weights(**{name: broken})
    )
    assert "NaN or infinite values (1):" in "\n".join(text.value for text in app.text)


class Planted:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors", "weights.onnx"])
def test_a_planted_pickle_is_refused_and_not_run(
    open_page: Open, tmp_path: Path, name: str
) -> None:
    sprung = tmp_path / "sprung"
    app = upload(
        open_page("complexity", model="lenet5"), name, pickle.dumps(Planted(sprung), protocol=4)
    )
    assert app.error
    assert not sprung.exists()
    if not name.endswith(".onnx"):
        assert any(block.value == CONVERT for block in app.code)
    # Also as a photo.
    page = open_page("attribution", model="lenet5")
    page.file_uploader(key="_uploader").set_value(
        ("photo.png", pickle.dumps(Planted(sprung)), "image/png")
    )
    page = finish(page.run())
    assert page.error
    assert not sprung.exists()


def test_they_can_be_removed(open_page: Open) -> None:
    app = upload(open_page("complexity", model="lenet5"), "digits.safetensors", weights())
    chosen = str(app.selectbox(key="weights").value)
    (path,) = app.session_state["_own_folder"].path.iterdir()
    app.button(key=f"own-drop-{chosen}").click()
    app = finish(app.run())
    assert not path.exists()
    assert app.selectbox(key="weights").value != chosen
