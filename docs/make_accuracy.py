"""Writes ``docs/accuracy.md``: every counter on torchvision's whole zoo, in one run.

``pip install -r requirements-bench.txt``, then ``python -m docs.make_accuracy``. Counters run on
the meta device, so that only counting is timed; fvcore, which needs values, runs on the CPU. A run
that is stopped goes on where it was. Right is: within 0.5 % of the ``_ops`` that torchvision
publishes for the network at its own size.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib.machinery
import io
import json
import logging
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import nn

from explorer.catalog import CATALOG
from explorer.catalog.spec import ModelSpec
from explorer.trace import watched
from explorer.tracing.building import module_for
from explorer.tracing.modes import inference_form

PAGE = Path(__file__).with_name("accuracy.md")
UNFINISHED = Path(__file__).parents[1] / "build" / "accuracy.json"
TOLERANCE = 0.005
ROUNDING = 0.0005e9  # MACs; torchvision gives three decimals of a GMAC
Count = Callable[[ModelSpec, nn.Module], float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a counter said of a network.

    Attributes:
        macs: Its count; None where it failed.
        seconds: Of counting, the network already built.
        error: Class of the exception; "" when it answered.
    """

    macs: float | None
    seconds: float
    error: str = ""

    def right(self, published: float) -> bool:
        """Whether it agrees with the published count."""
        if self.macs is None:
            return False
        # Small networks are published with two digits: half of the last one is rounding.
        return abs(self.macs - published) <= max(TOLERANCE * published, ROUNDING)


def _input(spec: ModelSpec, module: nn.Module) -> torch.Tensor:
    return torch.zeros(1, *spec.input_size, device=next(module.parameters()).device)


def ours(spec: ModelSpec, module: nn.Module) -> float:
    return float(watched(module, torch.empty(1, *spec.input_size), name=spec.id).total_macs)


def flop_counter(spec: ModelSpec, module: nn.Module) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module(_input(spec, module))
    return counter.get_total_flops() / 2


def torchinfo(spec: ModelSpec, module: nn.Module) -> float:
    import torchinfo as tool

    with inference_form(module):
        found = tool.summary(
            module, input_data=_input(spec, module), device="meta", mode="eval", verbose=0
        )
    return float(found.total_mult_adds)


def fvcore(spec: ModelSpec, module: nn.Module) -> float:
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(module, _input(spec, module))
    return float(analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total())


def ptflops(spec: ModelSpec, module: nn.Module) -> float:
    from ptflops import get_model_complexity_info

    macs, _params = get_model_complexity_info(
        module, spec.input_size, as_strings=False, print_per_layer_stat=False, verbose=False
    )
    if macs is None:
        raise RuntimeError("ptflops gave up")
    return float(macs)


def thop(spec: ModelSpec, module: nn.Module) -> float:
    from thop import profile

    macs, _params = profile(module, inputs=(_input(spec, module),), verbose=False)
    return float(macs)


def calflops(spec: ModelSpec, module: nn.Module) -> float:
    with contextlib.suppress(ImportError):
        import transformers  # noqa: F401
    if "transformers" not in sys.modules:
        # calflops imports a tokenizer that only its text models use.
        stand_in = types.ModuleType("transformers")
        stand_in.__spec__ = importlib.machinery.ModuleSpec("transformers", None)
        stand_in.AutoTokenizer = None  # type: ignore[attr-defined]
        sys.modules["transformers"] = stand_in
    from calflops import calculate_flops

    _flops, macs, _params = calculate_flops(
        model=module, args=[_input(spec, module)], print_results=False, print_detailed=False,
        output_as_string=False,
    )  # fmt: skip
    return float(macs)


COUNTERS: dict[str, Count] = {
    "ours": ours, "flop_counter": flop_counter, "torchinfo": torchinfo, "fvcore": fvcore,
    "ptflops": ptflops, "thop": thop, "calflops": calflops,
}  # fmt: skip
# Ours traces without values, wherever they are; fvcore needs them, as torch.jit.trace fails on
# the meta device.
ON_CPU = frozenset({"ours", "fvcore"})


def ask(name: str, spec: ModelSpec, module: nn.Module) -> Answer:
    """One counter on one network, silently."""
    start = time.perf_counter()
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            macs = COUNTERS[name](spec, module)
    except Exception as error:  # noqa: BLE001 - whatever a tool raises is its answer
        return Answer(None, time.perf_counter() - start, type(error).__name__)
    return Answer(macs, time.perf_counter() - start)


def ask_all(names: Iterable[str], spec: ModelSpec) -> dict[str, Answer]:
    """Every counter on one network; those that patch modules get a copy of their own."""
    names = list(names)
    module = module_for(spec, spec.input_size).eval()
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.zero_()
    found = {name: ask(name, spec, module) for name in names if name in ON_CPU}
    module = module.to("meta")
    for name in names:
        if name not in ON_CPU:
            found[name] = ask(name, spec, copy.deepcopy(module))
    return {name: found[name] for name in names}


def zoo() -> list[ModelSpec]:
    """Torchvision's classification networks with a published count."""
    return [spec for spec in CATALOG.values() if spec.source == "torchvision" and spec.weights]


def published(spec: ModelSpec) -> float:
    """The ``_ops`` of the first weights at the network's own size, in MACs."""
    return float(
        next(
            weights.macs
            for weights in spec.weights
            if weights.macs and weights.preprocessing.input_size == spec.input_size
        )
    )


