"""LeNet-5: its numbers, and its accuracy on digits that the training never saw."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from explorer.catalog import find
from explorer.networks import NETWORKS
from explorer.networks.lenet5 import LeNet5
from explorer.preprocess import ink_on_black, preprocess
from explorer.zoo import LoadedModel, load

ASSETS = Path(__file__).resolve().parents[2] / "assets"
METRICS = json.loads((ASSETS / "weights" / "lenet5" / "metrics.json").read_text())


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    spec = find("lenet5")
    return load(spec, spec.weights[0].id)


@pytest.fixture(scope="module")
def held_out() -> tuple[np.ndarray, np.ndarray]:
    with np.load(ASSETS / "data" / "mnist" / "heldout.npz", allow_pickle=False) as data:
        return data["images"], data["labels"]


def read(loaded: LoadedModel, image: Image.Image) -> int:
    x, _ = preprocess(image, loaded.preprocessing)
    with torch.inference_mode():
        return int(loaded.module(x).argmax())


def test_parameters_layer_by_layer() -> None:
    expected = {
        "conv1": 6 * (1 * 5 * 5 + 1),  # 156
        "conv2": 16 * (6 * 5 * 5 + 1),  # 2,416
        "fc1": 120 * (16 * 5 * 5 + 1),  # 48,120
        "fc2": 84 * (120 + 1),  # 10,164
        "fc3": 10 * (84 + 1),  # 850
    }
    found = {
        name: sum(p.numel() for p in module.parameters())
        for name, module in LeNet5().named_children()
        if any(True for _ in module.parameters())
    }
    assert found == expected
    assert sum(found.values()) == 61_706


def test_shapes_and_modules_that_run_once() -> None:
    network = LeNet5()
    shapes: dict[str, list[tuple[int, ...]]] = {}
    for name, module in network.named_children():
        module.register_forward_hook(
            lambda _m, _i, output, name=name: shapes.setdefault(name, []).append(output.shape)
        )
    network(torch.zeros(2, 1, 32, 32))
    assert all(len(calls) == 1 for calls in shapes.values())
    assert len(shapes) == len(list(network.children()))
    assert shapes["conv1"] == [(2, 6, 28, 28)]
    assert shapes["conv2"] == [(2, 16, 10, 10)]
    assert shapes["flatten"] == [(2, 400)]
    assert shapes["fc3"] == [(2, 10)]
    assert not any(m.inplace for m in network.modules() if isinstance(m, nn.ReLU))


def test_registry() -> None:
    assert NETWORKS["lenet5"] is LeNet5


def test_accuracy_on_the_held_out_digits(
    loaded: LoadedModel, held_out: tuple[np.ndarray, np.ndarray]
) -> None:
    """Measured again, digit by digit as the app reads them, and as the catalog states it."""
    images, labels = held_out
    assert len(images) == METRICS["heldout_count"] == 2_000
    batch = torch.cat(
        [preprocess(Image.fromarray(image), loaded.preprocessing)[0] for image in images]
    )
    with torch.inference_mode():
        right = int((loaded.module(batch).argmax(1).numpy() == labels).sum())
    assert 100 * right / 2_000 == pytest.approx(METRICS["heldout_accuracy_pct"], abs=0.05)
    assert right >= 1_960  # 98 % of 2,000
    assert loaded.weights is not None
    assert loaded.weights.top1 == METRICS["heldout_accuracy_pct"]


def test_the_model_card_states_the_measured_figures() -> None:
    card = (ASSETS / "weights" / "lenet5" / "README.md").read_text(encoding="utf-8")
    assert f"**{METRICS['heldout_accuracy_pct']} %** of 2000 digits" in card
    assert f"| Seed | {METRICS['seed']} |" in card
    assert METRICS["train_count"] + METRICS["validation_count"] + 2_000 == 10_000


@pytest.mark.parametrize("digit", range(10))
def test_the_ten_sample_digits_are_read_right(
    loaded: LoadedModel, held_out: tuple[np.ndarray, np.ndarray], digit: int
) -> None:
    with Image.open(ASSETS / "images" / "digits" / f"{digit}.png") as image:
        image.load()
    small = np.asarray(image.resize((28, 28), Image.Resampling.NEAREST))
    images, labels = held_out
    assert any(np.array_equal(small, other) for other in images[labels == digit])
    assert read(loaded, image.convert("RGB")) == digit
    # Photographed: grey ink (30) on light grey paper (215), twice as large, not square.
    paper = Image.fromarray((215 - small.astype(np.float32) * (185 / 255)).astype(np.uint8))
    photo = Image.new("RGB", (80, 56), (215, 215, 215))
    photo.paste(paper.resize((56, 56), Image.Resampling.BICUBIC), (12, 0))
    assert read(loaded, photo) == digit


def test_ink_on_black_keeps_mnist_as_it_is(held_out: tuple[np.ndarray, np.ndarray]) -> None:
    for image in held_out[0][:50]:
        assert np.array_equal(np.asarray(ink_on_black(Image.fromarray(image))), image)


def test_ink_on_black_turns_paper_black() -> None:
    values = np.full((10, 10), 200, dtype=np.uint8)
    values[4:6, 4:6] = 50
    found = np.asarray(ink_on_black(Image.fromarray(values)))
    assert found[0, 0] == 0
    assert found[4, 4] == 255
    blank = Image.new("L", (10, 10), 255)
    assert np.asarray(ink_on_black(blank)).max() == 0
