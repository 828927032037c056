from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch
from torch import nn

from explorer.attribution.predict import predict
from explorer.errors import AttributionError
from explorer.images import SAMPLES, open_image, sample_bytes
from explorer.zoo import LoadedModel

# What a small network misses: half a fig on a plate is a wooden spoon to it.
TOO_HARD = {"fig"}
KNOWN = [s for s in SAMPLES.values() if s.dataset == "imagenet" and s.expected]


@pytest.mark.parametrize("id", [sample.id for sample in KNOWN if sample.id not in TOO_HARD])
def test_photos_are_recognised(lite0: LoadedModel, id: str) -> None:
    prediction = predict(lite0, open_image(sample_bytes(id)))
    assert prediction.top[0].index in SAMPLES[id].expected


def test_coffee_is_espresso_and_chelsea_is_a_cat(lite0: LoadedModel) -> None:
    coffee = predict(lite0, open_image(sample_bytes("coffee")))
    assert coffee.top[0].label == "espresso"
    assert coffee.top[0].probability > 0.9  # 0.95
    cat = predict(lite0, open_image(sample_bytes("chelsea")))
    assert "cat" in cat.top[0].label
    assert coffee.crop.shape == (224, 224, 3)
    assert pickle.loads(pickle.dumps(coffee)).top == coffee.top


@pytest.mark.parametrize("digit", range(10))
def test_digits_are_read(lenet5: LoadedModel, digit: int) -> None:
    prediction = predict(lenet5, open_image(sample_bytes(f"digit_{digit}")), top_k=20)
    assert prediction.top[0].index == digit
    assert prediction.top[0].label == str(digit)
    assert len(prediction.top) == 10
    probabilities = [score.probability for score in prediction.top]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)


def test_softmax_by_hand(network_of: Any) -> None:
    class Fixed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tensor([[1.0, 5.0, 4.0]]).log() + x.mean() * 0  # odds 1 : 5 : 4

    prediction = predict(network_of(Fixed()), open_image(sample_bytes("fig")), top_k=2)
    assert [score.index for score in prediction.top] == [1, 2]
    assert [score.probability for score in prediction.top] == pytest.approx([0.5, 0.4])


@pytest.mark.parametrize("top_k", [0, -3])
def test_no_classes(lenet5: LoadedModel, top_k: int) -> None:
    with pytest.raises(AttributionError, match=f"cannot be {top_k}"):
        predict(lenet5, open_image(sample_bytes("digit_1")), top_k=top_k)


def test_mode_is_put_back(network_of: Any) -> None:
    module = nn.Sequential(nn.Dropout(0.5), nn.Flatten(), nn.Linear(3 * 16 * 16, 4))
    loaded = network_of(module)
    module.train()
    image = open_image(sample_bytes("fig"))
    assert predict(loaded, image).top == predict(loaded, image).top  # dropout is off
    assert all(part.training for part in module.modules())
