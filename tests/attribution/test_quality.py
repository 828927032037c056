"""The checks of a map: slow references, networks whose answer is known, nothing left behind."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torch import Tensor, nn

from explorer.attribution import AttributionError, ExplainRequest, explain
from explorer.attribution.baselines import baseline
from explorer.attribution.quality import assess, shuffled_copy
from explorer.attribution.quality_curves import curves
from explorer.attribution.quality_metrics import sensitivity, unexplained
from explorer.attribution.quality_plan import (
    CHECKS,
    FLAT,
    IGNORES_WEIGHTS,
    NO_BETTER,
    NOT_CHECKED,
    NOT_COMPLETE,
    NOTHING_AGAINST,
    UNSTABLE,
    UNTRAINED,
    check_passes,
    companions,
    judged,
)
from explorer.attribution.quality_ranks import changed_ranks, over_squares, spearman, squares
from explorer.attribution.running import prepare
from explorer.errors import JobCancelled
from explorer.images import open_image, sample_bytes
from explorer.requests import AssessRequest, ModelRef
from explorer.results import PerturbationCurve, TrustCard
from explorer.tasks import AssessMap
from explorer.zoo import LoadedModel

ALL = tuple(CHECKS)
IG = {"steps": 16, "adaptive": False}
BRIEF: dict[str, dict[str, Any]] = {"integrated_gradients": IG, "smooth_grad": {"samples": 10}}


def picture(id: str) -> Image.Image:
    return open_image(sample_bytes(id))


def asked(method: str, *checks: str, **changes: Any) -> AssessRequest:
    return AssessRequest(ExplainRequest(method, options=BRIEF.get(method, {})), checks, **changes)


# --- ranks and squares ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_spearman_is_scipys_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 9, 200), rng.normal(size=200)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)


def test_a_constant_map_agrees_with_nothing() -> None:
    assert spearman(np.zeros(9), np.arange(9)) == 0.0
    assert changed_ranks(np.zeros((3, 3)), np.zeros((3, 3))) == 0.0


def test_common_zeros_do_not_count_as_agreement() -> None:
    rng = np.random.default_rng(0)
    first, second = np.zeros(1000), np.zeros(1000)
    first[:100], second[:100] = rng.random(100), rng.random(100)
    assert spearman(first, second) > 0.9
    assert abs(changed_ranks(first, second)) < 0.3


def test_squares_are_a_fourteenth_of_the_side() -> None:
    where = squares(224, 224)
    assert where.max() + 1 == 14 * 14
    assert (where[:16, :16] == 0).all()
    assert where[0, 16] == 1
    assert where[16, 0] == 14
    values = np.arange(28 * 28.0).reshape(28, 28)
    assert over_squares(values)[0] == (0 + 1 + 28 + 29) / 4  # squares of 2 × 2


# --- curves --------------------------------------------------------------------------------------


class Reader(nn.Module):
    """Two classes; the logit of class 1 is the sum of the left upper quarter."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.05))

    def forward(self, x: Tensor) -> Tensor:
        score = self.scale * x[:, :, :8, :8].sum(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(score), score], dim=1)


@pytest.fixture
def reader(network_of: Any) -> LoadedModel:
    return network_of(Reader(), (1, 16, 16))


def quarter() -> np.ndarray:
    found = np.zeros((16, 16), np.float32)
    found[:8, :8] = 1
    return found


def bright_quarter() -> Image.Image:
    return Image.fromarray((255 * quarter()).astype(np.uint8)).convert("RGB")


def test_curves_of_a_network_that_reads_one_quarter(reader: LoadedModel) -> None:
    run = prepare(reader, bright_quarter())
    run.target = 1
    deletion, insertion = curves(run, quarter(), steps=4, orders=6)
    both = torch.cat([run.x, baseline("mean", run)])
    ends = torch.softmax(reader.module(both), 1).detach()
    assert deletion.scores[0] == pytest.approx(float(ends[0, 1]))
    # 64 of the 256 places carry the class: after a quarter, nothing is left to take out or put in.
    assert deletion.scores[1:] == pytest.approx(float(ends[1, 1]))
    assert insertion.scores[1:] == pytest.approx(float(ends[0, 1]))
    assert deletion.better_than == insertion.better_than == 6
    # Straight lines between five points, 0.25 apart.
    first, rest = float(ends[0, 1]), float(ends[1, 1])
    assert deletion.auc == pytest.approx(0.25 * ((first + rest) / 2 + 3 * rest), abs=1e-6)


