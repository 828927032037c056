"""``python -m explorer prefetch``: what it fetches, says, resumes and gives as its status."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explorer.__main__ import main
from explorer.catalog import CATALOG, find
from explorer.errors import UnknownModelError
from explorer.prefetch import choosing, command, fetching
from explorer.prefetch.choosing import Wanted, choose
from explorer.prefetch.fetching import get, is_traced
from explorer.settings import get_settings
from explorer.tour import SHIPPED, read_tour
from explorer.weights import local_path
from tests.zoo.conftest import Case


@pytest.fixture(autouse=True)
def traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No trace is kept yet."""
    monkeypatch.setenv("EXPLORER_CACHE_DIR", str(tmp_path / "explorer"))
    get_settings.cache_clear()
    return tmp_path / "explorer" / "traces"


class Stages:
    """Notes what begins, and what is told of the bytes."""

    def __init__(self, stop: BaseException | None = None) -> None:
        self.begun: list[str] = []
        self.bytes: list[tuple[int, int | None]] = []
        self.stop = stop

    def __call__(self, message: str, name: str) -> Any:
        self.begun.append(f"{message.split(maxsplit=1)[0]} {name}")
        return self.progress

    def progress(self, done: int, total: int | None) -> None:
        self.bytes.append((done, total))
        if self.stop is not None:
            raise self.stop


def wanted(case: Case) -> Wanted:
    return Wanted(case.spec, case.spec.weights)


def run(monkeypatch: pytest.MonkeyPatch, plans: list[Wanted], *arguments: str) -> int:
    """The command with what it is to fetch given: served weights are in no catalog."""
    monkeypatch.setattr(command, "choose", lambda *_: plans)
    return main(["prefetch", *(arguments or ("served",))])


def test_weights_and_trace_are_there_afterwards_and_are_fetched_once(
    case: Case, traces: Path
) -> None:
    stages = Stages()
    outcome = get(wanted(case), stages)
    assert outcome.failures == ()
    assert outcome.traced
    assert outcome.weights == (case.weights_id,)
    assert outcome.fetched == len(case.server.data)
    assert stages.begun == [f"Downloading {case.weights_id}", f"Tracing {case.spec.name}"]
    assert stages.bytes[-1] == (len(case.server.data), len(case.server.data))
    assert len(list(traces.glob("*.json.gz"))) == 1
    asked = list(case.server.requests)
    again = Stages()
    outcome = get(wanted(case), again)
    assert (outcome.traced, outcome.fetched) == (True, 0)
    assert again.begun == []
    assert case.server.requests == asked


def test_an_interrupt_leaves_nothing_half_done_and_the_next_run_goes_on(case: Case) -> None:
    case.server.mode = "stall"
    with pytest.raises(KeyboardInterrupt):
        get(wanted(case), Stages(KeyboardInterrupt()))
    assert case.files() == []
    case.server.mode = "good"
    assert get(wanted(case), Stages()).fetched == len(case.server.data)


@pytest.mark.parametrize(("mode", "words"), [("404", "HTTP 404"), ("cut", "broke off")])
def test_a_failure_is_one_sentence_status_1_and_the_rest_is_done(
    torch_case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    mode: str, words: str,
) -> None:  # fmt: skip
    torch_case.server.mode = mode
    lenet = find("lenet5")
    assert run(monkeypatch, [wanted(torch_case), Wanted(lenet, lenet.weights)]) == 1
    said = capsys.readouterr()
    failures = [line for line in said.err.splitlines() if line.startswith("✗ ")]
    assert len(failures) == 1
    assert words in failures[0]
    assert "Traceback" not in said.err
    assert "✗ squeezenet1_1: graph, costs, comparison; latency untrained" in said.out
    assert "✓ lenet5: graph, costs, comparison; predictions, maps, latency with" in said.out
    assert is_traced(lenet)


