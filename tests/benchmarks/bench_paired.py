"""Timing in turn: a network against itself, and two against separate timers; ``make bench``."""

from __future__ import annotations

import statistics

import torch
from torch.utils.benchmark import Timer

from explorer.catalog import find
from explorer.paired import PairedRequest, ratio_of
from explorer.paired_timing import measure_paired
from explorer.zoo import load


def test_a_model_against_itself_is_no_difference_in_9_of_10() -> None:
    one, same = load(find("resnet18"), None), load(find("resnet18"), None)
    held = 0
    for seed in range(10):
        found = ratio_of(measure_paired([one, same], PairedRequest(rounds=20, seed=seed)), 0, 1)
        print(f"\n{found.value:.4f} [{found.low:.4f}, {found.high:.4f}]")
        held += not found.shown
    assert held >= 9


def test_resnet50_over_resnet18_is_that_of_two_timers() -> None:
    small, large = load(find("resnet18"), None), load(find("resnet50"), None)
    x = torch.randn(1, 3, 224, 224)
    ratios = []
    with torch.inference_mode():
        for _round in range(5):
            times = [
                Timer(
                    "m(x)", globals={"m": one.module, "x": x}, num_threads=torch.get_num_threads()
                )
                .blocked_autorange(min_run_time=1.0)
                .median
                for one in (small, large)
            ]
            ratios.append(times[1] / times[0])
    found = ratio_of(measure_paired([small, large], PairedRequest(rounds=30)), 1, 0)
    peer = statistics.median(ratios)
    print(f"\nours {found.value:.3f} [{found.low:.3f}, {found.high:.3f}], timers {peer:.3f}")
    assert abs(found.value / peer - 1) < 0.05
