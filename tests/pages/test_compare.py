"""The comparison: its selection in the address, its tray, its views."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.engine import get_engine, set_engine
from explorer.paired import Blocks, PairedResult
from explorer.settings import get_settings
from explorer.ui.compare_set import read
from tests.pages.conftest import Open, captions, finish, texts

THREE = "lenet5,resnet18,tf_efficientnet_lite0"


def names(app) -> list[str]:  # type: ignore[no-untyped-def]
    return [m.selection.spec.id for m in app.session_state["_compare"]]


def test_the_address_names_up_to_four_models_with_weights() -> None:
    found, problems = read("resnet50:IMAGENET1K_V1,lenet5,timm/convnext_atto")
    assert [member.text for member in found] == [
        "resnet50:IMAGENET1K_V1", "lenet5", "timm/convnext_atto"
    ]  # fmt: skip
    assert not problems
    assert [member.slot for member in found] == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "kept", "said"),
    [
        ("lenet5,lenet5", ["lenet5"], "LeNet-5"),
        ("lenet5,resnet18,vgg11,alexnet,resnet50", ["lenet5", "resnet18", "vgg11", "alexnet"],
         "ResNet-50"),
        ("lenet5,resnet5O,resnet18", ["lenet5", "resnet18"], "resnet5O"),
        ("lenet5:NOPE", ["lenet5"], "NOPE"),
        (",,", [], ""),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said_and_the_rest_shown(
    text: str, kept: list[str], said: str
) -> None:
    found, problems = read(text)
    assert [member.selection.spec.id for member in found] == kept
    assert len(problems) == bool(said)
    assert said in "".join(problems)


def test_the_selection_stays_over_pages_and_the_tray_changes_it(open_page: Open) -> None:
    app = open_page("complexity", model="resnet18", compare="lenet5,resnet18")
    assert app.query_params["compare"] == "lenet5,resnet18"
    finish(app.button(key="compare-up-1").click().run())
    assert names(app) == ["resnet18", "lenet5"]
    assert app.query_params["compare"] == "resnet18,lenet5"
    finish(app.button(key="compare-drop-0").click().run())
    assert names(app) == ["lenet5"]
    finish(app.button(key="compare-add").click().run())
    assert names(app) == ["lenet5", "resnet18"]
    app.selectbox(key="_compare_weights_0_lenet5").set_value("untrained")
    finish(app.run())
    assert app.query_params["compare"] == "lenet5:untrained,resnet18"
    finish(app.button(key="compare-clear").click().run())
    assert names(app) == []


def test_a_colour_stays_with_its_model(open_page: Open) -> None:
    app = open_page("complexity", compare=THREE)
    before = {m.selection.spec.id: m.colour for m in app.session_state["_compare"]}
    finish(app.button(key="compare-drop-0").click().run())
    after = {m.selection.spec.id: m.colour for m in app.session_state["_compare"]}
    assert all(before[name] == colour for name, colour in after.items())


def test_three_models_in_numbers(open_page: Open) -> None:
    app = open_page("compare", compare=THREE)
    table = app.dataframe[0].value
    assert list(table.columns[1:4]) == ["LeNet-5", "ResNet-18", "EfficientNet-Lite0"]
    row = table[table.iloc[:, 0].str.contains("Parameters")].iloc[0]
    assert row["LeNet-5"] == "0.062 ★"
    assert row["ResNet-18"] == "11.69"


def test_structure_says_13_batch_norms(open_page: Open) -> None:
    app = open_page("compare", compare="vgg16,vgg16_bn", view="structure")
    said = texts(app)
    assert "13 are added" in said
    assert app.dataframe[0].value.iloc[0, 0] == "13 batch_norm added"


def test_the_same_network_twice_is_empty(open_page: Open) -> None:
    app = open_page(
        "compare", compare="resnet18:IMAGENET1K_V1,resnet18:untrained", view="structure"
    )
    assert any("same operations" in box.value for box in app.success)


def test_digits_and_photos_are_not_compared_on_one_image(open_page: Open) -> None:
    app = open_page("compare", compare="lenet5,tf_efficientnet_lite0", view="image")
    assert any("cannot be compared" in box.value for box in app.info)
    assert not app.error


def test_maps_of_two_networks_with_their_correlation(open_page: Open) -> None:
    app = open_page(
        "compare", compare="tf_efficientnet_lite0,tf_efficientnet_lite0:untrained",
        view="image", methods="saliency", difference="1",
    )  # fmt: skip
    finish(app)
    assert "Rank correlation of the maps" in texts(app)
    assert sum("espresso" in caption for caption in captions(app)) == 1, captions(app)
    assert sum(" minus " in caption for caption in captions(app)) == 1, captions(app)
    assert "Orange: the first one's share is larger" in texts(app)


def test_a_grid_of_four_networks_and_three_methods(open_page: Open) -> None:
    names = ("EfficientNet-Lite0", "ResNet-18", "SqueezeNet 1.1", "ShuffleNetV2 ×0.5")
    app = open_page(
        "compare", compare="tf_efficientnet_lite0,resnet18,squeezenet1_1,shufflenet_v2_x0_5",
        view="image", methods="saliency,grad_cam,input_x_gradient", difference="1",
    )  # fmt: skip
    finish(app)
    found = captions(app)
    for name in names:
        assert sum(caption.startswith(f"{name}: ") for caption in found) == 3, found
    assert sum(" minus " in caption for caption in found) == 3 * 6
    assert not app.error
    assert texts(app).count("Rank correlation of the maps") == 3


def test_a_grid_says_how_far_it_is_and_stops_as_a_whole(open_page: Open) -> None:
    models = "squeezenet1_0,resnet34,mnasnet0_5,shufflenet_v2_x1_0"
    app = open_page("compare", compare=models, view="image")
    chosen = app.multiselect(key="_w_methods")
    chosen.set_value(["input_x_gradient", "saliency", "grad_cam"]).run()
    assert any("of 12 maps" in bar.proto.text for bar in app.get("progress"))
    assert texts(app).count(": not computed yet") >= 10
    jobs = app.session_state["_jobs"]
    assert sum(not job.status().finished for job in jobs.values()) <= 3, "a few at a time"
    begin = time.monotonic()
    app.button(key="grid-cancel").click().run()
    assert time.monotonic() - begin < 3
    assert "of 12 maps." in texts(app)
    info = get_engine().info()
    assert (info.queued, info.running) == (0, ())
    app.run()
    assert get_engine().info().running == (), "stopped stays stopped"
    finish(app.multiselect(key="_w_methods").set_value(["saliency"]).run())  # begins by itself
    assert len([one for one in captions(app) if ": " in one]) == 4
    assert not app.error


def test_they_are_timed_in_turn(open_page: Open) -> None:
    app = open_page("compare", compare="lenet5,lenet5:untrained", view="latency")
    found = timed(app)
    assert found.models == ("lenet5", "lenet5")
    assert found.seconds.shape == (20, 2)
    assert (found.seconds > 0).all()


@pytest.fixture
def budget_of_one_lenet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker that holds one LeNet-5 (4 · 61 706 bytes), not two."""
    monkeypatch.setenv("EXPLORER_MODEL_BUDGET", "300000")
    _restart()
    yield
    monkeypatch.undo()
    _restart()


