"""Input sizes: other ones than the network's own, and those it does not take."""

from __future__ import annotations

import pytest

from explorer.catalog import find
from explorer.errors import InputSizeError
from explorer.trace import check_size, torchinfo_summary, trace_spec


def test_another_size_changes_what_depends_on_it() -> None:
    spec = find("resnet18")
    own, twice = trace_spec(spec), trace_spec(spec, (3, 448, 448))
    fc = 512 * 1000  # The only part that does not grow with the image.
    assert twice.total_macs - fc == 4 * (own.total_macs - fc)
    assert twice.total_params == own.total_params
    assert trace_spec(spec, (3, 224, 448)).total_macs - fc == 2 * (own.total_macs - fc)


def test_a_vision_transformer_is_built_for_the_size() -> None:
    # Published for the weights of 384 pixels: 86,859,496 parameters, 55.484 GMACs (torchvision).
    graph = trace_spec(find("vit_b_16"), (3, 384, 384))
    assert graph.total_params == 86_859_496
    assert round(graph.total_macs / 1e9, 3) == 55.484


@pytest.mark.parametrize(
    ("model", "size", "words"),
    [
        ("vgg16", (3, 16, 16), "too small"),
        ("alexnet", (3, 30, 30), "too small"),
        ("vit_b_16", (3, 225, 225), "multiple of 16"),
        ("vit_b_16", (3, 224, 448), "3×224×448"),
        ("lenet5", (1, 28, 28), "use 1×32×32"),
        ("lenet5", (3, 32, 32), "takes 1 channels, not 3"),
        ("resnet18", (1, 224, 224), "takes 3 channels, not 1"),
        ("resnet18", (3, 0, 224), "3×0×224"),
        ("resnet18", (3, 10**9, 224), "sides of 1 to 8192"),
        ("timm/vit_tiny_patch16_224", (3, 192, 192), "use 3×224×224"),
    ],
)
def test_a_size_it_does_not_take(model: str, size: tuple[int, int, int], words: str) -> None:
    with pytest.raises(InputSizeError) as caught:
        trace_spec(find(model), size)
    text = str(caught.value)
    assert words in text
    assert text.endswith(".")
    assert "\n" not in text
    assert find(model).name in text or model in text


def test_the_own_size_is_the_default() -> None:
    spec = find("inception_v3")
    assert check_size(spec, None) == (3, 299, 299)


def test_torchinfo_sees_modules_only() -> None:
    found = torchinfo_summary(find("resnet18"))
    assert "BasicBlock" in found.text
    assert found.total_params == found.trainable_params == 11_689_512
    assert found.mult_adds >= trace_spec(find("resnet18")).total_macs
    # The attention of ViT is a function call, which torchinfo does not see.
    transformer = find("vit_b_16")
    assert torchinfo_summary(transformer).mult_adds < trace_spec(transformer).total_macs / 2


def test_torchinfo_at_a_wrong_size() -> None:
    with pytest.raises(InputSizeError):
        torchinfo_summary(find("vgg16"), (3, 16, 16))
