"""The differences that everybody knows are found, and nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.catalog import find
from explorer.graph import LayerGraph, Op, Tensor
from explorer.structural_diff import Status, differences, structural_diff
from explorer.trace import trace_spec


def traced(name: str) -> LayerGraph:
    return trace_spec(find(name))


def test_vgg16_with_batch_norm_has_13_more_and_nothing_else() -> None:
    first, second = traced("vgg16"), traced("vgg16_bn")
    diff = structural_diff(first, second)
    (only,) = differences(diff, first, second)
    assert (only.status, only.target, len(only.steps)) == (Status.ADDED, "batch_norm", 13)
    counts = diff.counts()
    assert counts[Status.CHANGED] == counts[Status.REMOVED] == 0
    assert counts[Status.SAME] == len(first.ops)
    back = structural_diff(second, first)
    assert back.counts()[Status.REMOVED] == 13


def test_resnext_changes_16_convolutions_to_32_groups_on_the_same_skeleton() -> None:
    first, second = traced("resnet50"), traced("resnext50_32x4d")
    diff = structural_diff(first, second)
    assert diff.same_skeleton
    grouped = [
        {name: (a, b) for name, a, b in step.differences}
        for step in diff.steps
        if any(name == "groups" for name, _a, _b in step.differences)
    ]
    assert len(grouped) == 16
    assert all(change["groups"] == (1, 32) for change in grouped)
    # Widths of the four stages: 64, 128, 256, 512 become twice that, in 3 + 4 + 6 + 3 blocks.
    widths = Counter(change["out_channels"] for change in grouped)
    assert widths == {(64, 128): 3, (128, 256): 4, (256, 512): 6, (512, 1024): 3}
    assert Counter(step.status for step in diff.steps)[Status.CHANGED] == 48
    assert {item.target for item in differences(diff, first, second)} == {"conv2d"}


def test_the_wide_resnet_changes_widths_only() -> None:
    first, second = traced("resnet50"), traced("wide_resnet50_2")
    diff = structural_diff(first, second)
    assert diff.same_skeleton
    changed = [step for step in diff.steps if step.status is Status.CHANGED]
    names = {name for step in changed for name, _a, _b in step.differences}
    assert len(changed) == 48  # three convolutions in each of 16 blocks; the shortcuts stay
    assert names == {"in_channels", "out_channels"}


@pytest.mark.parametrize("name", ["lenet5", "resnet50", "googlenet", "vit_b_16", "densenet121"])
def test_a_model_against_itself_is_empty(name: str) -> None:
    graph = traced(name)
    assert structural_diff(graph, graph).empty


def small(kinds: list[str]) -> LayerGraph:
    ops = tuple(
        Op(f"{kind}_{number}", kind, "other", "", (Tensor((1, 8)),), (Tensor((1, 8)),), {}, (), 0)
        for number, kind in enumerate(kinds)
    )
    return LayerGraph("m", (1, 8), ops, (), (), (), "export", (), {})


def longest_common(a: list[str], b: list[str]) -> int:
    """Length of the longest common subsequence, by the textbook recursion."""
    table = [[0] * (len(b) + 1) for _row in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            table[i + 1][j + 1] = (
                table[i][j] + 1 if x == y else max(table[i][j + 1], table[i + 1][j])
            )
    return table[-1][-1]


NAMES = st.lists(st.sampled_from(["conv2d", "relu", "linear"]), max_size=12)


@given(NAMES, NAMES)
def test_alignment_is_the_longest_common_one_and_keeps_both_orders(
    a: list[str], b: list[str]
) -> None:
    first, second = small(a), small(b)
    diff = structural_diff(first, second)
    assert [s.first for s in diff.steps if s.first] == [op.id for op in first.ops]
    assert [s.second for s in diff.steps if s.second] == [op.id for op in second.ops]
    matched = [s for s in diff.steps if s.first and s.second]
    assert len(matched) == longest_common(a, b)