def _restart() -> None:
    get_settings.cache_clear()
    get_engine().shutdown()
    set_engine(None)


def timed(app: AppTest) -> PairedResult:
    """Presses the button and waits for the whole result."""
    finish(app.button(key="pair-start").click().run())
    for _wait in range(60):
        if app.session_state["_paired"] is not None and not app.get("progress"):
            break
        finish(app.run())
    found: PairedResult = app.session_state["_paired"]
    return found


@pytest.mark.usefixtures("budget_of_one_lenet")
def test_models_beyond_the_budget_are_timed_in_blocks_and_the_page_says_so(
    open_page: Open,
) -> None:
    models = "squeezenet1_1:untrained,lenet5,lenet5:untrained"
    app = open_page("compare", compare=models, view="latency")
    found = timed(app)
    assert found.models == ("lenet5", "lenet5")
    assert found.blocks == Blocks(turns=4, model_bytes=2 * 4 * 61_706, budget_bytes=300_000)
    assert found.seconds.shape == (6 * 4, 2)
    (warning,) = (box.value for box in app.warning)
    assert "together these models take 0.5 MB" in warning
    assert "the budget of 0.3 MB" in warning
    assert "bootstrap over 6 blocks" in warning
    (refused,) = (box.value.replace("\\", "") for box in app.error)
    assert "SqueezeNet 1.1 takes 4.9 MB" in refused
    said = texts(app)
    # The reference of the address was refused: the first that was timed takes its place.
    assert "LeNet-5 (untrained)**" in said
    assert "95 % interval" in said
    assert "6 blocks of 4 turns" in said
    finish(app.segmented_control(key="_w_view").set_value("report").run())
    assert not app.exception


def test_one_left_alone_is_said_without_a_ratio(open_page: Open) -> None:
    from explorer.errors import ModelTooLargeError
    from explorer.paired import Refused

    app = open_page("compare", compare="lenet5,resnet18:untrained", view="latency")
    error = ModelTooLargeError("{model} is too large.", model="ResNet-18")
    app.session_state["_paired"] = PairedResult(
        ("lenet5",), ("MNIST_DIGITS",), np.full((20, 1), 2e-3), 1, "cpu", 1, {},
        refused=(Refused("resnet18", None, error),),
    )  # fmt: skip
    finish(app.run())
    said = [box.value.replace("\\", "") for box in app.error]  # taken literally in Markdown
    assert said == ["ResNet-18 is too large."]
    assert "**LeNet-5** takes 2.00 ms a batch; no other model was timed" in texts(app)


def test_the_report_is_offered(open_page: Open) -> None:
    app = open_page("compare", compare="lenet5,resnet18", view="report")
    assert any("| Quantity |" in code.value for code in app.code)


def test_the_chosen_model_and_a_second_without_a_collection(open_page: Open) -> None:
    app = open_page("compare", model="lenet5", other="resnet18")
    assert list(app.dataframe[0].value.columns[1:3]) == ["LeNet-5", "ResNet-18"]
    finish(app.button(key="compare-collect").click().run())
    assert names(app) == ["lenet5", "resnet18"]
