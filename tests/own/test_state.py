"""Own weights in a network: names mapped where that is certain, the rest listed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from explorer.catalog import find
from explorer.errors import OwnWeightsError
from explorer.own_state import examine
from explorer.pool import ModelPool
from explorer.requests import ModelRef
from explorer.weights import own_weights_spec
from explorer.zoo import build, load_own

State = dict[str, Tensor]


def made(model: str = "lenet5", seed: int = 1) -> State:
    """Weights of a network that nobody else has."""
    generator = torch.Generator().manual_seed(seed)
    state = build(find(model)).state_dict()
    return {
        name: torch.rand(tensor.shape, generator=generator).to(tensor.dtype)
        for name, tensor in state.items()
    }


def written(folder: Path, state: State) -> Path:
    path = folder / "own.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, path)
    return path


@pytest.mark.parametrize(
    "prefix", ["", "module.", "model.", "state_dict.", "state_dict.model.", "_orig_mod.module."]
)
def test_prefixes_of_wrappers_go(tmp_path: Path, prefix: str) -> None:
    state = made()
    path = written(tmp_path, {prefix + name: tensor for name, tensor in state.items()})
    spec = find("lenet5")
    report = examine(build(spec), path)
    assert report.fits
    assert report.matched == len(state)
    assert report.renamed == (len(state) if prefix else 0)
    loaded = load_own(spec, own_weights_spec(spec, "own-abcdef", str(path)))
    assert loaded.weights is not None
    assert (loaded.weights.id, loaded.untrained) == ("own-abcdef", False)
    for name, tensor in loaded.module.state_dict().items():
        torch.testing.assert_close(tensor, state[name])


def test_a_prefix_that_not_all_names_have_stays(tmp_path: Path) -> None:
    state = made()
    first = next(iter(state))
    mixed = {(name if name == first else f"module.{name}"): t for name, t in state.items()}
    report = examine(build(find("lenet5")), written(tmp_path, mixed))
    assert len(report.unexpected) == len(report.missing) == len(state) - 1


def test_a_head_of_another_library_is_mapped_where_it_can_only_be_that(tmp_path: Path) -> None:
    state = made("resnet18")
    renamed = {name.replace("fc.", "head."): tensor for name, tensor in state.items()}
    report = examine(build(find("resnet18")), written(tmp_path, renamed))
    assert report.fits
    assert report.renamed == 2
    # Two candidates: nobody knows which one is meant.
    renamed |= {"classifier.weight": state["fc.weight"].clone()}
    report = examine(build(find("resnet18")), written(tmp_path, renamed))
    assert {name for name, _shape in report.missing} == {"fc.weight", "fc.bias"}


def test_a_head_with_other_classes_is_listed_with_both_shapes(tmp_path: Path) -> None:
    state = made("resnet18") | {"fc.weight": torch.zeros(7, 512), "fc.bias": torch.zeros(7)}
    path = written(tmp_path, state)
    report = examine(build(find("resnet18")), path)
    assert report.mismatched == (("fc.bias", (7,), (1000,)), ("fc.weight", (7, 512), (1000, 512)))
    assert report.matched == len(state) - 2
    spec = find("resnet18")
    with pytest.raises(OwnWeightsError, match=r"do not fit ResNet-18: .* 2 of another shape"):
        load_own(spec, own_weights_spec(spec, "own-abcdef", str(path)))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_values_that_are_no_numbers_are_named(
    tmp_path: Path, value: float, dtype: torch.dtype
) -> None:
    state = made()
    name = list(state)[2]
    state = {key: tensor.to(dtype) for key, tensor in state.items()}
    state[name].view(-1)[3] = value
    path = written(tmp_path, state)
    assert examine(build(find("lenet5")), path).nonfinite == (name,)
    spec = find("lenet5")
    with pytest.raises(OwnWeightsError, match="1 with NaN or infinity"):
        load_own(spec, own_weights_spec(spec, "own-abcdef", str(path)))


def test_quantised_weights_are_no_weights(tmp_path: Path) -> None:
    state = made()
    name = next(iter(state))
    state[name] = torch.zeros(state[name].shape, dtype=torch.int8)
    report = examine(build(find("lenet5")), written(tmp_path, state))
    assert [found for found, *_ in report.mismatched] == [f"{name} (torch.int8)"]


def test_counters_that_old_files_lack_may_be_missing(tmp_path: Path) -> None:
    state = {n: t for n, t in made("resnet18").items() if "num_batches_tracked" not in n}
    assert examine(build(find("resnet18")), written(tmp_path, state)).fits


def test_weights_of_another_network_are_all_listed(tmp_path: Path) -> None:
    report = examine(build(find("lenet5")), written(tmp_path, made("resnet18")))
    assert report.matched == 0
    # Both have a first convolution of this name.
    assert report.mismatched == (("conv1.weight", (64, 3, 7, 7), (6, 1, 5, 5)),)
    assert len(report.unexpected) == len(made("resnet18")) - 1
    assert not report.fits


def test_the_pool_tells_files_apart(tmp_path: Path) -> None:
    pool = ModelPool(budget_bytes=10**8, device="cpu")
    paths = []
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        paths.append(written(tmp_path / str(seed), made(seed=seed)))
    first, second = (ModelRef("lenet5", "own-abcdef", str(path)) for path in paths)
    name = next(iter(made()))
    with pool.use(first) as loaded:
        one = loaded.module.state_dict()[name].clone()
    with pool.use(second) as loaded:
        other = loaded.module.state_dict()[name].clone()
    torch.testing.assert_close(one, made(seed=1)[name])
    torch.testing.assert_close(other, made(seed=2)[name])


def test_a_file_that_is_gone_is_said() -> None:
    spec = find("lenet5")
    with pytest.raises(OwnWeightsError, match="are gone; choose others"):
        load_own(spec, own_weights_spec(spec, "own-abcdef", "/nowhere/own.safetensors"))
