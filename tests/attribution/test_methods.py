from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest

from explorer.attribution import METHODS, AttributionError, ExplainRequest, fill_options
from explorer.attribution.methods import Method, find_method
from explorer.attribution.quality_plan import map_passes

# Every id, in the order in which pages offer them.
DESIGN = (
    *("saliency", "input_x_gradient", "integrated_gradients", "smooth_grad", "var_grad"),
    *("gradient_shap", "deep_lift", "guided_backprop", "deconvolution", "grad_cam"),
    *("grad_cam_plus_plus", "score_cam", "guided_grad_cam", "layer_activation", "occlusion"),
    *("feature_ablation", "kernel_shap", "lime", "lrp", "attention_rollout"),
)
ALL = pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.id)


def test_ids_are_the_designs() -> None:
    assert list(METHODS) == list(DESIGN)


@ALL
def test_every_entry_is_complete(method: Method) -> None:
    assert METHODS[method.id] is method
    assert method.answer.count(". ") + method.answer.count("? ") == 1  # two sentences
    assert method.answer.endswith(".")
    assert method.reference[-4:].isdigit()
    assert method.url.startswith("https://")
    assert method.needs
    defaults = fill_options(method, {})
    assert list(defaults) == [option.name for option in method.options]
    forward, backward = method.cost.passes(defaults)
    assert forward >= 1
    assert backward >= 0
    if method.captum:
        module, _, name = method.captum.rpartition(".")
        assert callable(getattr(importlib.import_module(module), name))
    assert method.suits


@ALL
def test_every_default_is_valid_and_every_option_refuses_nonsense(method: Method) -> None:
    for option in method.options:
        assert option.check(option.default) == option.default
        assert option.title
        nonsense: list[Any] = [None, [], object(), "no such thing", float("nan")]
        for value in nonsense:
            with pytest.raises(AttributionError, match=option.name):
                option.check(value)
        if option.kind == "choice":
            assert option.default in option.choices
        if option.kind in {"int", "float"}:
            for value in (option.low - 1, option.high + 1, float("inf"), True):
                with pytest.raises(AttributionError, match="from"):
                    option.check(value)


def test_values_from_a_url_are_read() -> None:
    method = METHODS["integrated_gradients"]
    filled = fill_options(method, {"steps": "25", "adaptive": "false", "baseline": "blurred"})
    assert fill_options(method, {})["baseline"] == "black_white"
    assert filled == {"baseline": "blurred", "steps": 25, "adaptive": False, "max_steps": 200}
    with pytest.raises(AttributionError, match=r"steps cannot be '2\.5'"):
        fill_options(method, {"steps": "2.5"})
    with pytest.raises(AttributionError, match="no option 'step'; its options are baseline, steps"):
        fill_options(method, {"step": 5})


def test_price_of_integrated_gradients_grows_with_its_steps() -> None:
    cost = METHODS["integrated_gradients"].cost
    # One path of 30 points, and its start.
    assert cost.passes({"steps": 30, "baseline": "black"}) == (31, 30)


@pytest.mark.parametrize(("baseline", "paths"), [("noise", 1), ("black_white", 2), ("several", 3)])
def test_price_of_integrated_gradients_counts_every_baseline(baseline: str, paths: int) -> None:
    method = METHODS["integrated_gradients"]
    options = fill_options(method, {"baseline": baseline})
    assert method.cost.passes(options) == (51 * paths, 50 * paths)
    # A forward pass to predict; a backward pass counts as two forward passes.
    assert map_passes(method.id, {"baseline": baseline}) == 1 + (51 + 2 * 50) * paths


def test_price_of_occlusion_is_its_squares() -> None:
    method = METHODS["occlusion"]
    # Squares of 1/7 of the side, moved by half: 1 + 6·2 = 13 a row, 13·13 in all.
    assert method.cost.passes(fill_options(method, {})) == (169, 0)
    assert method.cost.passes({"windows": 4, "overlap": 1}) == (16, 0)


def test_unknown_method() -> None:
    with pytest.raises(AttributionError, match="no attribution method named '<script>'"):
        find_method("<script>")


def test_importing_the_registry_loads_no_torch_and_explain_does() -> None:
    code = (
        "import sys, explorer.attribution as a; from explorer.attribution import METHODS, overlay;"
        "assert 'torch' not in sys.modules; assert callable(a.explain);"
        "assert 'captum' in sys.modules; import explorer.attribution.predict;"
        "from explorer.attribution import explain, overlay; assert callable(explain);"
        "assert callable(overlay)"
    )
    subprocess.run([sys.executable, "-c", code], timeout=120, check=True)


def test_requests_can_be_pickled() -> None:
    import pickle

    request = ExplainRequest("grad_cam", options={"relu": False})
    assert pickle.loads(pickle.dumps(request)) == request
