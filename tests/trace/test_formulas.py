"""Every formula against torch's own counter on the meta device, and on arithmetic by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as fn
from torch.utils.flop_counter import FlopCounterMode

from explorer.graph import Tensor
from explorer.trace import trace
from explorer.tracing import kinds
from explorer.tracing.formulas import FORMULAS, Call, formula_for


class Calls(nn.Module):
    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def counted_by_torch(
    function: Callable[[torch.Tensor], torch.Tensor], shape: tuple[int, ...]
) -> int:
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        function(torch.empty(shape))
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return int(flops // 2)


CASES: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], tuple[int, ...]]] = {
    "conv1d": (lambda x: fn.conv1d(x, torch.empty(6, 4, 3), stride=2, padding=1), (2, 4, 11)),
    "conv2d": (lambda x: fn.conv2d(x, torch.empty(6, 4, 3, 5), padding=(1, 2)), (2, 4, 9, 8)),
    "conv2d grouped": (lambda x: fn.conv2d(x, torch.empty(6, 2, 3, 3), groups=2), (2, 4, 9, 9)),
    "conv2d depthwise": (lambda x: fn.conv2d(x, torch.empty(8, 1, 3, 3), groups=4), (2, 4, 9, 9)),
    "conv2d dilated": (lambda x: fn.conv2d(x, torch.empty(6, 4, 3, 3), dilation=2), (1, 4, 9, 9)),
    "conv2d same": (lambda x: fn.conv2d(x, torch.empty(6, 4, 4, 4), padding="same"), (1, 4, 9, 9)),
    "conv3d": (lambda x: fn.conv3d(x, torch.empty(6, 4, 3, 3, 3)), (2, 4, 5, 6, 7)),
    "conv_transpose2d": (
        lambda x: fn.conv_transpose2d(x, torch.empty(4, 3, 3, 3), stride=2, groups=2), (2, 4, 5, 5)
    ),
    "linear": (lambda x: fn.linear(x, torch.empty(7, 5), torch.empty(7)), (2, 3, 5)),
    "mm": (lambda x: x.mm(torch.empty(5, 7)), (3, 5)),
    "addmm": (lambda x: torch.addmm(torch.empty(7), x, torch.empty(5, 7)), (3, 5)),
    "bmm": (lambda x: x.bmm(torch.empty(2, 5, 7)), (2, 3, 5)),
    "baddbmm": (lambda x: torch.baddbmm(torch.empty(2, 3, 7), x, torch.empty(2, 5, 7)), (2, 3, 5)),
    "matmul 4-D": (lambda x: x @ x.transpose(-1, -2), (2, 3, 4, 5)),
    "matmul broadcast": (lambda x: x @ torch.empty(5, 6), (2, 3, 4, 5)),
    "attention": (lambda x: fn.scaled_dot_product_attention(x, x, x), (2, 3, 9, 8)),
    "attention causal": (
        lambda x: fn.scaled_dot_product_attention(x, x, x, is_causal=True), (2, 3, 9, 8)
    ),
    "attention across": (
        lambda x: fn.scaled_dot_product_attention(x, x[:, :, :5], x[:, :, :5]),
        (2, 3, 9, 8),
    ),
    "einsum": (lambda x: torch.einsum("nchw,ndhw->ncd", x, x), (2, 3, 4, 5)),
    "einsum ellipsis": (lambda x: torch.einsum("...ij,...jk->...ik", x, x), (2, 3, 4, 4)),
    "einsum implicit": (lambda x: torch.einsum("ij,jk", x, x), (4, 4)),
    "einsum of three": (lambda x: torch.einsum("ij,jk,kl->il", x, x, x), (4, 4)),
    "einsum without a sum": (lambda x: torch.einsum("ij,ij->ij", x, x), (4, 4)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_formula_is_torchs(case: str) -> None:
    function, shape = CASES[case]
    graph = trace(Calls(function), torch.empty(shape))
    assert graph.method == "export"
    assert graph.complete
    assert graph.total_macs == counted_by_torch(function, shape)


def test_by_hand() -> None:
    conv = trace(nn.Conv2d(64, 128, 3, padding=1), torch.empty(1, 64, 56, 56))
    assert conv.total_macs == 3 * 3 * 64 * 128 * 56 * 56
    depthwise = trace(nn.Conv2d(64, 64, 3, padding=1, groups=64), torch.empty(1, 64, 56, 56))
    assert depthwise.total_macs == 3 * 3 * 64 * 56 * 56
    assert depthwise.ops[0].kind == "depthwise"
    assert trace(nn.Linear(400, 120), torch.empty(5, 400)).total_macs == 5 * 400 * 120
    # Three channels that each make two: depth-wise in the sense of groups == in_channels.
    assert trace(nn.Conv2d(3, 6, 3, groups=3), torch.empty(1, 3, 9, 9)).ops[0].kind == "depthwise"
    assert trace(nn.Conv2d(4, 4, 3, groups=2), torch.empty(1, 4, 9, 9)).ops[0].kind == "convolution"
    # One channel in is no depth-wise convolution.
    assert trace(nn.Conv2d(1, 6, 5), torch.empty(1, 1, 9, 9)).ops[0].kind == "convolution"


def test_attention_module_is_counted_where_torch_would_fuse_it() -> None:
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
    graph = trace(layer, torch.empty(2, 7, 16))
    # 2·7 tokens: in 3·16², out 16², two linear layers 16·32, and 2 products of 7×7 over 16.
    assert graph.total_macs == 2 * 7 * (4 * 16 * 16 + 2 * 16 * 32) + 2 * 7 * 7 * 16 * 2
    assert torch.backends.mha.get_fastpath_enabled()


def test_fused_ops_equal_what_they_consist_of() -> None:
    def tensor(*shape: int) -> Tensor:
        return Tensor(shape)

    x = tensor(2, 7, 16)
    block = Call(
        "_native_multi_head_attention", {"query": x, "key": x, "value": x, "embed_dim": 16}, (x,)
    )
    layer = Call("_transformer_encoder_layer_fwd", {"src": x, "ffn_weight_1": tensor(32, 16)}, (x,))
    attended = 2 * 7 * 4 * 16 * 16 + 2 * 7 * 7 * 16 * 2
    assert FORMULAS[block.target](block) == attended
    assert FORMULAS[layer.target](layer) == attended + 2 * 7 * 2 * 16 * 32


@pytest.mark.parametrize("target", sorted(FORMULAS))
def test_what_has_a_formula_has_a_kind(target: str) -> None:
    assert kinds.kind_of(target) in {"convolution", "linear", "attention"}


@pytest.mark.parametrize("target", sorted(kinds.LINEAR | kinds.CONVOLUTION | kinds.ATTENTION))
def test_what_multiplies_is_counted_or_said(target: str) -> None:
    named = formula_for(target) is not None
    assert named or target in {
        "outer", "tensordot", "_trilinear", "chain_matmul", "linalg_multi_dot", "kron"
    }  # fmt: skip


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrence_is_torchs(kind: type[nn.RNNBase]) -> None:
    module = kind(5, 6, num_layers=2, bidirectional=True, batch_first=True).eval()
    graph = trace(module, torch.empty(3, 7, 5))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.to("meta")(torch.empty(3, 7, 5, device="meta"))
    # Two directions of two layers, each 7 steps of 3 sequences: gates·6·(input + 6).
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind.__name__]
    assert graph.total_macs == 2 * 3 * 7 * gates * 6 * ((5 + 6) + (12 + 6))
    assert graph.total_macs * 2 == counter.get_total_flops()
    assert graph.complete


def test_an_op_without_formula_is_never_silently_zero() -> None:
    graph = trace(Calls(lambda x: torch.fft.fft2(x).real), torch.empty(1, 3, 8, 8))
    assert not graph.complete
    assert [op.target for op in graph.ops if not op.counted] == ["fft_fft2"]
    assert graph.total_macs == 0
