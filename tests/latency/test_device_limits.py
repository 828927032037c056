"""What a device cannot do: an element type that it lacks, memory that runs out for real."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from explorer import latency
from explorer.errors import LatencyError
from explorer.latency import LatencyRequest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("kind", "dtype", "has", "refused"),
    [
        ("cuda", "bfloat16", False, True),
        ("cuda", "bfloat16", True, False),
        ("cuda", "float16", False, False),
        ("mps", "bfloat16", False, True),
        ("mps", "bfloat16", True, False),
        ("cpu", "bfloat16", False, False),
    ],
)
def test_an_element_type_that_the_device_lacks(
    kind: str, dtype: str, has: bool, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_options: has)
    monkeypatch.setattr(torch.backends.mps, "is_macos_or_newer", lambda *_version: has)
    request, device = LatencyRequest(dtype=dtype), torch.device(kind)
    if not refused:
        latency.check_request(request, device)
        return
    with pytest.raises(LatencyError, match="cannot compute in bfloat16; choose float32 or float16"):
        latency.check_request(request, device)


SHORT_OF_MEMORY = """
import resource
import psutil, torch
from explorer import latency
from explorer.catalog import find
from explorer.latency import LatencyRequest, measure
from explorer.zoo import load

loaded = load(find("squeezenet1_1"), None, torch.device("cpu"))
latency.free_memory = lambda device: 2**40  # as where others take memory after the estimate
quick = LatencyRequest(min_runs=3, min_seconds=0, warmup_runs=1, threads=1)
measure(loaded, quick)
room = psutil.Process().memory_info().vms + 2**28
resource.setrlimit(resource.RLIMIT_AS, (room, room))
request = LatencyRequest(batch_sizes=(1, 48, 96), min_runs=3, min_seconds=0, threads=1)
result = measure(loaded, request)
for one in result.series:
    print(one.batch_size, len(one.seconds), one.finished, *(note.text() for note in one.notes))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the address space is bounded as Linux does it")
def test_memory_that_really_runs_out_midway_keeps_what_was_measured() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, *others = done.stdout.splitlines()
    assert first.startswith("1 3 True")
    assert len(others) == 1
    assert others[0].startswith("48 0 False")
    assert "There is not enough memory for a batch of 48; choose a smaller one." in others[0]
