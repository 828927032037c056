"""Networks of one's own: in the catalog without torch, in the worker with it, errors in words."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from explorer import __main__ as command
from explorer.catalog import CATALOG, families, find, own, search, store
from explorer.catalog import search as search_function
from explorer.costs import Convention, count
from explorer.errors import OwnModelError, UnknownModelError
from explorer.own_models import read_models
from explorer.pool import ModelPool
from explorer.requests import ModelRef
from explorer.settings import get_settings
from explorer.trace import trace_spec
from explorer.tracing import cache
from explorer.weights import default_weights, weights_status
from explorer.zoo import load
from tests.own import networks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True, scope="module")
def _asked_once() -> Iterator[None]:
    """The answers of the processes that describe networks: one for each setting, not each test."""
    answers: dict[tuple[str, str, float], dict[str, Any]] = {}
    ask = own._ask

    def asked(setting: str) -> dict[str, Any]:
        key = setting, os.environ.get("OWN_TEST_WEIGHTS", ""), own.LIMIT_SECONDS
        if key not in answers:
            answers[key] = ask(setting)
        return copy.deepcopy(answers[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own, "_ask", asked)
        yield


def forget() -> None:
    """What the process keeps about the setting."""
    get_settings.cache_clear()
    own.forget()
    read_models.cache_clear()
    store.spec.cache_clear()
    families.cache_clear()
    sys.modules[search_function.__module__]._entries.cache_clear()


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """``EXPLORER_MODELS`` for one test, the networks of ``good`` at first."""
    monkeypatch.setenv("EXPLORER_MODELS", "tests.own.networks:good")
    forget()
    yield
    monkeypatch.delenv("EXPLORER_MODELS")
    forget()


def problems(monkeypatch: pytest.MonkeyPatch, setting: str) -> list[str]:
    """What is said of a setting; the app must run without it."""
    monkeypatch.setenv("EXPLORER_MODELS", setting)
    forget()
    try:
        said = [str(problem) for problem in own.problems()]
        assert find("resnet18").name == "ResNet-18"
        return said
    finally:
        monkeypatch.delenv("EXPLORER_MODELS")
        forget()


@pytest.mark.usefixtures("use")
def test_it_is_in_the_catalog_like_the_others() -> None:
    spec = find("own/tiny")
    assert (spec.family, spec.year, spec.source, spec.num_classes) == ("Own family", 2026, "own", 3)
    assert spec.params == 3 * 4 * 9 + 4 + 4 * 3 + 3
    assert spec.macs == 32 * 32 * 4 * 27 + 4 * 3  # 3×3 of 3 channels to 4, then 4 to 3
    assert spec.input_size == (3, 32, 32)
    assert "own/tiny" in CATALOG
    assert list(CATALOG).count("own/tiny") == 1
    assert search("tiny own").hits[0].id == "own/tiny"
    assert search(family="Own family").total == 1
    assert "Own family" in families()
    with pytest.raises(UnknownModelError):
        find("own/tinny")


@pytest.mark.usefixtures("use")
def test_it_is_built_traced_and_counted() -> None:
    spec = find("own/tiny")
    loaded = load(spec, None)
    assert loaded.untrained
    assert loaded.labels == networks.LABELS
    again = load(spec, None)
    torch.testing.assert_close(loaded.module.state_dict(), again.module.state_dict())  # seed 0
    graph = trace_spec(spec)
    assert graph.total_params == spec.params
    assert count(graph, Convention.MACS) == spec.macs
    # Its code may be another one at the next start: the trace is not kept on the disk.
    assert not cache.path_of(spec.id, spec.input_size).exists()
    assert default_weights(spec) is None


def test_its_weights_come_from_its_file(
    use: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tiny.safetensors"
    save_file(networks.seeded(), path)
    monkeypatch.setenv("OWN_TEST_WEIGHTS", str(path))
    forget()
    spec = find("own/trained")
    assert default_weights(spec) == "own"
    assert weights_status(spec, "own").place == str(path)
    with ModelPool(10**7, device="cpu").use(ModelRef("own/trained", "own")) as loaded:
        assert not loaded.untrained
        torch.testing.assert_close(dict(loaded.module.state_dict()), networks.seeded())


def test_a_mapping_of_names_to_callables_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MODELS", "tests.own.networks:mapping")
    forget()
    spec = find("own/plain")
    assert spec.family == "own"
    assert spec.input_size == (3, 224, 224)
    monkeypatch.delenv("EXPLORER_MODELS")
    forget()


def test_the_catalog_imports_neither_torch_nor_their_module() -> None:
    program = (
        "import sys; from explorer.catalog import find, search; find('own/tiny'); search('tiny');"
        "sys.exit(any(m in sys.modules for m in ('torch', 'tests.own.networks')))"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "EXPLORER_MODELS": "tests.own.networks:good"},
        check=True,
    )


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("no_such_module:models", "cannot be used: ModuleNotFoundError: No module named"),
        ("tests.own.broken:no_such", "cannot be used: AttributeError: module"),
        ("tests.own.broken:raises", "RuntimeError: the disk with the networks. The app runs"),
        ("tests.own.broken:nothing", "returns int; it must return a list of OwnModel"),
        ("tests.own.broken:leaves", "ended the process that lists its networks"),
        ("tests.own.networks", "is not of the form package.module:function"),
        ("os; import sys:x", "is not of the form package.module:function"),
    ],
)
def test_a_bad_setting_is_one_sentence_and_the_app_runs(
    monkeypatch: pytest.MonkeyPatch, setting: str, said: str
) -> None:
    (problem,) = problems(monkeypatch, setting)
    assert said in problem
    assert setting in problem
    assert "\n" not in problem


def test_bad_networks_are_one_sentence_each_and_the_good_one_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = problems(monkeypatch, "tests.own.networks:mixed")
    wanted = (
        "two networks named “tiny”", "the name 'no/slash'", "“number” builds int",
        "“boom” cannot be built and run at 3×224×224: ZeroDivisionError",
        "“image” gives (1, 3, 32, 32) for one image", "“labels” has 3 outputs, but 1 labels",
        "input_size=(3, 0, 32) of “size”", "“channels” cannot be built and run at 1×32×32",
        "weights='/nowhere/weights.safetensors' of “gone”", "lists 7, which is neither",
    )  # fmt: skip
    for words in wanted:
        assert sum(words in one for one in said) == 1, (words, said)
    assert len(said) == len(wanted)


def test_one_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "LIMIT_SECONDS", 0.01)
    (problem,) = problems(monkeypatch, "tests.own.networks:good")
    assert "took more than 0 s" in problem


def test_doctor_lists_them_and_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EXPLORER_MODELS", "tests.own.networks:mixed")
    forget()
    assert command.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "✓ Own models: own/tiny" in said
    assert "✗ Own models: EXPLORER_MODELS: “boom” cannot be built" in said
    monkeypatch.delenv("EXPLORER_MODELS")
    forget()


@pytest.mark.usefixtures("use")
def test_one_that_went_away_is_said_when_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = find("own/tiny")
    monkeypatch.setenv("EXPLORER_MODELS", "tests.own.networks:mapping")
    get_settings.cache_clear()
    with pytest.raises(OwnModelError, match="gives no network “tiny”"):
        load(spec, None)
