"""Every architecture builds, untrained ones always alike."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer.catalog import CATALOG, find
from explorer.zoo import LoadedModel, build, class_names, load, nbytes_of, skip_init

TORCHVISION = [name for name, spec in CATALOG.items() if spec.source == "torchvision"]
SMALL = [name for name in TORCHVISION if find(name).params < 12_000_000]


def count_params(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def check(name: str) -> None:
    spec = find(name)
    module = build(spec, init=False)
    assert not module.training
    assert count_params(module) == spec.params + spec.aux_params
    assert [p for p in module.parameters() if p.requires_grad] == list(module.parameters())


def test_there_are_80() -> None:
    assert len(TORCHVISION) == 80


@pytest.mark.parametrize("name", SMALL)
def test_small_architectures(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCHVISION)
def test_all_architectures(name: str) -> None:
    check(name)


WEIGHTS = [(name, weights.id) for name in TORCHVISION for weights in find(name).weights]


def check_weights(name: str, weights_id: str, monkeypatch: pytest.MonkeyPatch) -> LoadedModel:
    """Given these weights, torchvision's own builder makes the module that ours fills."""
    from pathlib import Path

    from torchvision import models

    enum = models.get_model_weights(name)[weights_id]
    found: list[dict[str, torch.Tensor]] = []

    def keep(module: nn.Module, *_: object, **__: object) -> None:
        found.append(module.state_dict())

    with monkeypatch.context() as patch, skip_init():
        patch.setattr(type(enum), "get_state_dict", lambda *_, **__: {})
        patch.setattr(nn.Module, "load_state_dict", keep)
        models.get_model(name, weights=enum)
    with monkeypatch.context() as patch:
        patch.setattr("explorer.zoo.local_path", lambda *_: Path("there"))
        patch.setattr("explorer.zoo.read_state_dict", lambda _: found[0])
        loaded = load(find(name), weights_id)
    shapes = {key: value.shape for key, value in loaded.module.state_dict().items()}
    assert shapes == {key: value.shape for key, value in found[0].items()}
    return loaded


def test_there_are_115_weights() -> None:
    assert len(WEIGHTS) == 115