def test_a_map_of_the_wrong_places_is_beaten_by_chance(reader: LoadedModel) -> None:
    run = prepare(reader, bright_quarter())
    run.target = 1
    deletion, insertion = curves(run, -quarter(), steps=8, orders=6)
    assert deletion.better_than == insertion.better_than == 0


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients"])
def test_deletion_beats_random_orders_on_eight_of_ten_digits(
    lenet5: LoadedModel, method: str
) -> None:
    better = 0
    for digit in range(10):
        card = assess(lenet5, picture(f"digit_{digit}"), asked(method, "curves"))
        assert card.deletion is not None
        better += card.deletion.auc < np.mean(card.deletion.random_aucs)
    assert better >= 8


# --- shuffled weights ----------------------------------------------------------------------------


def test_a_shuffled_copy_holds_the_same_numbers_elsewhere(lenet5: LoadedModel) -> None:
    before = {name: value.clone() for name, value in lenet5.module.state_dict().items()}
    copied = shuffled_copy(lenet5.module, seed=1)
    for name, value in copied.named_parameters():
        same = torch.equal(value.flatten().sort().values, before[name].flatten().sort().values)
        assert same
        assert value.numel() < 2 or not torch.equal(value, before[name])
    assert all(torch.equal(v, before[name]) for name, v in lenet5.module.state_dict().items())


def test_only_the_last_tensors_are_shuffled(lenet5: LoadedModel) -> None:
    before = [value.clone() for value in lenet5.module.parameters()]
    changed = [
        not torch.equal(value, old)
        for value, old in zip(
            shuffled_copy(lenet5.module, 0, last=2).parameters(), before, strict=True
        )
    ]
    assert changed == [False] * (len(before) - 2) + [True, True]


GRADIENTS = ["saliency", "input_x_gradient", "integrated_gradients", "smooth_grad", "grad_cam"]


@pytest.mark.parametrize("method", GRADIENTS)
def test_gradient_methods_change_with_the_weights(
    lenet5: LoadedModel, lite0: LoadedModel, method: str
) -> None:
    for digit in (0, 3, 7):
        card = assess(lenet5, picture(f"digit_{digit}"), asked(method, "randomisation"))
        assert card.randomisation is not None
        assert card.randomisation < 0.5
    card = assess(lite0, picture("coffee"), asked(method, "randomisation"))
    assert card.randomisation is not None
    assert card.randomisation < 0.5
    assert card.randomisation_abs is not None
    assert card.randomisation_abs < 0.5


@pytest.mark.parametrize("network", ["lenet5", "lite0"])
def test_what_guided_backprop_keeps_is_reported(
    network: str,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    """It is published to keep its map; ``docs/attribution-methods.md`` has more of it."""
    loaded = request.getfixturevalue(network)
    image = picture("digit_3" if network == "lenet5" else "coffee")
    card = assess(loaded, image, asked("guided_backprop", "randomisation"))
    assert card.randomisation is not None
    assert card.randomisation_abs is not None
    record_property("rank correlation, signed", card.randomisation)
    record_property("rank correlation, absolute", card.randomisation_abs)
    # The verdict follows the number, whatever it is.
    assert (card.verdict == IGNORES_WEIGHTS) == (card.randomisation >= 0.5)


# --- infidelity and sensitivity ------------------------------------------------------------------


def test_infidelity_of_the_true_map_is_zero_and_of_noise_is_not(reader: LoadedModel) -> None:
    run = prepare(reader, bright_quarter())
    run.target = 1
    true = quarter()  # removing n bright pixels lowers the logit by n times one number
    assert unexplained(run, true, samples=40) == pytest.approx(0, abs=1e-4)
    assert unexplained(run, 7 * true, samples=40) == pytest.approx(0, abs=1e-4)
    noise = np.random.default_rng(0).normal(size=(16, 16)).astype(np.float32)
    found = unexplained(run, noise, samples=40)
    assert found is not None
    assert found > 0.5


def test_infidelity_says_nothing_where_nothing_changes(reader: LoadedModel) -> None:
    run = prepare(reader, Image.new("RGB", (16, 16), "black"))
    run.target = 1
    assert unexplained(run, quarter(), samples=4) is None


def test_sensitivity_against_the_formula() -> None:
    crop = np.random.default_rng(1).uniform(0.1, 0.9, (8, 8, 3)).astype(np.float32)
    seen: list[np.ndarray] = []

    def explained(image: np.ndarray) -> np.ndarray:
        seen.append(image[..., 0] - 0.4)
        return seen[-1]

    found = sensitivity(crop, explained, noises=4)
    own, *noisy = seen
    changes = [np.linalg.norm(map - own) / np.linalg.norm(own) for map in noisy]
    assert len(noisy) == 4
    assert found == pytest.approx(max(changes), rel=1e-4)
    assert max(np.abs(map - own).max() for map in noisy) <= 0.02 + 1e-6


# --- the verdict ---------------------------------------------------------------------------------


def curve(own: float, random: float) -> PerturbationCurve:
    flat = np.ones(3, np.float32)
    shares = np.array([0, 0.5, 1], np.float32)
    return PerturbationCurve(shares, own * flat, np.stack([random * flat] * 5), removes=True)


CARD = TrustCard("lenet5", "paper", "saliency", 3)


@pytest.mark.parametrize(
    ("found", "level", "verdict"),
    [
        ({"weights": None, "randomisation": 0.1}, "noise", UNTRAINED),
        ({"flat": True}, "bad", FLAT),
        ({"randomisation": 0.5}, "bad", IGNORES_WEIGHTS),
        ({"randomisation": 0.49}, "good", NOTHING_AGAINST),
        ({"randomisation": 0.1, "deletion": curve(0.5, 0.4)}, "care", NO_BETTER),
        ({"randomisation": 0.1, "deletion": curve(0.3, 0.4)}, "good", NOTHING_AGAINST),
        ({"deletion": curve(0.3, 0.4), "delta": 0.021}, "care", NOT_COMPLETE),
        ({"deletion": curve(0.3, 0.4), "delta": 0.02}, "good", NOTHING_AGAINST),
        ({"sensitivity": 1.01}, "care", UNSTABLE),
        ({"infidelity": 0.2}, "care", NOT_CHECKED),
    ],
)
def test_the_verdict_follows_the_limits(found: dict[str, Any], level: str, verdict: str) -> None:
    card = judged(replace(CARD, **found))
    assert (card.level, card.verdict) == (level, verdict)
    assert "{" not in card.verdict.format(**card.values)


def test_an_untrained_network_is_told_to_explain_noise(network_of: Any) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 14 * 14, 5))
    card = assess(network_of(module), picture("coffee"), asked("saliency", "curves"))
    assert card.verdict == UNTRAINED


