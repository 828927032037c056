"""What our maps cost beside bare Captum's, alternated in one run.

``python tests/benchmarks/bench_attribution.py [--model resnet50] [--rounds 3] [--steps 50]``. Each
line names the seconds of a whole ``explain`` (prediction included) and of the Captum call alone; IG
is compared with several ``internal_batch_size`` of Captum's.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from captum.attr import IntegratedGradients, LayerGradCam, Occlusion, Saliency

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from explorer.attribution import ExplainRequest, explain
from explorer.catalog import find
from explorer.images import open_image, sample_bytes
from explorer.preprocess import preprocess
from explorer.zoo import load


def seconds_of(call: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Measures all, in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet50")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    loaded = load(find(options.model), None, torch.device("cpu"))
    image = open_image(sample_bytes("coffee"))
    x, _ = preprocess(image, loaded.preprocessing)
    module = loaded.module
    layer = explain(loaded, image, ExplainRequest("grad_cam")).layer
    assert layer is not None
    fixed = {"steps": options.steps, "adaptive": False}

    def ours(method: str, **chosen: object) -> Callable[[], object]:
        return lambda: explain(loaded, image, ExplainRequest(method, target=0, options=chosen))

    def captum_ig(batch: int) -> Callable[[], object]:
        return lambda: IntegratedGradients(module).attribute(
            x, baselines=-x, target=0, n_steps=options.steps, internal_batch_size=batch
        )

    calls: dict[str, Callable[[], object]] = {
        "saliency, explain": ours("saliency"),
        "saliency, Captum": lambda: Saliency(module).attribute(x.requires_grad_(), target=0),
        "grad_cam, explain": ours("grad_cam"),
        "grad_cam, Captum": lambda: LayerGradCam(module, module.get_submodule(layer)).attribute(
            x, target=0
        ),
        f"integrated_gradients {options.steps}, explain": ours("integrated_gradients", **fixed),
        **{
            f"integrated_gradients {options.steps}, Captum by {batch}": captum_ig(batch)
            for batch in (1, 2, 4, 8, 16)
        },
    }
    squares = {"windows": 7, "overlap": 2, "baseline": "grey"}  # 32 and 16 of 224 pixels

    def captum_occlusion(batch: int) -> Callable[[], torch.Tensor]:
        side = round(x.shape[2] / 7)
        return lambda: Occlusion(module).attribute(
            x.detach(),
            sliding_window_shapes=(x.shape[1], side, side),
            strides=(x.shape[1], round(side / 2), round(side / 2)),
            baselines=grey,
            target=0,
            perturbations_per_eval=batch,
        )

    mean, std = (
        torch.tensor(values).view(1, -1, 1, 1)
        for values in (loaded.preprocessing.mean, loaded.preprocessing.std)
    )
    grey = ((0.5 - mean) / std).expand_as(x)
    found = explain(loaded, image, ExplainRequest("occlusion", target=0, options=squares)).map
    bare = captum_occlusion(1)()[0, 0].numpy()
    difference = abs(found - bare).max() / abs(bare).max()
    print(f"occlusion differs from Captum's by {difference:.1e} of its largest value")
    calls |= {
        "occlusion 32/16, explain": ours("occlusion", **squares),
        "occlusion 32/16, Captum's default": captum_occlusion(1),
        "occlusion 32/16, Captum by 16": captum_occlusion(16),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(options.rounds):
        names = list(calls) if turn % 2 == 0 else list(reversed(calls))
        for name in names:
            times[name].append(seconds_of(calls[name]))
    print(f"{options.model}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    for name, found in times.items():
        print(f"{name:44} {statistics.median(found):8.3f} s  (best {min(found):.3f})")


if __name__ == "__main__":
    main()
