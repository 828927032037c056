"""Tours: the one that ships is right; a file that is not says in a sentence which step and why."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from explorer.catalog.history import timeline
from explorer.errors import TourError
from explorer.explainers import EXPLAINERS
from explorer.i18n import LANGUAGES
from explorer.images import SAMPLES
from explorer.settings import get_settings
from explorer.tasks import Explain, Predict, Trace
from explorer.tour import PAGES, SHIPPED, load_tour, read_tour
from explorer.tour_tasks import OWNER, begin_warming, tasks_of, warm

GOOD = "- {title: {en: a, zh: 甲}, text: {en: a., zh: 甲。}, page: graph, query: {model: lenet5}}\n"
STORY = read_tour(SHIPPED)


def written(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, "utf-8")
    return path


def sentence(folder: Path, text: str) -> str:
    with pytest.raises(TourError) as caught:
        read_tour(written(folder, text))
    said = str(caught.value)
    assert "\n" not in said
    assert said[-1] in ".?"
    return said


# --- the story that ships -----------------------------------------------------------------------


def test_the_story_goes_from_lenet_to_xception_through_most_pages() -> None:
    assert 12 <= len(STORY) <= 16
    models = [model for step in STORY for model in step.models]
    assert models.index("lenet5_1998") < models.index("resnet50") < models.index("legacy_xception")
    assert {step.page for step in STORY} == set(PAGES)


@pytest.mark.parametrize("step", STORY, ids=lambda step: step.title["en"])
def test_every_step_names_what_exists_and_fits_the_bar(step: object) -> None:
    from explorer.tour import TourStep

    assert isinstance(step, TourStep)
    query = step.query
    assert query.get("entry", "alexnet") in {entry.id for entry in timeline()}
    assert query.get("idea", "fire") in EXPLAINERS
    assert query.get("image", "coffee") in SAMPLES
    for code in LANGUAGES:
        assert len(step.title[code]) <= 40
        assert len(step.text[code]) <= (210 if code == "en" else 110)
        ends = re.findall(r"[.?](?:\s|$)" if code == "en" else r"[。？]", step.text[code])
        assert 1 <= len(ends) <= 2
    assert re.search(r"[\u4e00-\u9fff]", step.text["zh"])


def test_the_storys_figures_are_those_of_the_catalog() -> None:
    from explorer.catalog import find

    said = " ".join(step.text["en"] for step in STORY)
    alexnet, vgg, nin = find("alexnet_2012"), find("vgg16"), find("nin_imagenet")
    resnet, vgg19 = find("resnet34"), find("vgg19")
    assert f"{alexnet.params / 1e6:.0f} million parameters, 96 %" in said
    assert f"{vgg.params / 1e6:.0f} million parameters and {vgg.macs / 1e9:.1f} billion" in said
    assert f"{nin.params / 1e6:.1f} million parameters, an eighth" in said
    assert round(alexnet.params / nin.params) == 8
    assert f"{resnet.macs / 1e9:.2f} against {vgg19.macs / 1e9:.1f} billion" in said
    assert f"{resnet.params / 1e6:.0f} against {vgg19.params / 1e6:.0f} million" in said
    squeeze = find("squeezenet1_0").params
    assert f"{find('alexnet').params / squeeze:.0f} times fewer" in said
    narrow = 256 * 64 + 64 * 64 * 9 + 64 * 256
    assert f"{narrow:,}" in said
    assert f"{256 * 256 * 9:,}" in said
    assert f"{256 * 256 * 9 / narrow:.1f} times fewer" in said


# --- files that are wrong -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD + GOOD.replace("graph", "grahp"), ["Step 2", "grahp", "complexity"]),
        (GOOD.replace("lenet5", "lenet6"), ["Step 1", "lenet6", "lenet5"]),
        (GOOD.replace("lenet5}", "lenet5, weights: V9}"), ["Step 1", "V9"]),
        (GOOD.replace("model: lenet5", "compare: 'vgg16,resnet5O'"), ["Step 1", "resnet5O"]),
        (GOOD.replace("model: lenet5", "other: vgg7"), ["Step 1", "vgg7"]),
        (GOOD + GOOD.replace(", zh: 甲}", "}"), ["Step 2", "title", "zh"]),
        (GOOD.replace("{en: a., zh", "{en: '', zh"), ["Step 1", "text", "en"]),
        (GOOD.replace("title: {en: a, zh: 甲}", "title: hello"), ["Step 1", "title"]),
        (GOOD.replace("page: graph, ", ""), ["Step 1", "page"]),
        (GOOD.replace("page: graph", "page: graph, colour: red"), ["Step 1"]),
        (GOOD.replace("{model: lenet5}", "[model]"), ["Step 1", "query"]),
        (GOOD.replace("model: lenet5", "talk: '1'"), ["Step 1", "talk"]),
        (GOOD.replace("model: lenet5", "model: {a: b}"), ["Step 1", "query"]),
        ("", ["list"]),
        ("title: x", ["list"]),
        ("[1, 2]", ["Step 1"]),
        (GOOD + "- {title: {en: a", ["YAML", "line"]),
        ("- !!python/object/apply:os.system ['true']", ["YAML", "line 1"]),
        ("[" * 5000, ["YAML"]),
        (GOOD * 201, ["200"]),
        ("#" * 1_000_001, ["larger"]),
    ],
)
def test_a_wrong_file_names_the_step_and_the_fault(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    said = sentence(tmp_path, text)
    for word in words:
        assert word in said


def test_a_file_that_is_missing_or_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_TOUR", str(tmp_path / "gone.yaml"))
    get_settings.cache_clear()
    with pytest.raises(TourError, match=r"gone\.yaml.*EXPLORER_TOUR"):
        load_tour()
    path = tmp_path / "picture.yaml"
    path.write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(TourError, match=r"picture\.yaml"):
        read_tour(path)


def test_the_setting_names_an_own_tour_and_a_change_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, GOOD)
    monkeypatch.setenv("EXPLORER_TOUR", str(path))
    get_settings.cache_clear()
    assert len(load_tour()) == 1
    path.write_text(GOOD * 2, "utf-8")
    os.utime(path, ns=(1, 1))
    assert len(load_tour()) == 2


def test_a_bare_number_in_a_query_is_text(tmp_path: Path) -> None:
    (step,) = read_tour(written(tmp_path, GOOD.replace("lenet5}", "lenet5, size: 64}")))
    assert step.query["size"] == "64"


# --- asked for beforehand -----------------------------------------------------------------------


class Engine:
    """Notes what is asked of it; every job has ended."""

    def __init__(self, fails: bool = False) -> None:
        self.asked: list[object] = []
        self.fails = fails

    def find(self, key: str) -> object | None:
        return "kept" if key == Trace("vgg16", light=True).key() else None

    def submit(self, task: object, owner: str, *, label: str = "") -> Engine:
        assert owner == OWNER
        self.asked.append(task)
        return self

    def result(self, _timeout: float) -> None:
        if self.fails:
            raise TourError("no.")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    fake = Engine()
    monkeypatch.setattr("explorer.tour_tasks.get_engine", lambda: fake)
    monkeypatch.setattr("explorer.tour_tasks.PAUSE", 0.0)
    return fake


def test_the_engine_is_asked_for_what_is_not_kept_one_after_another(engine: Engine) -> None:
    begin_warming(STORY).join(30)
    assert Trace("lenet5_1998") in engine.asked
    assert Trace("alexnet_2012", light=True) in engine.asked
    assert Trace("vgg16", light=True) not in engine.asked
    assert sum(isinstance(task, Predict) for task in engine.asked) == 2
    assert sum(isinstance(task, Explain) for task in engine.asked) == 2


def test_a_step_that_fails_does_not_keep_the_others_from_being_asked(engine: Engine) -> None:
    engine.fails = True
    warm(STORY)
    steps = [step for step in STORY if list(tasks_of(step))]
    assert len(engine.asked) == len(steps) - 1  # vgg16's is kept
