"""The ideas to try: their numbers against the papers' networks, their sentences, their figures."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.catalog import find
from explorer.catalog.history import timeline
from explorer.charts.explainers import explain
from explorer.explainers import (
    EXPLAINERS,
    GOOGLENET_MODULES,
    fire_modules,
    gradient_flow,
    inception_branches,
    spread,
    squeezenet_params,
)
from explorer.trace import trace_spec


def defaults(idea: str) -> dict[str, float]:
    return {slider.name: slider.default for slider in EXPLAINERS[idea].sliders}


@pytest.mark.parametrize("idea", EXPLAINERS)
@pytest.mark.parametrize("end", ["low", "default", "high"])
def test_every_idea_draws_at_every_end(idea: str, end: str) -> None:
    values = {slider.name: getattr(slider, end) for slider in EXPLAINERS[idea].sliders}
    explained = explain(idea, values)
    assert explained.figure.data
    assert any(digit in explained.sentence for digit in "0123456789")
    assert "nan" not in explained.sentence
    assert explained.figure.layout.meta["alt"]


def test_sliders_hold_their_defaults_and_belong_to_a_step() -> None:
    steps = {entry.id: entry for entry in timeline()}
    for idea, explainer in EXPLAINERS.items():
        assert idea in steps[explainer.entry].explainers
        for slider in explainer.sliders:
            assert slider.low <= slider.default <= slider.high
            for value in (slider.default, slider.high):
                steps_up = (value - slider.low) / slider.step
                assert steps_up == pytest.approx(round(steps_up))


@pytest.mark.parametrize(
    ("idea", "said"),
    [
        ("conv1x1", ("16,384", "147,456")),  # 256·64, 256·64·9
        ("bottleneck", ("589,824", "69,632", "8.47")),
        ("inception", ("163,328", "393,216", "2.41")),  # 3a: 12,288+129,024+15,872+6,144; no 1×1
        ("factorised", ("516,096", "1,806,336", "3.50")),  # 14·192², 49·192²
        ("fire", ("1,248,424", "48.9", "5.0 MB")),
        ("separable", ("2,304", "65,536", "67,840", "8.69")),  # 9·256, 256²
        ("batch_norm", ("30 random layers",)),
        ("residual", ("34 random layers",)),
    ],
)
def test_sentences_carry_the_papers_numbers(idea: str, said: tuple[str, ...]) -> None:
    sentence = explain(idea, defaults(idea)).sentence
    assert all(number in sentence for number in said), sentence


def test_a_slider_changes_the_sentence() -> None:
    for idea, explainer in EXPLAINERS.items():
        for slider in explainer.sliders:
            other = defaults(idea) | {slider.name: slider.high}
            assert explain(idea, other).sentence != explain(idea, defaults(idea)).sentence


@pytest.mark.parametrize("number", range(9))
def test_modules_are_those_of_the_traced_network(number: int) -> None:
    name = list(GOOGLENET_MODULES)[number]
    graph = trace_spec(find("googlenet_2014"))
    node = graph.module_by_id[f"inception{name}"]
    positions = node.outputs[0].shape[2] * node.outputs[0].shape[3]
    assert sum(branch.reduced for branch in inception_branches(name)) * positions == node.macs


def test_fire_modules_make_squeezenet() -> None:
    modules = fire_modules(0.125, 0.5)
    graph = trace_spec(find("squeezenet1_0"))
    fires = [node.total_params for node in graph.modules if node.class_name == "Fire"]
    assert [module.total for module in modules] == fires
    assert squeezenet_params(modules) == find("squeezenet1_0").params == 1_248_424


def test_normalisation_keeps_the_scale() -> None:
    for gain in (0.6, 1.0, 2.4):
        normalised = spread(40, gain, normalised=True)
        assert np.allclose(normalised, np.sqrt(0.5), rtol=0.05)  # rms of relu(N(0, 1))
    assert spread(40, 1.0, normalised=False)[-1] < 1e-4
    assert spread(40, 2.0, normalised=False)[-1] > 1e3
    keeps = spread(20, np.sqrt(2), normalised=False)  # He et al. 2015
    assert 0.2 < keeps[-1] / keeps[0] < 5


def test_shortcuts_carry_the_gradient() -> None:
    plain = gradient_flow(34, 0.3, shortcut=False)
    residual = gradient_flow(34, 0.3, shortcut=True)
    assert plain[0] < 1e-15
    assert 0.5 < residual[0] < 50
    assert np.all(np.diff(plain) > 0)  # smaller with every layer on the way back
    # Against the definition: one layer, by finite differences of a sum.
    assert len(gradient_flow(1, 1.0, shortcut=True)) == 1
    assert gradient_flow(5, 0.7, shortcut=False)[0] == gradient_flow(5, 0.7, shortcut=False)[0]
