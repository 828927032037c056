"""What a person can ask for, as picklable frozen data; no torch here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A network with or without trained weights.

    Attributes:
        model: Catalog id.
        weights: Id of the weights; None for the untrained network (seed 0).
        file: Of weights that a visitor uploaded: the file in a folder that only this session knows.
            It is part of every key, so that no other session gets a result of them.
    """

    model: str
    weights: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """One attribution map.

    Attributes:
        method: Id in ``explorer.attribution.METHODS``.
        target: Class index; None for the predicted class.
        layer: Module path for layer methods; None for the method's default.
        options: The method's own options by name; missing ones take their defaults.
        also: Further classes, whose scores are added to the target's.
        against: Class whose score is subtracted ("A rather than B"); None for none.
        output: "logit", or "probability" (softmax).
        channels: Whether the values by colour channel are wanted too.
    """

    method: str
    target: int | None = None
    layer: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    also: tuple[int, ...] = ()
    against: int | None = None
    output: str = "logit"
    channels: bool = False


@dataclass(frozen=True, slots=True)
class AssessRequest:
    """How far to believe one attribution map.

    Attributes:
        explain: The map.
        checks: Ids in ``explorer.attribution.quality_plan.CHECKS``.
        steps: Points of the deletion and insertion curves after the first.
        orders: Random orders that the curves are held against.
        samples: Random squares of the infidelity.
        noises: Noisy images of the sensitivity.
    """

    explain: ExplainRequest
    checks: tuple[str, ...] = ("curves", "randomisation", "agreement")
    steps: int = 16
    orders: int = 5
    samples: int = 32
    noises: int = 3


@dataclass(frozen=True, slots=True)
class LatencyRequest:
    """What to time.

    Attributes:
        batch_sizes: Images per forward pass, measured one after another.
        dtype: "float32", "bfloat16" or "float16".
        memory_format: "contiguous" or "channels_last".
        threads: Intra-op CPU threads; None leaves torch's setting.
        min_seconds: Measured time per batch size, at least.
        min_runs: Measured runs per batch size, at least.
        warmup_runs: Runs thrown away before.
        input_size: (C, H, W); None for the model's own.
        mode: How the network runs. "eager": as a plain call, which records for autograd;
            "inference_mode": under ``torch.inference_mode``, which does not; "compile":
            ``torch.compile``; "export": the program that ``torch.export`` makes; "cuda_graph": one
            pass captured and replayed (CUDA only). All but the first under inference mode.
        warmup_seconds: Time of the runs thrown away, at least.
        warmup: "fixed", or "steady": after those, more runs are thrown away until the median of
            ten differs by less than 2 % from that of the ten before, for ten seconds at most.
    """

    batch_sizes: tuple[int, ...] = (1,)
    dtype: str = "float32"
    memory_format: str = "contiguous"
    threads: int | None = None
    min_seconds: float = 3.0
    min_runs: int = 30
    warmup_runs: int = 5
    input_size: tuple[int, int, int] | None = None
    mode: str = "inference_mode"
    warmup_seconds: float = 0.0
    warmup: str = "fixed"


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """Many measurements, one after another: every model with every mode and batch size.

    Attributes:
        models: Catalog ids.
        batch_sizes: Images per forward pass.
        modes: As ``LatencyRequest.mode``.
        base: The rest; its own batch sizes and mode do not count.
    """

    models: tuple[str, ...]
    batch_sizes: tuple[int, ...] = (1,)
    modes: tuple[str, ...] = ("inference_mode",)
    base: LatencyRequest = LatencyRequest()
