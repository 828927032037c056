from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from explorer.catalog import find
from explorer.errors import LayerError
from explorer.inspection.code import LONGEST_CODE, class_code
from explorer.inspection.snippets import extractor_snippet, hook_snippet, module_layer
from tests.inspection.conftest import Graphs


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("torchvision.models.resnet.Bottleneck", "torchvision/models/resnet.py"),
        ("torch.nn.modules.conv.Conv2d", "torch/nn/modules/conv.py"),
        ("timm.layers.conv2d_same.Conv2dSame", "timm/layers/conv2d_same.py"),
        ("explorer.networks.lenet5.LeNet5", "explorer/networks/lenet5.py"),
    ],
)
def test_the_class_is_at_its_file_and_line(source: str, file: str) -> None:
    found = class_code(source)
    name = source.rpartition(".")[2]
    assert found.file == file
    assert not Path(found.file).is_absolute()
    assert f"class {name}" in found.text
    package = __import__(source.partition(".")[0])
    root = Path(str(package.__file__)).parent.parent
    lines = (root / found.file).read_text("utf-8").splitlines()
    assert found.text.splitlines()[0] in lines[found.line - 1]
    assert found.text.count("\n") + 1 <= min(found.lines, LONGEST_CODE)


def test_long_code_is_cut() -> None:
    found = class_code("torch.nn.modules.module.Module")
    assert found.lines > LONGEST_CODE
    assert found.text.count("\n") < LONGEST_CODE


@pytest.mark.parametrize(
    "source", ["os.path.join", "torchvision.models.resnet.Nothing", "subprocess.Popen", "", "torch"]
)
def test_only_classes_of_the_libraries_are_read(source: str) -> None:
    with pytest.raises(LayerError, match="is not on this machine"):
        class_code(source)


# An untrained network is random: both snippets get the same seed, so the same network and input.
@pytest.mark.parametrize(
    ("model", "layer"),
    [
        ("lenet5", "conv2"),
        ("resnet18", "layer1.0.relu@2"),
        ("timm/resnet10t", "layer2.0.conv1"),
    ],
)
def test_the_snippets_run_and_agree(graph_of: Graphs, model: str, layer: str) -> None:
    spec = find(model)
    scripts = [hook_snippet(spec, None, layer), extractor_snippet(spec, None, layer)]
    found: list[torch.Tensor] = []
    for script in scripts:
        assert script is not None
        names: dict[str, Any] = {}
        torch.manual_seed(0)
        exec(compile(script, "snippet", "exec"), names)  # the text that the page shows
        # The input is drawn after the network: drawn again here, it is the same for both.
        found.append(names["features"])
        assert tuple(found[-1].shape) == graph_of(model).module_by_id[layer].outputs[0].shape
    torch.testing.assert_close(found[0], found[1])


def test_trained_weights_are_named() -> None:
    assert 'weights="IMAGENET1K_V2"' in hook_snippet(find("resnet50"), "IMAGENET1K_V2", "conv1")
    spec = find("timm/resnet10t")
    tag = spec.weights[0].id
    assert f'"resnet10t.{tag}", pretrained=True' in hook_snippet(spec, tag, "conv1")
    lite0 = find("tf_efficientnet_lite0")
    assert '"in1k"' in hook_snippet(lite0, "in1k", "conv_stem")


def test_the_whole_network_needs_no_extractor() -> None:
    assert extractor_snippet(find("lenet5"), None, "") is None
    assert 'get_submodule("")' in hook_snippet(find("lenet5"), None, "")


def test_an_op_falls_back_to_its_module() -> None:
    assert module_layer("op:add_1", "layer1.0") == "layer1.0"
    assert module_layer("layer1.0.relu@2", "layer1.0.relu@2") == "layer1.0.relu@2"
