"""One image classified again and again, as a camera would have it done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image

from explorer.attribution.running import logits_of, prepare
from explorer.module_state import preserved
from explorer.results import ClassifiedFrames, ClassScore

if TYPE_CHECKING:
    from explorer.zoo import LoadedModel

#: Seconds between two partial results.
REPORT_EVERY = 0.2
#: Frames over which the present rate is taken.
RECENT = 30


def classify_frames(
    loaded: LoadedModel,
    image: Image.Image,
    seconds: float,
    progress: Callable[[float, float, ClassifiedFrames], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> ClassifiedFrames:
    """Classifies the image until the time is over; every frame is resized and normalised anew.

    Args:
        loaded: The network, held under its lock.
        image: RGB, upright.
        seconds: How long at most; at least one frame is classified.
        progress: Called with (seconds passed, ``seconds``, so far) five times a second between
            frames; what it raises ends the loop and passes through.
        clock: Seconds, rising.
    """
    ends: list[float] = []
    passes: list[float] = []
    began = told = clock()
    with preserved(loaded.module):
        while True:
            run = prepare(loaded, image)
            start = clock()
            logits = logits_of(run).cpu()  # waits for the device
            now = clock()
            ends.append(now)
            passes.append(now - start)
            over = now - began >= seconds
            if over or now - told >= REPORT_EVERY or len(ends) == 1:
                told = now
                state = _state(loaded, logits, (began, *ends[-RECENT - 1 :]), len(ends), passes)
                if progress is not None:
                    progress(min(now - began, seconds), seconds, state)
                if over:
                    return state


def _state(
    loaded: LoadedModel, logits: Any, times: tuple[float, ...], frames: int, passes: list[float]
) -> ClassifiedFrames:
    probabilities = torch.softmax(logits, dim=0)
    best = torch.topk(logits, min(5, len(logits))).indices.tolist()
    began, *recent = times
    # While there are few frames the clock's start is the end of the frame before the first.
    first = began if frames == len(recent) else recent.pop(0)
    last = recent[-1] if recent else first
    return ClassifiedFrames(
        top=tuple(
            ClassScore(i, loaded.labels[i], float(probabilities[i]), float(logits[i])) for i in best
        ),
        frames=frames,
        seconds=last - began,
        recent_rate=len(recent) / (last - first) if last > first else 0.0,
        pass_share=sum(passes[-len(recent) :]) / (last - first) if last > first else 0.0,
        device=str(loaded.device),
    )