def test_the_command_says_what_will_work_and_how_much_came(
    torch_case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, [wanted(torch_case)]) == 0
    said = capsys.readouterr().out
    assert "✓ squeezenet1_1: graph, costs, comparison; predictions, maps, latency with SERVED" in (
        said
    )
    assert f"1 model looked after, {len(torch_case.server.data) / 1e6:.1f} MB downloaded." in said
    assert run(monkeypatch, [wanted(torch_case)]) == 0
    assert "0.0 MB downloaded" in capsys.readouterr().out


def test_interrupted_command_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def get(one: Wanted, stage: Any) -> fetching.Outcome:
        if one.spec.id == "resnet18":
            raise KeyboardInterrupt
        return fetching.get(one, stage)

    monkeypatch.setattr(command, "get", get)
    plans = [Wanted(find("lenet5"), ()), Wanted(find("resnet18"), ())]
    assert run(monkeypatch, plans) == command.INTERRUPTED
    said = capsys.readouterr()
    assert "goes on" in said.err
    assert "✓ lenet5" in said.out
    assert "resnet18" not in said.out


def test_a_trace_that_is_broken_is_made_again(case: Case, traces: Path) -> None:
    plan = Wanted(case.spec, ())
    get(plan, Stages())
    (path,) = traces.glob("*.json.gz")
    path.write_bytes(b"half of it")
    assert get(plan, Stages()).traced


# --- what is chosen -----------------------------------------------------------------------------


def test_patterns_and_all() -> None:
    assert [one.spec.id for one in choose(["lenet5", "resnet1*"], "none")] == [
        "lenet5", "resnet101", "resnet152", "resnet18",
    ]  # fmt: skip
    everything = [one.spec.id for one in choose(["all"], "none")]
    assert everything == [model for model in CATALOG if "/" not in model]
    assert len(everything) >= 80
    assert len(choose(["vgg16", "all"], "none")) == len(everything)


def test_which_weights(caches: Path) -> None:
    (one,) = choose(["resnet50"], "default")
    assert [weights.id for weights in one.weights] == ["IMAGENET1K_V2"]
    (one,) = choose(["resnet50"], "all")
    assert [weights.id for weights in one.weights] == ["IMAGENET1K_V2", "IMAGENET1K_V1"]
    (one,) = choose(["resnet50"], "none")
    assert one.weights == ()
    (one,) = choose(["nin_imagenet"], "all")  # has none
    assert one.weights == ()


def test_the_default_are_those_that_the_app_would_take(
    caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "default_weights", lambda _spec: "IMAGENET1K_V1")
    (one,) = choose(["resnet50"], "default")
    assert [weights.id for weights in one.weights] == ["IMAGENET1K_V1"]


def test_the_tour_needs_traces_and_the_weights_that_ship() -> None:
    found = {one.spec.id: one for one in choose([], "default", read_tour(SHIPPED))}
    assert {"lenet5_1998", "alexnet_2012", "vgg16", "vgg19", "resnet34", "inception_v3"} <= set(
        found
    )
    weights = {model: one.weights for model, one in found.items() if one.weights}
    assert set(weights) == {"lenet5", "tf_efficientnet_lite0"}
    for model, chosen in weights.items():  # the shipped tour runs without a download
        assert all(local_path(find(model), one) is not None for one in chosen)


@pytest.mark.parametrize("arguments", [[], ["resnet5O"], ["nothing*"]])
def test_nothing_to_fetch_is_a_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prefetch", *arguments]) == 1
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert said.out == ""
    with pytest.raises(UnknownModelError):
        choose(arguments, "default")


def test_a_broken_tour_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tour.yaml"
    path.write_text("- {title: {en: a, zh: b}, text: {en: a, zh: b}, page: nowhere}", "utf-8")
    monkeypatch.setenv("EXPLORER_TOUR", str(path))
    get_settings.cache_clear()
    assert main(["prefetch", "--tour"]) == 1
    assert "nowhere" in capsys.readouterr().err
