"""One network, one image, one target: what every method starts from."""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn

from explorer.errors import AttributionError
from explorer.i18n import N_
from explorer.module_state import preserved
from explorer.preprocess import preprocess

if TYPE_CHECKING:
    from explorer.attribution.spatial import SpatialMap
    from explorer.zoo import LoadedModel

logger = logging.getLogger(__name__)

Progress = Callable[[float, float], None]

#: Seconds between two words of progress within a pass; at each of them a job can be cancelled.
TICK = 0.1

# As many images at once as memory and caches like, forward and backward.
_MACS_PER_CHUNK = {"cpu": 17e9, "mps": 100e9, "cuda": 400e9}
_LARGEST_CHUNK = {"cpu": 16, "mps": 32, "cuda": 64}
# The same where no gradient is kept: less work and far less memory an image.
_FORWARD_MACS_PER_CHUNK = {"cpu": 34e9, "mps": 400e9, "cuda": 1600e9}


@dataclass(slots=True, weakref_slot=True)
class Run:
    """A network about to explain one image.

    Attributes:
        loaded: The network.
        x: (1, C, H, W), normalised.
        crop: (H, W, 3) uint8 RGB, what the network sees.
        progress: Told how many passes are done; may raise to cancel.
        passes: Images that went through the network.
        expected: Images that will go through it.
        target: Class that is explained; its own score only in ``forward``'s column.
        also: Further classes whose scores are added.
        against: Class whose score is subtracted; None for none.
        probability: Whether scores are softmax probabilities, not logits.
        output: (1, K) logits of the image, once they are known.
        features: A layer and its output for the image, where ``output`` came from it.
        clock: Seconds, for ``tick``.
        told: When ``progress`` was called last.
        plain: Whether the network cannot take batches that lie channels last.
    """

    loaded: LoadedModel
    x: Tensor
    crop: npt.NDArray[np.uint8]
    progress: Progress | None = None
    passes: int = 0
    expected: int = 1
    target: int = -1
    also: tuple[int, ...] = ()
    against: int | None = None
    probability: bool = False
    output: Tensor | None = None
    features: tuple[SpatialMap, Tensor] | None = None
    clock: Callable[[], float] = time.monotonic
    told: float = 0.0
    plain: bool = False

    def tell(self) -> None:
        """Says how far the run is, and ends it when it was cancelled."""
        if self.progress is not None:
            self.told = self.clock()
            self.progress(min(self.passes, self.expected), self.expected)

    def tick(self) -> None:
        """``tell``, but not more often than every ``TICK`` seconds."""
        if self.progress is not None and self.clock() - self.told >= TICK:
            self.tell()

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, K); says how far the run is, and ends it when it was cancelled."""
        self.tell()
        output = self._answer(x)
        self.passes += x.shape[0]
        if isinstance(output, tuple | list):
            output = output[0]
        if not isinstance(output, Tensor) or output.ndim != 2:
            raise AttributionError(
                N_("{model} does not answer with one score a class; choose another network."),
                model=self.loaded.spec.name,
            )
        return output

    def _answer(self, x: Tensor) -> Any:
        """The network's output; batches on the CPU lie channels last, which convolutions like."""
        if x.shape[0] == 1 or x.device.type != "cpu" or self.plain:
            return self.loaded.module(x)
        try:
            return self.loaded.module(x.contiguous(memory_format=torch.channels_last))
        except RuntimeError as error:
            if "view size is not compatible" not in str(error):
                raise
        # The network views what lies otherwise than it was written for.
        self.plain = True
        return self.loaded.module(x)

    def score(self, x: Tensor) -> Tensor:
        """What is explained, (B,): the score of the class, of several, or a difference of two."""
        return self.scored(self.forward(x))

    def scored(self, output: Tensor) -> Tensor:
        """Logits (B, K) → what is explained, (B,)."""
        if self.probability:
            output = torch.softmax(output, dim=1)
        score = output[:, [self.target, *self.also]].sum(dim=1)
        return score if self.against is None else score - output[:, self.against]

    def gradient(self, x: Tensor) -> Tensor:
        """Gradients of the scores at several images, like x."""
        x = x.detach().clone().requires_grad_()
        return torch.autograd.grad(self.score(x).sum(), x)[0]

    def scores(self, images: Callable[[int, int], Tensor], count: int) -> Tensor:
        """Scores of many images without gradients, (count,), some at a time.

        Args:
            images: (start, stop) → the images of these numbers, (stop − start, C, H, W).
            count: Of all images.
        """
        found = torch.empty(count, device=self.x.device)

        def some(start: int, stop: int) -> None:
            with torch.no_grad():
                found[start:stop] = self.score(images(start, stop)).float()

        in_chunks(some, count, self.forward_chunk)
        return found

    @property
    def forward_chunk(self) -> int:
        """Images that go through the network at once where no gradient is needed."""
        kind = self.loaded.device.type
        macs = self.loaded.spec.macs or 4e9
        fitting = int(_FORWARD_MACS_PER_CHUNK.get(kind, 66e9) // macs)
        return max(1, min(fitting, _LARGEST_CHUNK.get(kind, 16)))

    @property
    def chunk(self) -> int:
        """Images that go through the network at once; the same for the same network and device."""
        kind = self.loaded.device.type
        macs = self.loaded.spec.macs or 4e9
        fitting = int(_MACS_PER_CHUNK.get(kind, 12e9) // macs)
        return max(1, min(fitting, _LARGEST_CHUNK.get(kind, 16)))


def out_of_memory(error: BaseException) -> bool:
    """Whether this says that there is no memory left; on the CPU torch has no type for it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in text or "can't allocate memory" in text or "defaultcpuallocator" in text
    )


def in_chunks(call: Callable[[int, int], None], count: int, size: int) -> None:
    """Calls ``call(start, stop)`` over 0…count, with half the size where memory does not suffice.

    Raises:
        RuntimeError: Memory does not suffice for one, or another error of torch.
    """
    start = 0
    while start < count:
        stop = min(start + size, count)
        try:
            call(start, stop)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error) or stop - start == 1:
                raise
            size = max(1, (stop - start) // 2)
            logger.warning("not enough memory; %d images at once from now on", size)
            continue
        start = stop


def prepare(loaded: LoadedModel, image: Image.Image, progress: Progress | None = None) -> Run:
    """The image as the network's input."""
    x, crop = preprocess(image, loaded.preprocessing)
    return Run(loaded, x.to(loaded.device), crop, progress)


@contextmanager
def held(run: Run) -> Iterator[None]:
    """The network in eval mode, its parameters frozen; as it was before when this ends.

    Frozen, because gradients are taken at pixels and features only, and nothing need be kept for
    those of the weights. While it runs, ``run.tick`` is called after every layer, forward and
    backward, so that also a long pass is soon cancelled.
    """
    # A hook of a gradient is owned by the graph behind ``run.output``, where Python's collector
    # does not look: had it the run itself, then run, graph and network would never be freed.
    there = weakref.ref(run)

    def tick_if_there(_gradient: Tensor) -> None:
        alive = there()
        if alive is not None:
            alive.tick()

    def after(part: nn.Module, inputs: Any, output: Any) -> None:
        run.tick()
        if isinstance(output, Tensor) and output.requires_grad:
            output.register_hook(tick_if_there)  # type: ignore[no-untyped-call]

    with preserved(run.loaded.module) as module:
        for parameter in module.parameters():
            parameter.requires_grad_(False)
        for part in module.modules() if run.progress is not None else ():
            if not part._modules:
                part.register_forward_hook(after)  # ``preserved`` takes it away
        yield


def logits_of(run: Run) -> Tensor:
    """``answered``, without gradients."""
    with torch.no_grad():
        return answered(run)


def answered(run: Run) -> Tensor:
    """(K,) logits of the image; ``run.output`` keeps them, with the graph behind them if any.

    Raises:
        AttributionError: They are not finite.
    """
    run.output = run.forward(run.x)
    logits = run.output[0].detach().float()
    if not bool(torch.isfinite(logits).all()):
        raise AttributionError(
            N_("{model} answers with numbers that are not finite; choose other weights."),
            model=run.loaded.spec.name,
        )
    return logits
