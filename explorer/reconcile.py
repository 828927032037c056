"""Our count beside everybody else's, and for each difference the op or rule that makes it.

The reasons are computed, not looked up: torchinfo's rule is applied to the layer graph, what
``FlopCounterMode`` could not see on the CPU is listed by running under a dispatch mode, and a
published number is explained only by a rule of counting that brings ours to it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, Any

from explorer.catalog.paper2016 import load_points
from explorer.catalog.spec import ModelSpec
from explorer.catalog.timm_results import CPU_FILE, GPU_FILE, benchmark
from explorer.costs import Convention, count
from explorer.errors import ExplorerError
from explorer.graph import LayerGraph, Op
from explorer.i18n import N_
from explorer.results import OtherCount

if TYPE_CHECKING:
    from torch import nn

logger = logging.getLogger(__name__)

#: Differences up to this are rounding: nothing is explained.
TOLERANCE = 0.005
#: A real pass on the CPU above this is not made for a count.
LARGEST_RUN_MACS, LARGEST_RUN_PARAMS = 60e9, 400e6

Step = Callable[[float, float | None], None]


def reconcile(
    spec: ModelSpec, graph: LayerGraph, progress: Step | None = None
) -> tuple[OtherCount, ...]:
    """Every count that there is of this network.

    Args:
        spec: The network.
        graph: Its trace at its own input size, batch 1.
        progress: Called with (sources done, sources); what it raises passes through.
    """
    live = (meta_count, cpu_count, torchinfo_count)
    found = [*published(spec, graph)]
    for step, counter in enumerate(live):
        if progress is not None:
            progress(step, len(live))
        found.append(counter(spec, graph))
    return tuple(found)


def giga(amount: float) -> str:
    """An amount in 10⁹ with three significant decimals, for sentences."""
    return f"{amount / 1e9:.3f}" if abs(amount) < 1e10 else f"{amount / 1e9:.1f}"


def published(spec: ModelSpec, graph: LayerGraph) -> Iterator[OtherCount]:
    """What is published of it: torchvision's ``_ops``, timm's GMACs, the 2016 chart."""
    _, *own = graph.input_shape
    size = (own[0], own[1], own[2])
    ours = float(graph.total_macs)
    for weights in spec.weights:
        if weights.macs is not None and weights.preprocessing.input_size == size:
            source = "torchvision" if spec.source == "torchvision" else spec.source
            yield _explained(
                OtherCount(
                    f"{source} ({weights.id})", "published", "macs", weights.macs, ours, size
                ),
                graph,
            )
            break
    name = spec.builder if spec.source != "explorer" else ""
    for path, device in ((GPU_FILE, "GPU"), (CPU_FILE, "CPU")):
        row = benchmark(path).get((name, size[1]))
        if row is not None:
            amount = 1e9 * row.macs_giga
            yield _explained(
                OtherCount(f"timm ({device} table)", "published", "macs", amount, ours, size), graph
            )
    points, _problems = load_points()
    for point in points:
        if point.model_id == spec.id:
            row_2016 = OtherCount(
                "Canziani et al. 2016", "published", "canziani", 1e9 * point.ops_giga,
                float(count(graph, Convention.CANZIANI)), size,
            )  # fmt: skip
            reason = point.note.partition(". ")[0].rstrip(".") or N_("more is not known of it")
            yield _said(row_2016, N_("The paper plots another variant: {note}."), note=reason)


def meta_count(spec: ModelSpec, graph: LayerGraph) -> OtherCount:
    """``FlopCounterMode`` on the meta device, halved."""
    return _flop_counter(spec, graph, "meta")


def cpu_count(spec: ModelSpec, graph: LayerGraph) -> OtherCount:
    """``FlopCounterMode`` around a real pass on the CPU, halved."""
    ours, params = graph.total_macs, graph.total_params
    if ours > LARGEST_RUN_MACS or params > LARGEST_RUN_PARAMS:
        return OtherCount(
            "flop_counter, CPU", "live", "macs", None, float(ours), _size(graph),
            N_("A real pass of {gmacs} GMACs and {millions:.0f} million parameters is not made for "
               "a count."),
            {"gmacs": giga(ours), "millions": params / 1e6},
        )  # fmt: skip
    return _flop_counter(spec, graph, "cpu")


def _flop_counter(spec: ModelSpec, graph: LayerGraph, device: str) -> OtherCount:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    source = f"flop_counter, {device}" if device == "meta" else "flop_counter, CPU"
    try:
        module = _module(spec, graph, device)
        x = torch.zeros(graph.input_shape, device=device)
        counter = FlopCounterMode(display=False)
        with torch.no_grad(), counter, _Ops() as seen:
            module(x)
        amount = counter.get_total_flops() / 2
    except (RuntimeError, NotImplementedError, TypeError, ValueError) as error:
        logger.info("%s fails on %s", source, spec.id, exc_info=error)
        return _failed(source, graph)
    row = OtherCount(source, "live", "macs", amount, float(graph.total_macs), _size(graph))
    hidden = {name: times for name, times in seen.unseen.items() if times}
    missing = graph.total_macs - amount
    if not hidden or abs(missing) <= TOLERANCE * graph.total_macs:
        return _explained(row, graph)
    return _said(
        row,
        N_(
            "It has no formula for {ops}, as which attention and its layers run here: {gmacs} "
            "GMACs unseen."
        ),
        ops=", ".join(f"{name} (×{times})" for name, times in sorted(hidden.items())),
        gmacs=giga(missing),
    )


def _module(spec: ModelSpec, graph: LayerGraph, device: str) -> nn.Module:
    """The network with zeros for weights: no arithmetic is slowed down by odd values."""
    import torch

    from explorer.tracing.building import module_for

    module = module_for(spec, _size(graph)).to(device)
    if device != "meta":
        with torch.no_grad():
            for tensor in (*module.parameters(), *module.buffers()):
                tensor.zero_()
    return module.eval()


class _Ops:
    """Lists fused ops that run and that ``FlopCounterMode`` has no formula for."""

    def __init__(self) -> None:
        from torch.utils._python_dispatch import TorchDispatchMode
        from torch.utils.flop_counter import flop_registry

        unseen: Counter[str] = Counter()

        class Mode(TorchDispatchMode):  # type: ignore[no-untyped-call]
            def __torch_dispatch__(
                self, func: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                packet = func._overloadpacket
                name = str(packet).removeprefix("aten.")
                fused = "attention" in name or "encoder_layer" in name
                if fused and packet not in flop_registry:
                    unseen[name] += 1
                return func(*args, **(kwargs or {}))

        self.unseen = unseen
        self._mode: Any = Mode()  # type: ignore[no-untyped-call]

    def __enter__(self) -> _Ops:
        self._mode.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._mode.__exit__(*error)


def torchinfo_count(spec: ModelSpec, graph: LayerGraph) -> OtherCount:
    """The multiply–adds of torchinfo, and its rule applied to the graph where they differ."""
    from explorer.tracing.torchinfo_table import torchinfo_summary

    try:
        summary = torchinfo_summary(spec)
    except ExplorerError as error:
        logger.info("torchinfo fails on %s: %s", spec.id, error)
        return _failed("torchinfo", graph)
    row = OtherCount(
        "torchinfo", "live", "macs", float(summary.mult_adds), float(graph.total_macs),
        summary.input_size,
    )  # fmt: skip
    if abs(row.deviation or 0) <= TOLERANCE:
        return row
    return _torchinfo_reason(row, graph)


def _torchinfo_reason(row: OtherCount, graph: LayerGraph) -> OtherCount:
    """The largest of what its rule leaves out: functions, and positions of linear layers."""
    nodes = graph.module_by_id
    parts: Counter[str] = Counter()
    for op in graph.ops:
        class_name = nodes[op.module].class_name
        own = _module_weight(op, graph)
        if not op.params or not own or class_name == "MultiheadAttention":
            parts["functions"] += op.macs
        elif op.kind == "linear":
            positions = prod(op.outputs[0].shape[1:-1])
            parts["positions"] += op.macs - op.macs // max(1, positions)
    over = _elements(graph, "bias") + _elements(graph, "norm")
    missing = row.ours - float(row.amount or 0)
    functions, positions = parts["functions"], parts["positions"]
    if missing > 0 and functions + positions > 0:
        if functions and positions:
            return _said(
                row,
                N_(
                    "torchinfo sees modules: {functions} GMACs are function calls (attention and "
                    "products of activations), unseen, and linear layers are counted for one "
                    "position instead of all: {positions} GMACs."
                ),
                functions=giga(functions), positions=giga(positions),
            )  # fmt: skip
        if functions:
            return _said(
                row,
                N_(
                    "torchinfo sees modules; this network calls functions that multiply: {gmacs} "
                    "GMACs unseen."
                ),
                gmacs=giga(functions),
            )
        return _said(
            row,
            N_(
                "torchinfo counts a linear layer once, not at each of its positions: {gmacs} "
                "GMACs left out."
            ),
            gmacs=giga(positions),
        )
    if missing < 0 and over:
        return _said(
            row,
            N_(
                "torchinfo adds one for every bias that is applied and for every weight of a "
                "normalisation: {gmacs} GMACs too many."
            ),
            gmacs=giga(-missing),
        )
    return _unexplained(row)


def _module_weight(op: Op, graph: LayerGraph) -> bool:
    """Whether the op reads "weight" of the very module that runs it, as torchinfo expects."""
    path = graph.module_by_id[op.module].path
    return f"{path}.weight".lstrip(".") in op.params


# Rules by which others count more or less than multiply–accumulates: what to add to ours.
_RULES: dict[str, str] = {
    "attention": N_("it leaves out the products inside attention ({gmacs} GMACs)"),
    "functions": N_("it leaves out products of two activations ({gmacs} GMACs)"),
    "bias": N_("it adds one for every bias that is applied ({gmacs} GMACs)"),
    "norm": N_("it adds one for every normalised element ({gmacs} GMACs)"),
    "norm2": N_("it adds two for every normalised element ({gmacs} GMACs)"),
    "activation": N_("it adds one for every activated element ({gmacs} GMACs)"),
    "pooling": N_("it adds the elements that pooling reads ({gmacs} GMACs)"),
    "head": N_("it leaves out the classifier ({gmacs} GMACs)"),
}


def _elements(graph: LayerGraph, rule: str) -> int:
    """Multiply–accumulates that a rule adds (or, where negative, leaves out)."""
    ops = graph.ops
    if rule == "attention":
        return -sum(op.macs for op in ops if op.kind == "attention")
    if rule == "functions":
        return -sum(op.macs for op in ops if not op.params and op.kind != "attention")
    if rule == "bias":
        return sum(
            op.outputs[0].numel
            for op in ops
            if op.macs and any(name.endswith("bias") for name in op.params)
        )
    if rule in ("norm", "norm2"):
        once = sum(op.outputs[0].numel for op in ops if op.kind == "normalisation")
        return once if rule == "norm" else 2 * once
    if rule == "activation":
        return sum(op.outputs[0].numel for op in ops if op.kind == "activation")
    if rule == "pooling":
        return sum(op.inputs[0].numel for op in ops if op.kind == "pooling" and op.inputs)
    heads = [op for op in ops if op.kind == "linear" and op.params]
    return -heads[-1].macs if heads else 0


def _explained(row: OtherCount, graph: LayerGraph) -> OtherCount:
    """With the one rule, or the two, that bring our number within the tolerance of theirs."""
    if row.amount is None or abs(row.deviation or 0) <= TOLERANCE:
        return row
    difference = row.amount - row.ours
    if abs(difference) <= 0.0051e9 and row.source.startswith("timm"):
        return _said(row, N_("timm prints two decimals of a GMAC: rounding."))
    sizes = {rule: _elements(graph, rule) for rule in _RULES}
    sizes = {rule: amount for rule, amount in sizes.items() if amount}
    for several in (1, 2):
        options = list(combinations(sizes, several))
        best = min(
            options, key=lambda o: abs(difference - sum(sizes[rule] for rule in o)), default=()
        )
        left = abs(difference - sum(sizes[rule] for rule in best))
        if best and left <= TOLERANCE * row.ours:
            return _said(row, "", rules=[(_RULES[rule], giga(abs(sizes[rule]))) for rule in best])
    return _unexplained(row)


def _unexplained(row: OtherCount) -> OtherCount:
    return _said(
        row,
        N_("No rule of counting that is known here makes this difference of {gmacs} GMACs."),
        gmacs=giga((row.amount or 0) - row.ours),
    )


def _failed(source: str, graph: LayerGraph) -> OtherCount:
    return OtherCount(
        source, "live", "macs", None, float(graph.total_macs), _size(graph),
        N_("It fails on this network; the log has its words."),
    )  # fmt: skip


def _said(row: OtherCount, reason: str, **values: Any) -> OtherCount:
    from dataclasses import replace

    if row.amount is not None and abs(row.deviation or 0) <= TOLERANCE:
        return row
    return replace(row, reason=reason, values=values)


def _size(graph: LayerGraph) -> tuple[int, int, int]:
    _, channels, height, width = graph.input_shape
    return channels, height, width


def reason_text(row: OtherCount, translate: Callable[[str], str] = str) -> str:
    """The sentence on a difference, through ``translate`` (a gettext function)."""
    if "rules" in row.values:
        parts = [translate(text).format(gmacs=gmacs) for text, gmacs in row.values["rules"]]
        return translate(N_("Consistent with a rule: {rules}.")).format(rules="; ".join(parts))
    values = {
        key: translate(value) if isinstance(value, str) and value else value
        for key, value in row.values.items()
    }
    return translate(row.reason).format(**values) if row.reason else ""
