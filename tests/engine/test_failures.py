"""What crosses from a worker to the server never brings torch along."""

from __future__ import annotations

import pickle
import subprocess
import sys

from explorer.engine.failures import unpack
from explorer.errors import ExplorerError

# What torch.__version__ is: a str of torch's own class, whose pickle imports torch.
TORCH_VERSION = (
    b"\x80\x04\x95&\x00\x00\x00\x00\x00\x00\x00\x8c\x11torch.torch_version\x94"
    b"\x8c\x0cTorchVersion\x94\x93\x94."
)


def test_a_result_with_a_torch_object_is_an_error_and_loads_nothing() -> None:
    code = (
        "import sys; from explorer.engine.failures import unpack; "
        f"found = unpack({TORCH_VERSION!r}); "
        "print(type(found).__name__, 'torch' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.split() == ["ExplorerError", "False"]


def test_plain_results_come_through() -> None:
    assert unpack(pickle.dumps({"torch": "2.14.1"})) == {"torch": "2.14.1"}
    assert isinstance(unpack(b"rubbish"), ExplorerError)
