"""Runs every attribution method on one network of each family and writes what became of it.

    python tests/tools/make_attribution_methods.py            # all; writes the table and the page
    python tests/tools/make_attribution_methods.py --only vgg11 swin_t    # these anew, others kept
    python tests/tools/make_attribution_methods.py --page     # the page alone, from the table
    python tests/tools/make_attribution_methods.py --shuffle  # shuffled weights: what is missing

Writes assets/data/attribution_outcomes.json and docs/attribution-methods.md. The networks are
untrained (seed 0) apart from LeNet-5 and EfficientNet-Lite0; options and inputs are small, because
the question is whether a map comes out, finite and not flat.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402

from explorer.attribution import METHODS, AttributionError, ExplainRequest, explain  # noqa: E402
from explorer.attribution.maps import FLAT  # noqa: E402
from explorer.attribution.outcomes import PATH, Outcome, outcomes  # noqa: E402
from explorer.attribution.quality import shuffled_copy  # noqa: E402
from explorer.attribution.quality_plan import RANDOMISATION_LIMIT  # noqa: E402
from explorer.attribution.quality_ranks import changed_ranks  # noqa: E402
from explorer.catalog import find  # noqa: E402
from explorer.images import open_image, sample_bytes  # noqa: E402
from explorer.zoo import LoadedModel, load  # noqa: E402

PAGE = ROOT / "docs" / "attribution-methods.md"
TRAINED = {"lenet5", "tf_efficientnet_lite0"}
#: Network → side of its input in pixels; None for its own.
NETWORKS: dict[str, int | None] = {
    "lenet5": None,
    "alexnet": 128,
    "vgg11": 96,
    "googlenet": 96,
    "resnet18": 96,
    "resnext50_32x4d": 96,
    "wide_resnet50_2": 96,
    "densenet121": 96,
    "inception_v3": 107,
    "legacy_xception": 107,
    "squeezenet1_1": 96,
    "mobilenet_v2": 96,
    "mobilenet_v3_small": 96,
    "shufflenet_v2_x0_5": 96,
    "mnasnet0_5": 96,
    "efficientnet_b0": 96,
    "efficientnet_v2_s": 96,
    "tf_efficientnet_lite0": 128,
    "regnet_x_400mf": 96,
    "regnet_y_400mf": 96,
    "convnext_tiny": 96,
    "vit_b_32": None,
    "swin_t": 96,
    "swin_v2_t": 96,
    "maxvit_t": None,
    "timm/test_maxvit": None,
    "timm/convnext_atto": 96,
    "timm/convnextv2_atto": 96,
    "timm/deit_tiny_patch16_224": None,
    "timm/vit_tiny_patch16_224": None,
    "timm/cait_xxs24_224": None,
    "timm/xcit_nano_12_p16_224": None,
    "timm/edgenext_xx_small": 128,
    "timm/test_coatnet": None,
    "timm/test_nfnet": None,
    "timm/test_vit": None,
    "timm/gmlp_ti16_224": None,
    "timm/ese_vovnet19b_dw": 96,
}
#: Trained network → samples; its weights are shuffled.
SHUFFLED = {
    "lenet5": ("digit_0", "digit_3", "digit_7"),
    "tf_efficientnet_lite0": ("coffee",),
}
#: Methods that read gradients or change them.
BACKWARD = [
    method.id
    for method in METHODS.values()
    if "gradient" in method.needs and method.family != "activation"
]
#: What is shuffled → how many parameter tensors that is, of all of them, from the output on.
PARTS: dict[str, Callable[[int], int]] = {
    "output layer": lambda tensors: 2,
    "upper half": lambda tensors: tensors // 2,
    "all": lambda tensors: tensors,
}
SHUFFLES = 3  # seeds 0, 1, 2
#: Fewer passes a map.
BRIEF: dict[str, dict[str, Any]] = {
    "integrated_gradients": {"steps": 16, "adaptive": False},
    "smooth_grad": {"samples": 10},
    "var_grad": {"samples": 10},
    "gradient_shap": {"samples": 16},
}
#: Small options, so that all cells take minutes.
QUICK: dict[str, dict[str, Any]] = {
    "integrated_gradients": {"steps": 4, "adaptive": False},
    "smooth_grad": {"samples": 2},
    "var_grad": {"samples": 3},
    "gradient_shap": {"samples": 3},
    "score_cam": {"maps": 4},
    "occlusion": {"windows": 2, "overlap": 1},
    "feature_ablation": {"segments": 6},
    "kernel_shap": {"segments": 5, "samples": 8},
    "lime": {"segments": 6, "samples": 8},
}


#: Networks whose library starts with weights so small (σ = 0.01, or a head of zeros) that logits in
#: float32 do not depend on the image; theirs are drawn as He et al. 2015 do.
REDRAWN = {"googlenet", "inception_v3", "vit_b_32", "timm/gmlp_ti16_224"}


@dataclass(frozen=True)
class Tried:
    """One network's row, and how it was tried."""

    side: int
    weights: str | None
    row: dict[str, dict[str, Any]]


