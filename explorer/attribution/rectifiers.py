"""Which activations a network applies, and rules that take their place while it runs.

Captum hooks ``nn.ReLU`` modules. One that is called twice, a functional one or a ReLU6 escapes it
without a word. Here the calls themselves are caught, whoever makes them, so that all are treated
alike; the network is not changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.attribution.running import Run
from explorer.errors import AttributionError
from explorer.i18n import N_

REUSED = N_("Some ReLU modules are called more than once; each call was treated on its own.")
IN_PLACE = N_("Some ReLU modules work in place; they were run on a copy of their input.")
FUNCTIONAL = N_("Some ReLUs are function calls, not modules; they were treated like modules.")
POOLED = N_(
    "Some ReLUs are followed by max pooling at once; Captum's hooks would mix up their gradients."
)
CAPPED = N_("Some activations are ReLU6; its cap at 6 was treated as a part of the ReLU.")

_CAPPED = ("relu6", "relu6_", "hardtanh", "hardtanh_")  # nn.ReLU6 calls hardtanh with 0 and 6
#: Activations that no rule of ReLU networks covers.
_SMOOTH = {
    *("silu", "silu_", "gelu", "hardswish", "hardswish_", "elu", "elu_", "leaky_relu"),
    *("leaky_relu_", "mish", "prelu", "selu", "celu", "rrelu", "softplus", "softsign", "tanh"),
    *("logsigmoid", "glu", "threshold"),
}
_SMOOTH_CLASSES = {"SiLU", "Swish", "SwishJit", "QuickGELU", "Mish", "MishJit", "GELU", "GELUTanh"}
#: Functions that are neither linear in the image nor rectifiers or pooling.
_GATES = {
    *("sigmoid", "sigmoid_", "hardsigmoid", "hardsigmoid_", "softmax", "log_softmax"),
    *("scaled_dot_product_attention", "multi_head_attention_forward", "layer_norm"),
    *("group_norm", "instance_norm", "rms_norm", "normalize", "local_response_norm", "einsum"),
}

Rule = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Activations:
    """What a network computes beside linear functions.

    Attributes:
        rectifiers: Calls of ReLU and ReLU6.
        smooth: Names of other activations, sorted.
        gates: Names of other functions that are not linear, sorted.
        repaired: Sentences on ReLUs that Captum alone would have missed.
        pooled: Whether the very output of a ReLU goes into max pooling. Captum 0.9 hangs the hooks
            of both on one tensor, and that of the ReLU then reads a gradient without the rule of
            the pooling: its DeepLIFT no longer adds up to the difference of the scores.
    """

    rectifiers: int
    smooth: tuple[str, ...]
    gates: tuple[str, ...]
    repaired: tuple[str, ...]
    pooled: bool


class Rules(TorchFunctionMode):
    """Calls of torch's functions by name go to a rule, all others through.

    Args:
        rules: Function name → (function, arguments, keywords) → result.
        seen: Counts all calls by name, if given.
    """

    def __init__(self, rules: dict[str, Rule], seen: Counter[str] | None = None) -> None:
        super().__init__()
        self.rules = rules
        self.seen = seen

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if self.seen is not None:
            self.seen[name] += 1
        rule = self.rules.get(name)
        return func(*args, **(kwargs or {})) if rule is None else rule(func, args, kwargs or {})


@contextmanager
def _counted(module: nn.Module) -> Iterator[Counter[nn.Module]]:
    """Counts calls of ReLU modules."""
    calls: Counter[nn.Module] = Counter()
    handles = [
        part.register_forward_hook(lambda part, inputs, output: calls.update([part]))
        for part in module.modules()
        if isinstance(part, nn.ReLU)
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def activations_of(run: Run) -> Activations:
    """What one pass of the network calls."""
    module = run.loaded.module
    seen: Counter[str] = Counter()

    def multiply(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        output = func(*args, **kwargs)
        both = [arg for arg in args if isinstance(arg, Tensor) and arg.requires_grad]
        if len(both) > 1 and not any(isinstance(arg, nn.Parameter) for arg in both):
            seen["product"] += 1
        return output

    capped: list[bool] = []

    def clipped(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        capped.append(_bounds(func, args, kwargs)[0] == 0)
        return func(*args, **kwargs)

    outputs: list[Tensor] = []  # kept, so that no other tensor takes their place
    pooled: list[bool] = []

    def rectify(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        output = func(*args, **kwargs)
        outputs.append(output)
        return output

    def pool(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        pooled.append(any(args[0] is output for output in outputs))
        return func(*args, **kwargs)

    rules: dict[str, Rule] = {"relu": rectify, "relu_": rectify, "max_pool2d": pool}
    products = dict.fromkeys(("mul", "mul_", "__mul__", "__matmul__", "matmul", "bmm"), multiply)
    rules |= products | dict.fromkeys(_CAPPED, clipped)
    with (
        torch.enable_grad(),
        _counted(module) as calls,
        Rules(rules, seen),
    ):
        run.forward(run.x.detach().clone().requires_grad_())
    plain = seen["relu"] + seen["relu_"]
    classes = {type(part).__name__ for part in module.modules()} & _SMOOTH_CLASSES
    functions = {name.rstrip("_") for name in _SMOOTH if seen[name]}
    smooth = classes | (functions - {name.lower() for name in classes})
    if not all(capped):
        smooth.add("hardtanh")
    gates = {name.rstrip("_") for name in _GATES | {"product"} if seen[name]}
    named = (
        (any(count > 1 for count in calls.values()), REUSED),
        (any(part.inplace for part in calls), IN_PLACE),
        (plain > sum(calls.values()), FUNCTIONAL),
        (any(capped), CAPPED),
    )
    return Activations(
        plain + sum(capped),
        tuple(sorted(smooth, key=str.lower)),
        tuple(sorted(gates)),
        tuple(text for true, text in named if true),
        any(pooled),
    )


def checked(run: Run, method: str, *, gates: bool) -> Activations:
    """The activations of a network that the rules of ReLU networks hold for.

    Args:
        run: The network.
        method: Its name, for the message.
        gates: Whether products and normalisation by the image are allowed.

    Raises:
        AttributionError: They do not hold.
    """
    found = activations_of(run)
    model = run.loaded.spec.name
    if found.smooth:
        raise AttributionError(
            N_("{method} holds for ReLU only, and {model} uses {names}; choose another method."),
            method=method,
            model=model,
            names=", ".join(found.smooth),
        )
    if not found.rectifiers:
        raise AttributionError(
            N_("{method} treats ReLUs, and {model} has none; choose another method."),
            method=method,
            model=model,
        )
    if found.gates and not gates:
        raise AttributionError(
            N_("{method} has no rule for {names} of {model}; choose another method."),
            method=method,
            model=model,
            names=", ".join(found.gates),
        )
    return found


def rectifier_rules(apply: Callable[[Tensor, float], Tensor]) -> dict[str, Rule]:
    """Rules that send every ReLU and ReLU6 to ``apply(x, cap)``; the cap of a ReLU is infinite."""

    def plain(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return apply(args[0] if args else kwargs["input"], float("inf"))

    def capped(func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        cap = _bounds(func, args, kwargs)[1]
        return apply(args[0] if args else kwargs["input"], cap)

    return dict.fromkeys(("relu", "relu_"), plain) | dict.fromkeys(_CAPPED, capped)


def _bounds(
    func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[float, float]:
    """Least and largest output of a call of relu6 or hardtanh."""
    if "relu6" in getattr(func, "__name__", ""):
        return 0.0, 6.0
    given = dict(zip(("input", "min_val", "max_val"), args, strict=False)) | kwargs
    return float(given.get("min_val", -1.0)), float(given.get("max_val", 1.0))


def same_score(run: Run, ruled: Tensor, method: str) -> None:
    """Checks that the rules left the forward pass as it is.

    Args:
        run: The network.
        ruled: (1,) score under the rules.
        method: Its name, for the message.

    Raises:
        AttributionError: They did not: in-place changes are read elsewhere.
    """
    with torch.no_grad():
        plain = run.score(run.x)
    if not torch.allclose(plain.float(), ruled.detach().float(), rtol=1e-3, atol=1e-4):
        raise AttributionError(
            N_("{method} cannot repair the in-place ReLUs of {model}; choose another method."),
            method=method,
            model=run.loaded.spec.name,
        )
