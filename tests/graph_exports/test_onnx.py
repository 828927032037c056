from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from explorer import onnx_export
from explorer.catalog import find
from explorer.errors import LayerError
from explorer.onnx_export import export_onnx
from explorer.zoo import LoadedModel, load


@pytest.mark.parametrize(
    ("model", "trained"),
    [
        ("lenet5", True),
        ("tf_efficientnet_lite0", True),
        pytest.param("squeezenet1_1", False, marks=pytest.mark.slow),
    ],
)
def test_the_file_is_valid_and_computes_the_same(model: str, trained: bool) -> None:
    spec = find(model)
    loaded = load(spec, spec.weights[0].id if trained else None)
    found = export_onnx(loaded)
    onnx.checker.check_model(onnx.load_from_string(found.data), full_check=True)
    assert found.input_shape == (1, *spec.input_size)
    assert found.weights == (spec.weights[0].id if trained else None)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(found.input_shape, generator=generator)
    session = onnxruntime.InferenceSession(found.data, providers=["CPUExecutionProvider"])
    (answer,) = session.run(["logits"], {"image": x.numpy()})
    with torch.no_grad():
        expected = loaded.module(x).numpy()
    np.testing.assert_allclose(answer, expected, atol=1e-4, rtol=1e-4)
    assert all(p.requires_grad for p in loaded.module.parameters())


def small() -> LoadedModel:
    return load(find("lenet5"), None)


def test_too_large_is_one_sentence_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "LARGEST_BYTES", 1_000)
    # 61,706 parameters of four bytes: 246,824.
    with pytest.raises(LayerError, match="LeNet-5 as ONNX has 0 MB, more than the 0 MB"):
        export_onnx(small())


def test_what_torch_cannot_export_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("no such op.\nand a long traceback")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(LayerError) as caught:
        export_onnx(small())
    assert str(caught.value) == (
        "LeNet-5 cannot be written as ONNX (no such op); choose another network."
    )


def test_memory_that_runs_out_passes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise MemoryError

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(MemoryError):
        export_onnx(small())