def network(id: str) -> LoadedModel:
    """The network, with a small input where it takes one."""
    spec = find(id)
    loaded = load(spec, spec.weights[0].id if id in TRAINED else None, "cpu")
    if id in REDRAWN:
        torch.manual_seed(0)
        for part in loaded.module.modules():
            if isinstance(part, torch.nn.Conv2d | torch.nn.Linear):
                torch.nn.init.kaiming_normal_(part.weight)
    side = NETWORKS.get(id)
    if side is None:
        return loaded
    channels = loaded.preprocessing.input_size[0]
    preprocessing = replace(
        loaded.preprocessing, input_size=(channels, side, side), resize=round(side / 0.875)
    )
    return replace(loaded, preprocessing=preprocessing)


def attempt(loaded: LoadedModel, method: str) -> Outcome:
    """Runs one cell.

    Raises:
        ValueError: The map is flat or not finite without a word.
    """
    image = open_image(sample_bytes("digit_3" if loaded.spec.id == "lenet5" else "coffee"))
    try:
        found = explain(loaded, image, ExplainRequest(method, options=QUICK.get(method, {})))
    except AttributionError as error:
        return Outcome("refused", (error.message,), {k: str(v) for k, v in error.values.items()})
    if not np.isfinite(found.map).all():
        raise ValueError(f"{loaded.spec.id}, {method}: not finite")
    if FLAT in found.warnings:
        return Outcome("refused", (FLAT,))
    if found.repaired:
        return Outcome("repaired", found.repaired)
    return Outcome("works")


def try_all(id: str) -> Tried:
    """Runs one row."""
    loaded = network(id)
    row: dict[str, dict[str, Any]] = {}
    for method in METHODS:
        found = attempt(loaded, method)
        row[method] = {"status": found.status}
        if found.reasons:
            row[method] |= {"reasons": list(found.reasons), "values": dict(found.values)}
    weights = loaded.weights.id if loaded.weights else None
    return Tried(loaded.preprocessing.input_size[1], weights, row)


def forgotten(loaded: LoadedModel, method: str, samples: Sequence[str]) -> list[list[float]]:
    """What is left of a map when weights are shuffled, after Adebayo et al. 2018.

    Returns:
        A row for each of ``PARTS``: Spearman's rank correlation with the own map, of the signed
        values and of the absolute ones, means over samples and seeds.
    """
    tensors = len(list(loaded.module.parameters()))
    found = np.zeros((len(PARTS), 2))
    for sample in samples:
        image = open_image(sample_bytes(sample))
        own = explain(loaded, image, ExplainRequest(method, options=BRIEF.get(method, {})))
        again = ExplainRequest(
            method, target=own.target, layer=own.layer, options=BRIEF.get(method, {})
        )
        for number, count in enumerate(PARTS.values()):
            for seed in range(SHUFFLES):
                module = shuffled_copy(loaded.module, seed, count(tensors))
                map = explain(replace(loaded, module=module), image, again).map
                found[number] += changed_ranks(own.map, map), changed_ranks(abs(own.map), abs(map))
    means = found / len(samples) / SHUFFLES
    return [[round(float(value), 3) for value in row] for row in means]


def shuffle_all(stored: dict[str, Any]) -> None:
    """Fills ``stored["shuffled"]``, network → method → ``forgotten``, where something is missing.

    Methods that are refused are left out.
    """
    for id, samples in SHUFFLED.items():
        loaded = load(find(id), find(id).weights[0].id, "cpu")
        row = stored["shuffled"].setdefault(id, {})
        for method in BACKWARD:
            if method not in row and outcomes()[id][method].status != "refused":
                row[method] = forgotten(loaded, method, samples)
                print(id, method, row[method], flush=True)
                _write(stored)