@pytest.mark.slow
@pytest.mark.parametrize(("name", "weights_id"), WEIGHTS)
def test_all_weights(name: str, weights_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_weights(name, weights_id, monkeypatch)


def test_larger_pictures_take_more_position_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights of ViT-B/16 for 384×384: 24·24 patches of 16×16 and the class token."""
    loaded = check_weights("vit_b_16", "IMAGENET1K_SWAG_E2E_V1", monkeypatch)
    assert loaded.module.encoder.pos_embedding.shape == (1, 24 * 24 + 1, 768)
    assert build(find("vit_b_16"), init=False).encoder.pos_embedding.shape == (1, 14 * 14 + 1, 768)


@pytest.mark.parametrize("name", ["lenet5", "squeezenet1_1", "mobilenet_v3_small"])
def test_untrained_networks_are_always_the_same(name: str) -> None:
    torch.manual_seed(1)
    first = build(find(name)).state_dict()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = build(find(name)).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[key], second[key]) for key in first)
    weight = next(value for key, value in first.items() if key.endswith("weight"))
    assert weight.std() > 0


def test_untrained_googlenet_has_auxiliary_heads_that_eval_does_not_run() -> None:
    module = build(find("googlenet"), init=False)
    assert module.aux1 is not None
    assert module.transform_input is False
    # Uninitialised numbers may be anything; the shape is what counts.
    assert module(torch.zeros(1, 3, 224, 224)).shape == (1, 1000)


def test_buffers_outside_the_state_dict_do_not_depend_on_initialisation() -> None:
    """They are not in any checkpoint, so a skipped init must leave them as they are."""
    for name in ("swin_t", "maxvit_t", "vit_b_16"):
        modules = [build(find(name), init=init) for init in (True, False)]
        saved = modules[0].state_dict().keys()
        first, second = (
            {key: value for key, value in module.named_buffers() if key not in saved}
            for module in modules
        )
        assert all(torch.equal(first[key], second[key]) for key in first)


class TestLoad:
    def test_untrained(self) -> None:
        loaded = load(find("squeezenet1_1"), None)
        assert loaded.untrained
        assert loaded.weights is None
        assert loaded.labels[0] == "tench"
        assert len(loaded.labels) == 1000
        assert loaded.nbytes == 4 * 1_235_496  # published parameters, fp32, no buffers

    def test_lite0_from_its_package_calls_coffee_espresso(self) -> None:
        from PIL import Image
        from skimage import data

        from explorer.preprocess import preprocess

        loaded = load(find("tf_efficientnet_lite0"), find("tf_efficientnet_lite0").weights[0].id)
        assert not loaded.untrained
        x, _ = preprocess(Image.fromarray(data.coffee()), loaded.preprocessing)
        with torch.inference_mode():
            probabilities = loaded.module(x).softmax(1)[0]
        assert loaded.labels[int(probabilities.argmax())] == "espresso"
        assert float(probabilities.max()) == pytest.approx(0.95, abs=0.01)

    def test_by_position_checks_every_shape(self) -> None:
        from explorer.errors import WeightsUnavailableError
        from explorer.state_dicts import by_position

        module = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
        other = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 5))
        with pytest.raises(WeightsUnavailableError, match=r"\(5, 3\).*\(2, 3\)"):
            by_position(other.state_dict(), module, "Two")
        with pytest.raises(WeightsUnavailableError, match="2 tensors where the network has 4"):
            by_position(nn.Linear(2, 3).state_dict(), module, "Two")
        same = {f"x{i}": value for i, value in enumerate(module.state_dict().values())}
        assert list(by_position(same, module, "Two")) == list(module.state_dict())

    def test_torchvisions_inception_weights_change_their_input(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module, answer = self._loaded_like_torchvision("googlenet", monkeypatch)
        x = torch.rand(1, 3, 224, 224)
        with torch.inference_mode():
            assert torch.equal(module.module(x), answer(x))

    def test_mnasnet_files_carry_their_version(self, monkeypatch: pytest.MonkeyPatch) -> None:
        module, answer = self._loaded_like_torchvision("mnasnet0_5", monkeypatch)
        x = torch.rand(1, 3, 64, 64)
        with torch.inference_mode():
            assert torch.equal(module.module(x), answer(x))

    def test_old_densenet_files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Their keys say norm.1 where the modules say norm1; torchvision renames them too."""
        module, answer = self._loaded_like_torchvision("densenet121", monkeypatch)
        x = torch.rand(1, 3, 64, 64)
        with torch.inference_mode():
            assert torch.equal(module.module(x), answer(x))

    def _loaded_like_torchvision(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> tuple[LoadedModel, nn.Module]:
        """A made-up published file, through our ``load`` and through torchvision's own builder."""
        import re
        from pathlib import Path

        from torchvision import models

        from explorer.weights import torch_hub_path

        spec = find(name)
        state = build(spec).state_dict()
        if name.startswith("densenet"):
            pattern = r"(denselayer\d+\.(?:norm|conv))([12]\.)"
            state = {re.sub(pattern, r"\1.\2", key): value for key, value in state.items()}
            state = {k: value for k, value in state.items() if "num_batches" not in k}  # older
            assert any("norm.1" in key for key in state)
        url = models.get_model_weights(name).DEFAULT.url
        path = torch_hub_path(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, path)
        assert Path(torch.hub.get_dir()) == path.parent.parent
        published = next(weights for weights in spec.weights if weights.url == url)
        return load(spec, published.id), models.get_model(name, weights="DEFAULT").eval()


def test_class_names_of_larger_imagenets() -> None:
    assert class_names("mnist", 10) == tuple("0123456789")
    assert len(class_names("imagenet", 1000)) == 1000
    assert len(set(class_names("other", 21841))) > 20_000  # ImageNet-22k, some names twice
    assert class_names("other", 3) == ("class 0", "class 1", "class 2")


def test_nbytes_counts_shared_parameters_once() -> None:
    module = nn.Sequential(nn.Linear(10, 10, bias=False), nn.Linear(10, 10, bias=False))
    module[1].weight = module[0].weight
    assert nbytes_of(module) == 4 * 10 * 10


@pytest.mark.gpu
def test_on_a_gpu() -> None:
    from explorer.device import pick_device

    if not torch.accelerator.is_available():
        pytest.skip("no accelerator: torch.accelerator.is_available() is False")
    device = pick_device("auto")
    loaded = load(replace(find("lenet5")), find("lenet5").weights[0].id, device)
    assert next(loaded.module.parameters()).device.type == device.type
    with torch.inference_mode():
        assert loaded.module(torch.zeros(1, 1, 32, 32, device=device)).isfinite().all()
