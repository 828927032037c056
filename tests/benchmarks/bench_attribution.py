"""What our maps cost beside bare Captum's and pytorch-grad-cam's, alternated in one run.

    pip install -r requirements-bench.txt
    python tests/benchmarks/bench_attribution.py [--model resnet50] [--rounds 5]

Each line has the median seconds of a whole ``explain``, prediction included, and of the other call
alone, which predicts nothing; then the ratios, whether our map is theirs, what a repeat through the
engine takes, and the longest time between two words of progress, which is how long a cancelled job
goes on. Calls that are compared take turns, ABAB.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from captum.attr import IntegratedGradients, LayerAttribution, LayerGradCam, Occlusion
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from explorer.attribution import ExplainRequest, explain
from explorer.catalog import find
from explorer.images import open_image, sample_bytes
from explorer.preprocess import preprocess
from explorer.zoo import LoadedModel, load

SAMPLE = "coffee"
BATCHES = (1, 2, 4, 8, 16)
Call = Callable[[], object]


def in_turns(calls: dict[str, Call], rounds: int) -> dict[str, float]:
    """Median seconds of each call, after one that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn:
                times[name].append(time.perf_counter() - start)
    found = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        print(f"{name:44} {found[name]:8.3f} s  (best {min(values):.3f})", flush=True)
    return found


class Bench:
    """One network, one image, class 0."""

    def __init__(self, loaded: LoadedModel, rounds: int) -> None:
        self.loaded, self.module, self.rounds = loaded, loaded.module.eval(), rounds
        self.image = open_image(sample_bytes(SAMPLE))
        self.x = preprocess(self.image, loaded.preprocessing)[0]

    def ours(self, method: str, **options: object) -> Callable[[], np.ndarray]:
        request = ExplainRequest(method, target=0, options=options)
        return lambda: explain(self.loaded, self.image, request).map

    def level(self, level: float) -> Tensor:
        """An image of one grey, normalised."""
        mean, std = (
            torch.tensor(values).view(1, -1, 1, 1)
            for values in (self.loaded.preprocessing.mean, self.loaded.preprocessing.std)
        )
        return ((level - mean) / std).expand_as(self.x)

    def same(self, name: str, ours: np.ndarray, theirs: Tensor) -> None:
        expected = theirs.detach().numpy()
        difference = abs(ours - expected).max() / abs(expected).max()
        print(f"{name}: map differs by {difference:.1e} of its largest value")

    def grad_cam(self) -> None:
        layer = explain(self.loaded, self.image, ExplainRequest("grad_cam")).layer
        assert layer is not None
        part = self.module.get_submodule(layer)

        def captum() -> Tensor:
            return LayerGradCam(self.module, part).attribute(
                self.x, target=0, relu_attributions=True
            )

        calls: dict[str, Call] = {"Grad-CAM, explain": self.ours("grad_cam"), "Captum": captum}
        try:
            from pytorch_grad_cam import GradCAM
            from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
        except ImportError:
            print("pytorch-grad-cam is not installed: pip install -r requirements-bench.txt")
        else:
            cam = GradCAM(model=self.module, target_layers=[part])
            calls["pytorch-grad-cam"] = lambda: cam(self.x, [ClassifierOutputTarget(0)])
        found = in_turns(calls, 10 * self.rounds)
        own = found["Grad-CAM, explain"]
        for name, limit in (("Captum", 1.05), ("pytorch-grad-cam", 0.5)):
            if name in found:
                print(f"Grad-CAM: {own / found[name]:.2f} × {name} (limit {limit})")
        if "pytorch-grad-cam" in calls:
            cam.activations_and_grads.release()
        size = self.x.shape[2:]
        bare = LayerAttribution.interpolate(captum(), size, "bilinear")[0, 0]
        self.same("Grad-CAM, Captum", self.ours("grad_cam")(), bare)

    def integrated_gradients(self, steps: int) -> None:
        black = self.level(0.0)

        def captum(batch: int) -> Tensor:
            return IntegratedGradients(self.module).attribute(
                self.x, baselines=black, target=0, n_steps=steps, internal_batch_size=batch
            )

        ours = self.ours("integrated_gradients", steps=steps, adaptive=False, baseline="black")
        name = f"IG {steps} steps, explain"
        # All sizes once, and then the best two against ours.
        rivals: dict[str, Call] = {f"Captum by {n}": partial(captum, n) for n in BATCHES}
        first = in_turns(rivals, 1)
        best = sorted(first, key=first.__getitem__)[:2]
        found = in_turns({name: ours} | {one: rivals[one] for one in best}, self.rounds)
        ratio = found[name] / min(found[one] for one in best)
        print(f"IG: {ratio:.2f} × Captum at its best (limit 1)")
        self.same("IG, Captum", ours(), captum(8)[0].sum(dim=0))

    def occlusion(self) -> None:
        side = round(self.x.shape[2] / 7)  # 32 of 224 pixels, moved by 16
        ours = self.ours("occlusion", windows=7, overlap=2, baseline="grey")
        grey = self.level(0.5)

        def captum() -> Tensor:
            with torch.no_grad():
                return Occlusion(self.module).attribute(
                    self.x,
                    sliding_window_shapes=(self.x.shape[1], side, side),
                    strides=(self.x.shape[1], round(side / 2), round(side / 2)),
                    baselines=grey,
                    target=0,
                )

        found = in_turns({"Occlusion, explain": ours, "Captum's default": captum}, self.rounds)
        faster = found["Captum's default"] / found["Occlusion, explain"]
        print(f"Occlusion: {faster:.2f} times as fast as Captum's default (at least 1.3)")
        self.same("Occlusion, Captum", ours(), captum()[0, 0])

    def progress(self) -> None:
        """Longest time between two words of progress."""
        for method in ("occlusion", "kernel_shap", "score_cam", "integrated_gradients"):
            options = {"adaptive": False} if method == "integrated_gradients" else {}
            told = [time.perf_counter()]
            explain(
                self.loaded,
                self.image,
                ExplainRequest(method, target=0, options=options),
                lambda *now, told=told: told.append(time.perf_counter()),
            )
            longest = max(np.diff([*told, time.perf_counter()]))
            print(f"{method}: longest time between two words of progress {longest:.2f} s (limit 1)")


def repeat(model: str) -> None:
    """A map through the engine, and again."""
    from explorer.engine.local import EngineOptions, LocalEngine
    from explorer.requests import ModelRef
    from explorer.tasks import Explain

    engine = LocalEngine(EngineOptions(preload=False))
    try:
        for number in (1, 2):
            task = Explain(
                ModelRef(model), sample_bytes(SAMPLE), ExplainRequest("grad_cam", target=0)
            )
            start = time.perf_counter()
            job = engine.submit(task, "bench")
            job.wait(120)
            seconds = time.perf_counter() - start
            print(f"engine, time {number}: {job.status().state}, {1000 * seconds:.1f} ms")
        print("(limit of the repeat: 50 ms)")
    finally:
        engine.shutdown()


def main() -> None:
    """Measures all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet50")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=50)
    options = parser.parse_args()
    print(f"{options.model}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    bench = Bench(load(find(options.model), None, "cpu"), options.rounds)
    bench.grad_cam()
    bench.integrated_gradients(options.steps)
    bench.occlusion()
    bench.progress()
    repeat(options.model)


if __name__ == "__main__":
    main()