def _shuffled_lines(stored: dict[str, Any]) -> list[str]:
    """The section on shuffled weights."""
    pictures = ", ".join(sample for id in stored for sample in SHUFFLED[id])
    lines = [
        "## Shuffled weights",
        "",
        "Does a map change when the network forgets what it learned (J. Adebayo et al., Sanity",
        "Checks for Saliency Maps, NeurIPS 2018)? The values of a parameter tensor change places",
        "within it: in the output layer, in the upper half of the tensors, or in all. The table",
        "has Spearman's rank correlation with the map of the trained network, of signed / absolute",
        f"values, the mean of {SHUFFLES} shuffles on each picture ({pictures}). A",
        f"map that keeps {RANDOMISATION_LIMIT:g} or more when all are shuffled shows the image,",
        "not what the network learned. As measured by",
        "`python tests/tools/make_attribution_methods.py --shuffle`:",
        "",
    ]
    heads = [f"{find(id).name}: {how}" for id in stored for how in PARTS]
    lines += ["| method | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for method in BACKWARD:
        cells = [
            " / ".join(f"{round(value, 2) + 0.0:.2f}" for value in pair)  # no "-0.00"
            for row in stored.values()
            for pair in row[method]
        ]
        lines.append(f"| {METHODS[method].name} | " + " | ".join(cells) + " |")
    return lines


def page() -> str:
    """The Markdown page, from the table."""
    stored = json.loads(PATH.read_text("utf-8"))
    table = outcomes()
    counts = dict.fromkeys(("works", "repaired", "refused"), 0)
    for row in table.values():
        for cell in row.values():
            counts[cell.status] += 1
    sign = {"works": "✓", "repaired": "✓ r", "refused": "–"}
    notes: dict[str, int] = {}
    lines = [
        "# Attribution methods and networks",
        "",
        f"Every method was run on {len(table)} networks, one cell at a time, by",
        "`python tests/tools/make_attribution_methods.py`. The networks are untrained (seed 0)",
        "unless weights are named: the question is whether a finite map that is not flat comes",
        "out, and whether it is the method's. The weights of GoogLeNet, Inception-v3, ViT-B/32 and",
        "gMLP are drawn as He et al. 2015 do; as libraries draw them, logits ignore the image.",
        "",
        f"✓ works ({counts['works']} cells). ✓ r repaired ({counts['repaired']} cells): ReLUs that",
        "are reused, work in place, are function calls or are capped at 6, which Captum's hooks",
        "miss or cannot treat, are caught call by call, and the forward pass stays the same.",
        f"– refused ({counts['refused']} cells), with the reason below.",
        "",
        "## Methods",
        "",
        "| method | answers | needs | forward / backward passes | source |",
        "|---|---|---|---|---|",
    ]
    for method in METHODS.values():
        defaults = {option.name: option.default for option in method.options}
        forward, backward = method.cost.passes(defaults)
        lines.append(
            f"| {method.name} (`{method.id}`) | {method.answer} | {', '.join(sorted(method.needs))}"
            f" | {forward} / {backward} | [{method.reference}]({method.url}) |"
        )
    lines += ["", "## Outcomes", ""]
    short = [f"`{name}`" for name in METHODS]
    lines += ["| network | input | " + " | ".join(short) + " |", "|---" * (len(METHODS) + 2) + "|"]
    for id, row in table.items():
        how = stored["networks"][id]
        cells = []
        for name in METHODS:
            cell = row[name]
            mark = sign[cell.status]
            if cell.reasons:
                # One note for a reason, whatever the method and the network are called.
                values = dict(cell.values) | {"method": "The method", "model": "the network"}
                text = " ".join(reason.format(**values) for reason in cell.reasons)
                mark += f" [{notes.setdefault(text, len(notes) + 1)}]"
            cells.append(mark)
        title = find(id).name + ("" if how["weights"] is None else f", {how['weights']}")
        lines.append(f"| {title} | {how['side']} | " + " | ".join(cells) + " |")
    lines += ["", "## Reasons", ""]
    lines += [f"{number}. {text}" for text, number in notes.items()]
    lines += ["", *_shuffled_lines(stored["shuffled"])]
    lines += [
        "",
        f"torch {stored['versions']['torch']}, Captum {stored['versions']['captum']}.",
        "",
    ]
    return "\n".join(lines)


def _write(stored: dict[str, Any]) -> None:
    """Writes the table: after every network, so that none is lost."""
    import captum

    order = [id for id in NETWORKS if id in stored["cells"]]
    document = {
        "versions": {
            "torch": torch.__version__.partition("+")[0],
            "captum": captum.__version__,
        },
        "networks": {id: stored["networks"][id] for id in order},
        "cells": {id: stored["cells"][id] for id in order},
        "shuffled": stored["shuffled"],
    }
    PATH.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main() -> None:
    """Runs and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="ID", choices=list(NETWORKS))
    parser.add_argument("--page", action="store_true", help="write the page alone")
    parser.add_argument("--shuffle", action="store_true", help="shuffled weights alone")
    options = parser.parse_args()
    stored = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
    for part in ("cells", "networks", "shuffled"):
        stored.setdefault(part, {})
    if options.shuffle:
        shuffle_all(stored)
    elif not options.page:
        for id in options.only or NETWORKS:
            start = time.perf_counter()
            tried = try_all(id)
            stored["cells"][id] = tried.row
            stored["networks"][id] = {"side": tried.side, "weights": tried.weights}
            marks = [cell["status"] for cell in tried.row.values()]
            print(f"{id:32} {time.perf_counter() - start:6.1f} s", *map(str, marks), flush=True)
            gc.collect()
            _write(stored)
        outcomes.cache_clear()
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