# --- the whole card ------------------------------------------------------------------------------


def test_all_checks_cheapest_first_with_partial_cards(lenet5: LoadedModel) -> None:
    request = asked("integrated_gradients", *ALL)
    assert list(check_passes(request).values()) == sorted(check_passes(request).values())
    told: list[tuple[float, float, TrustCard | None]] = []
    found = explain(lenet5, picture("digit_3"), request.explain)
    card = assess(lenet5, picture("digit_3"), request, found, lambda *now: told.append(now))
    assert card.deletion
    assert card.insertion
    assert card.randomisation is not None
    assert card.infidelity is not None
    assert card.sensitivity is not None
    assert set(card.agreement) <= set(companions("integrated_gradients"))
    assert all(-1 <= value <= 1 for value in card.agreement.values())
    assert len(card.agreement) >= 2
    done = [fraction for fraction, _, _ in told]
    assert done == sorted(done)
    assert told[-1][0] == pytest.approx(told[-1][1])
    assert len({id(partial) for _, _, partial in told}) >= len(ALL)
    assert pickle.loads(pickle.dumps(card)).verdict == card.verdict
    again = assess(lenet5, picture("digit_3"), request)
    assert replace(again, seconds=0, deletion=None, insertion=None) == replace(
        card, seconds=0, deletion=None, insertion=None
    )


def state_of(module: nn.Module) -> Any:
    return (
        [part.training for part in module.modules()],
        [(p.requires_grad, p.grad) for p in module.parameters()],
        [len(part._forward_hooks) + len(part._backward_hooks) for part in module.modules()],
        [value.clone() for value in module.state_dict().values()],
    )


@pytest.mark.parametrize("after", [0, 3, 12, 40])
def test_a_cancelled_check_leaves_no_trace(lenet5: LoadedModel, after: int) -> None:
    before = state_of(lenet5.module)
    calls = 0

    def cancel(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise JobCancelled("stopped")

    with pytest.raises(JobCancelled):
        assess(lenet5, picture("digit_3"), asked("saliency", *ALL), progress=cancel)
    now = state_of(lenet5.module)
    assert now[:3] == before[:3]
    assert all(torch.equal(a, b) for a, b in zip(now[3], before[3], strict=True))


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (asked("saliency", "astrology"), ("astrology", "curves")),
        (asked("saliency", "curves", orders=0), ("orders", "0")),
        (asked("saliency", "curves", steps=5000), ("steps", "5000")),
    ],
)
def test_bad_requests_are_named(
    lenet5: LoadedModel, request_: AssessRequest, names: tuple[str, ...]
) -> None:
    with pytest.raises(AttributionError) as caught:
        assess(lenet5, picture("digit_3"), request_)
    assert all(name in str(caught.value) for name in names)


def test_the_task_is_named_by_its_question(lenet5: LoadedModel) -> None:
    ref, image = ModelRef("lenet5", "paper"), sample_bytes("digit_3")
    plain = AssessMap(ref, image, asked("saliency", "curves"))
    found = explain(lenet5, picture("digit_3"), ExplainRequest("saliency"))
    assert replace(plain, found=found).key() == plain.key()
    assert replace(plain, request=asked("saliency", "agreement")).key() != plain.key()
