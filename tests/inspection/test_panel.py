"""The panel as a page draws it: real tasks in one real worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.engine import get_engine, set_engine

PANEL = Path(__file__).with_name("panel_app.py")
JOBS_LIMIT = 120  # seconds until the panel's jobs have to be over


@pytest.fixture(scope="module", autouse=True)
def _engine() -> Iterator[None]:
    yield
    get_engine().shutdown()
    set_engine(None)


def finish(app: AppTest) -> AppTest:
    """Runs the panel until no job of it is under way; fails on an exception."""
    deadline = time.monotonic() + JOBS_LIMIT
    while True:
        assert not app.exception, [element.value for element in app.exception]
        jobs = app.session_state["_jobs"] if "_jobs" in app.session_state else {}  # noqa: SIM401
        shown = any(button.key.startswith("cancel-") for button in app.button if button.key)
        if not shown and all(job.status().finished for job in jobs.values()):
            return app
        assert time.monotonic() < deadline, "the panel's jobs did not end"
        for job in jobs.values():
            job.wait(5)
        app.run()


def texts(app: AppTest) -> str:
    kinds = ("markdown", "caption", "warning", "error", "info")
    return "\n".join(element.value for kind in kinds for element in getattr(app, kind))


def pictures(app: AppTest) -> list[str]:
    """Captions of the pictures, in order."""
    return [caption for image in app.get("image") for caption in image.captions]


def panel(**query: str) -> AppTest:
    app = AppTest.from_file(str(PANEL), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return finish(app.run())


def test_numbers_put_the_sizes_in() -> None:
    app = panel(s="conv2")
    said = texts(app)
    assert app.code[0].value == "5×5×6×16×10×10 = 240,000 MACs"
    for fact in ("1×6×14×14", "1×16×10×10", "2,416", "480,000", "`5×5`", "57.62 %"):
        assert fact in said, fact  # 240,000 of 416,520 MACs; 5·5·6·16 + 16 parameters


def test_an_op_without_a_count_says_so() -> None:
    assert "Counts 0 multiply–accumulates by convention" in texts(panel(s="relu_1"))


def test_a_block_is_the_sum_of_what_is_inside() -> None:
    # A fire module runs only a concatenation itself; its three convolutions multiply.
    said = texts(panel(m="squeezenet1_1", s="features.3", w="0"))
    assert "The sum of 3 operations inside that multiply." in said
    assert "Counts 0" not in said
    assert "Fire module (Iandola et al. 2016)" in said
    # 55·55·(64·16 + 16·64 + 9·16·64) MACs
    assert "34,073,600" in said


def test_weights_show_kernels_norms_and_downloads() -> None:
    app = panel(s="conv1", panel="weights")
    assert "`conv1.weight` · 6×1×5×5" in texts(app)
    assert len(pictures(app)) == 1
    assert len(app.get("plotly_chart")) == 2
    assert "Untrained" not in texts(app)


@pytest.mark.parametrize("part", ["weights", "maps", "field"])
def test_an_untrained_network_says_so(part: str) -> None:
    assert "Untrained network" in texts(panel(s="conv1", panel=part, w="0"))


def test_maps_show_the_grid_and_one_channel() -> None:
    app = panel(s="conv2", panel="maps")
    assert len(pictures(app)) == 2
    assert "above zero at" in "".join(pictures(app))
    assert len(next(box for box in app.selectbox if box.key == "_w_channel").options) == 16


def test_maps_of_a_vector_are_a_line() -> None:
    app = panel(s="fc3", panel="maps")
    assert "is no map of the image" in texts(app)
    assert len(app.get("plotly_chart")) == 1


def test_the_field_names_its_conventions() -> None:
    said = texts(panel(s="conv2", panel="field"))
    # conv1 5, pool 2 at stride 2, conv2 5: 5 + 1 + 4·2 = 14
    assert "14 × 14 pixels, one every 2 pixels" in said
    assert "Araujo et al. 2019" in said
    assert "Luo et al. 2016" in said


def test_a_position_in_the_address_is_taken() -> None:
    app = panel(s="conv2", panel="field", row="0", column="9")
    assert [slider.value for slider in app.slider] == [0, 9]


def test_code_and_snippets() -> None:
    app = panel(s="conv2", panel="code")
    assert "torch/nn/modules/conv.py:" in texts(app)
    assert any("register_forward_hook" in block.value for block in app.code)
    assert any("create_feature_extractor" in block.value for block in app.code)
    assert any("class Conv2d" in block.value for block in app.code)


@pytest.mark.parametrize("part", ["numbers", "weights", "maps", "field", "code"])
def test_the_whole_network_has_every_part(part: str) -> None:
    assert not panel(panel=part).exception


def test_a_layer_that_is_not_there_is_one_sentence() -> None:
    app = panel(s="conv99")
    assert [error.value for error in app.error] == [
        r"lenet5 has no layer “conv99”; click a box of the graph, or search for its name\."
    ]


def test_the_onnx_file_is_made_when_asked_for() -> None:
    app = panel()
    assert "operator set" not in texts(app)
    next(button for button in app.button if button.key == "graph-onnx").click()
    assert "ONNX operator set 18, input 1×1×32×32" in texts(finish(app.run()))
