"""Every network from its paper: its transcribed numbers, and a second formulation of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from explorer.catalog import CATALOG, find
from explorer.networks import NETWORKS
from explorer.networks.lenet5_1998 import targets
from explorer.preprocess import preprocess
from explorer.trace import trace_spec
from explorer.zoo import build, load
from tests.networks.second_form import SecondForm

ASSETS = Path(__file__).resolve().parents[2] / "assets"
RECORDS: dict[str, dict[str, Any]] = {
    record["id"]: record
    for record in json.loads((ASSETS / "data" / "architectures.json").read_text(encoding="utf-8"))
}
TRAINED = ["lenet5_1998", "ciresan_mlp_small"]


@pytest.fixture(params=list(RECORDS))
def network_id(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_all_networks_are_transcribed_and_catalogued() -> None:
    assert set(NETWORKS) == {"lenet5", *RECORDS}
    assert set(NETWORKS) == {m for m in CATALOG if CATALOG[m].source == "explorer"}
    for record in RECORDS.values():
        for column in ("params", "macs"):
            assert sum(row[column] for row in record["layers"]) == record[column], record["id"]


def test_counts_of_the_traced_network_are_the_papers(network_id: str) -> None:
    record, spec = RECORDS[network_id], find(network_id)
    assert list(spec.input_size) == record["input_size"]
    assert (spec.params, spec.macs) == (record["params"], record["macs"])
    graph = trace_spec(spec)
    assert (graph.total_params, graph.total_macs) == (record["params"], record["macs"])
    # (128·512 + 128) + (1024·2048 + 1024) + 1,025,000, and with 528 channels before it
    assert graph.aux_params == (3_188_840 + 3_190_888 if network_id == "googlenet_2014" else 0)


def test_published_parameters() -> None:
    published = {
        "lenet5_1998": 60_000, "ciresan_mlp": 11_972_510, "ciresan_mlp_small": 1_290_510,
        "alexnet_2012": 60_965_224, "nin_imagenet": 7_595_176, "nin_cifar10": 966_986,
        "googlenet_2014": 6_998_552, "bn_inception": 11_285_224, "bn_alexnet": 60_541_992,
        "bn_nin": 8_655_336, "enet": 5_861_508,
    }  # fmt: skip
    assert {model: find(model).params for model in published} == published


def _stirred(network: nn.Module) -> nn.Module:
    """Statistics, slopes and biases that are not 0 and 1, so that each of them shows."""
    generator = torch.Generator().manual_seed(7)

    def draw(like: Tensor, low: float, high: float) -> Tensor:
        return torch.rand(like.shape, generator=generator) * (high - low) + low

    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.copy_(draw(module.running_mean, -0.2, 0.2))
                module.running_var.copy_(draw(module.running_var, 0.5, 2))
                module.weight.copy_(draw(module.weight, 0.5, 1.5))
            if isinstance(module, nn.PReLU):
                module.weight.copy_(draw(module.weight, 0.05, 0.5))
            bias = getattr(module, "bias", None)
            if isinstance(bias, nn.Parameter):
                bias.copy_(draw(bias, -0.1, 0.1))
    return network.double()


def test_forward_pass_is_that_of_the_table(network_id: str) -> None:
    """In fp64, against the table of the paper run by hand."""
    spec = find(network_id)
    network = _stirred(build(spec))
    x = torch.randn(1, *spec.input_size, generator=torch.Generator().manual_seed(3)).double()
    with torch.inference_mode():
        found, expected = network(x), SecondForm(RECORDS[network_id], network)(x)
    assert found.shape == expected.shape == (1, spec.num_classes)
    spread = float(expected.max() - expected.min())
    assert spread > 1e-3  # the signal reaches the output
    assert float((found - expected).abs().max()) < 1e-9 * float(expected.abs().max())


def test_googlenet_has_its_heads_in_training_only() -> None:
    network = build(find("googlenet_2014"))
    x = torch.zeros(1, 3, 224, 224)
    with torch.no_grad():
        assert network(x).shape == (1, 1000)
        outputs = network.train()(x)
    assert [tuple(one.shape) for one in outputs] == [(1, 1000)] * 3
    kernels = {tuple(m.kernel_size) for m in network.modules() if isinstance(m, nn.Conv2d)}
    assert kernels == {(1, 1), (3, 3), (5, 5), (7, 7)}  # torchvision's has no 5×5


def test_target_pictures_are_ten_different_ones() -> None:
    pictures = targets()
    assert pictures.shape == (10, 7 * 12)
    assert set(pictures.unique().tolist()) == {-1.0, 1.0}
    different = torch.cdist(pictures, pictures).square() / 4  # pixels that differ
    assert int((different + 99 * torch.eye(10)).min()) >= 8


@pytest.mark.parametrize("network", TRAINED)
def test_accuracy_on_the_held_out_digits(network: str) -> None:
    """Measured again on digits that the training never saw, as the catalog states it."""
    metrics = json.loads((ASSETS / "weights" / network / "metrics.json").read_text())
    spec = find(network)
    loaded = load(spec, spec.weights[0].id)
    with np.load(ASSETS / "data" / "mnist" / "heldout.npz", allow_pickle=False) as data:
        images, labels = data["images"], data["labels"]
    batch = torch.cat([preprocess(Image.fromarray(i), loaded.preprocessing)[0] for i in images])
    with torch.inference_mode():
        right = int((loaded.module(batch).argmax(1).numpy() == labels).sum())
    assert len(images) == metrics["heldout_count"] == 2_000
    assert 100 * right / 2_000 == pytest.approx(metrics["heldout_accuracy_pct"], abs=0.05)
    assert right >= 1_940  # 97 % of 2,000
    assert spec.weights[0].top1 == metrics["heldout_accuracy_pct"]


@pytest.mark.parametrize("network", TRAINED)
def test_model_card_and_log_state_the_figures(network: str) -> None:
    folder = ASSETS / "weights" / network
    metrics = json.loads((folder / "metrics.json").read_text())
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"**{metrics['heldout_accuracy_pct']} %** of 2000 digits" in card
    log = (folder / "training.txt").read_text().splitlines()
    assert len(log) == metrics["epochs"]
    best = log[metrics["best_epoch"] - 1]
    assert best.endswith(f"validation {metrics['validation_accuracy_pct']:.2f} %")
    assert metrics["train_count"] + metrics["validation_count"] + 2_000 == 10_000
