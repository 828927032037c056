"""Tasks that meet a fault; the worker imports this module too."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import Any

import psutil

MEBI = 2**20


@dataclass(frozen=True, slots=True)
class Greedy:
    """Takes more memory than the system allows to the worker: a real refusal, not a raised one.

    Attributes:
        how: What asks for the memory: "python", "numpy" or "torch".
    """

    how: str

    def key(self) -> str:
        return ""

    def run(self, context: Any) -> int:
        if self.how == "torch":
            import torch  # before the limit: its libraries need room themselves
        if self.how == "numpy":
            import numpy as np
        before = resource.getrlimit(resource.RLIMIT_AS)
        room = psutil.Process().memory_info().vms + 64 * MEBI
        resource.setrlimit(resource.RLIMIT_AS, (room, before[1]))
        try:
            if self.how == "torch":
                return int(torch.ones(2**30).sum())  # 4 GiB of float32
            if self.how == "numpy":
                return int(np.ones(2**30).sum())
            return len(bytearray(4 * 1024 * MEBI))
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
