"""Runs every attribution method on one network of each family and writes what became of it.

    python tests/tools/make_attribution_methods.py            # all; writes the table and the page
    python tests/tools/make_attribution_methods.py --only vgg11 swin_t    # these anew, others kept
    python tests/tools/make_attribution_methods.py --page     # the page alone, from the table

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
from explorer.catalog import find  # noqa: E402
from explorer.images import open_image, sample_bytes  # noqa: E402
from explorer.zoo import LoadedModel, load  # noqa: E402

PAGE = ROOT / "docs" / "attribution-methods.md"
TRAINED = {"lenet5", "tf_efficientnet_lite0"}
#: Network → side of its input in pixels; None for its own.
NETWORKS: dict[str, int | None] = {
    "lenet5": None,
    "alexnet": 128,
    "googlenet": 96,
    "resnet18": 96,
    "densenet121": 96,
    "inception_v3": 107,
    "legacy_xception": 107,
    "squeezenet1_1": 96,
    "mobilenet_v2": 96,
    "mobilenet_v3_small": 96,
    "shufflenet_v2_x0_5": 96,
    "mnasnet0_5": 96,
    "efficientnet_b0": 96,
    "tf_efficientnet_lite0": 128,
    "regnet_x_400mf": 96,
    "regnet_y_400mf": 96,
    "convnext_tiny": 96,
    "vit_b_32": None,
    "swin_t": 96,
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
    row = {}
    for method in METHODS:
        found = attempt(loaded, method)
        row[method] = {"status": found.status}
        if found.reasons:
            row[method] |= {"reasons": list(found.reasons), "values": dict(found.values)}
    weights = loaded.weights.id if loaded.weights else None
    return Tried(loaded.preprocessing.input_size[1], weights, row)


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
    lines += [
        "",
        f"torch {stored['versions']['torch']}, Captum {stored['versions']['captum']}.",
        "",
    ]
    return "\n".join(lines)


def _write(cells: dict[str, Any], networks: dict[str, Any]) -> None:
    """Writes the table: after every network, so that none is lost."""
    import captum

    order = [id for id in NETWORKS if id in cells]
    document = {
        "versions": {
            "torch": torch.__version__.partition("+")[0],
            "captum": captum.__version__,
        },
        "networks": {id: networks[id] for id in order},
        "cells": {id: cells[id] for id in order},
    }
    PATH.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main() -> None:
    """Runs and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="ID", choices=list(NETWORKS))
    parser.add_argument("--page", action="store_true", help="write the page alone")
    options = parser.parse_args()
    if not options.page:
        stored = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
        cells, networks = stored.get("cells", {}), stored.get("networks", {})
        for id in options.only or NETWORKS:
            start = time.perf_counter()
            tried = try_all(id)
            cells[id] = tried.row
            networks[id] = {"side": tried.side, "weights": tried.weights}
            marks = [cell["status"] for cell in tried.row.values()]
            print(f"{id:32} {time.perf_counter() - start:6.1f} s", *map(str, marks), flush=True)
            gc.collect()
            _write(cells, networks)
        outcomes.cache_clear()
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
