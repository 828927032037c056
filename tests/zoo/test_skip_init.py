"""Initialisation is skipped inside, for this thread only, and put back whatever happens."""

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from explorer.skip_init import skip_init


def names() -> dict[str, object]:
    import timm.layers.weight_init as timm_init

    found: dict[str, object] = {
        name: value for name, value in vars(nn.init).items() if name.endswith("_")
    }
    found["timm"] = timm_init._trunc_normal_
    found["attention"] = nn.modules.activation.xavier_uniform_
    return found


@pytest.mark.parametrize(
    "name", [n for n in vars(nn.init) if n.endswith("_") and not n.startswith("_")]
)
def test_every_function_leaves_its_tensor_alone(name: str) -> None:
    tensor = torch.full((3, 3, 3), 5.0)
    options = {"constant_": {"val": 1.0}, "sparse_": {"sparsity": 0.5}}.get(name, {})
    with skip_init():
        assert getattr(nn.init, name)(tensor, **options) is tensor
        assert getattr(nn.init, name)(tensor=tensor, **options) is tensor
    assert tensor.eq(5).all()


def test_restored_after_the_block_and_after_an_error() -> None:
    before = names()
    with skip_init(), skip_init():
        assert names() != before
    assert names() == before
    with pytest.raises(ValueError, match="inside"), skip_init():
        raise ValueError("inside")
    assert names() == before
    torch.manual_seed(0)
    assert nn.init.uniform_(torch.full((4,), 5.0), 0, 1).lt(1).all()


def test_timms_own_functions_are_skipped() -> None:
    from timm.layers import lecun_normal_, trunc_normal_, trunc_normal_tf_

    tensor = torch.full((3, 3), 5.0)
    before = torch.get_rng_state()
    with skip_init():
        trunc_normal_(tensor)
        assert tensor.eq(5).all()
        lecun_normal_(tensor)  # still scales, but draws nothing
    assert torch.equal(torch.get_rng_state(), before)
    trunc_normal_tf_(tensor, std=0.1)
    assert tensor.ne(5).all()


def test_another_thread_is_not_affected() -> None:
    inside, checked = threading.Event(), threading.Event()
    found: list[torch.Tensor] = []

    def build() -> None:
        inside.wait(10)
        found.append(nn.init.ones_(torch.zeros(3)))
        checked.set()

    thread = threading.Thread(target=build)
    thread.start()
    with skip_init():
        inside.set()
        assert checked.wait(10)
        assert nn.init.ones_(torch.zeros(3)).eq(0).all()
    thread.join(10)
    assert found[0].eq(1).all()


def test_stays_while_any_thread_is_inside() -> None:
    """The first to leave must not put the functions back under the second."""
    before = names()
    entered, leave = threading.Event(), threading.Event()
    found: list[torch.Tensor] = []

    def second() -> None:
        with skip_init():
            entered.set()
            leave.wait(10)
            found.append(nn.init.ones_(torch.zeros(3)))

    thread = threading.Thread(target=second)
    with skip_init():
        thread.start()
        assert entered.wait(10)
    leave.set()
    thread.join(10)
    assert found[0].eq(0).all()
    assert names() == before


def test_networks_that_fake_tensors_cannot_initialise() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torchvision import models

    with skip_init(), FakeTensorMode():
        assert models.get_model("convnext_tiny", weights=None).features[0][0].weight.ndim == 4