def survey(
    names: Iterable[str], specs: Iterable[ModelSpec], *, resume: bool = False
) -> dict[str, dict[str, Answer]]:
    """Model id → counter → answer; with ``resume``, a stopped run goes on where it was."""
    names = list(names)
    found = _unfinished(names) if resume else {}
    for spec in specs:
        if spec.id not in found:
            found[spec.id] = ask_all(names, spec)
            if resume:
                _remember(found)
        said = " ".join(
            f"{name} {answer.error or f'{answer.macs / 1e9:.3f}'} ({answer.seconds:.1f} s)"
            for name, answer in found[spec.id].items()
        )
        print(f"{spec.id}: {said}", flush=True)
    return {spec.id: found[spec.id] for spec in zoo() if spec.id in found}


def _unfinished(names: list[str]) -> dict[str, dict[str, Answer]]:
    if not UNFINISHED.exists():
        return {}
    rows = json.loads(UNFINISHED.read_text("utf-8"))
    return {
        model: {name: Answer(*row[name]) for name in names}
        for model, row in rows.items()
        if list(row) == names
    }


def _remember(found: dict[str, dict[str, Answer]]) -> None:
    UNFINISHED.parent.mkdir(exist_ok=True)
    rows = {
        model: {name: [a.macs, a.seconds, a.error] for name, a in row.items()}
        for model, row in found.items()
    }
    UNFINISHED.write_text(json.dumps(rows), encoding="utf-8")


def summary(found: dict[str, dict[str, Answer]]) -> list[str]:
    """One line a counter: right, failed, lowest and highest deviation, seconds for all."""
    names = list(next(iter(found.values())))
    lines = [
        "| counter | version | right | failed | lowest | highest | seconds, whole zoo |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for name in names:
        answers = {model: row[name] for model, row in found.items()}
        known = {m: published(CATALOG[m]) for m in answers}
        off = [a.macs / known[m] - 1 for m, a in answers.items() if a.macs is not None]
        right = sum(a.right(known[m]) for m, a in answers.items())
        failed = sum(a.macs is None for a in answers.values())
        seconds = sum(a.seconds for a in answers.values())
        spread = (f"{100 * min(off):+.1f} %", f"{100 * max(off):+.1f} %") if off else ("–", "–")
        lines.append(
            f"| {name} | {_version(name)} | {right} of {len(answers)} | {failed} | {spread[0]} | "
            f"{spread[1]} | {seconds:.1f} |"
        )
    return lines


def _version(name: str) -> str:
    package = {"ours": "", "flop_counter": "torch"}.get(name, name)
    try:
        return version(package) if package else "–"
    except PackageNotFoundError:
        return "–"


def page(found: dict[str, dict[str, Answer]]) -> str:
    """The page in Markdown."""
    names = list(next(iter(found.values())))
    lines = [
        "# Who counts right",
        "",
        "Written by `python -m docs.make_accuracy`; do not edit by hand.",
        "",
        f"Multiply–accumulates of one image on torchvision's {len(found)} classification networks, "
        "each at its own input size, beside the `_ops` that torchvision publishes (three decimals "
        f"of a GMAC). Right is within {100 * TOLERANCE:g} % or the rounding of the last decimal. "
        f"torch {version('torch')}, torchvision "
        f"{version('torchvision')}, {torch.get_num_threads()} thread(s). Every counter ran on the "
        "meta device (fvcore, which needs values, on the CPU); the "
        "time is counting only, building left out. The first "
        "network of each counter includes its warm-up.",
        "",
        *summary(found),
        "",
        "Why they differ:",
        "",
        "- **torchinfo** sees modules, not functions: attention is a function call, and a linear "
        "layer on tokens is counted for one position. It adds one for each bias that is applied.",
        "- **fvcore** counts normalisation (which is noticeable on small networks) and has no "
        "formula for scaled dot-product attention.",
        "- **ptflops** counts normalisation, activations and pooling as well.",
        "- **thop** counts by module class: what it does not know is zero, normalisation and "
        "pooling are not.",
        "- **calflops** patches functions as well as modules; what neither calls is missed.",
        "- **flop_counter** is right on the meta device; on the CPU it loses attention that runs "
        "as one fused operation.",
        "",
        "The complexity page explains each difference for the open network from its graph.",
        "",
        "## Every network",
        "",
        "GMACs; **bold** is off by more than the tolerance, “–” failed.",
        "",
        "| network | published | " + " | ".join(names) + " |",
        "|---|---:|" + "---:|" * len(names),
    ]
    for model, row in found.items():
        known = published(CATALOG[model])
        cells = []
        for name in names:
            answer = row[name]
            text = "–" if answer.macs is None else f"{answer.macs / 1e9:.3f}"
            cells.append(text if answer.macs is None or answer.right(known) else f"**{text}**")
        lines.append(f"| {model} | {known / 1e9:.3f} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Asks all and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="network ids; nothing is written")
    parser.add_argument("--counters", nargs="*", default=list(COUNTERS))
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    specs = [spec for spec in zoo() if not options.only or spec.id in options.only]
    found = survey(options.counters, specs, resume=not options.only)
    print("\n".join(summary(found)))
    if not options.only:
        PAGE.write_text(page(found), encoding="utf-8")
        UNFINISHED.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
