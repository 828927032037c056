"""How errors and results cross from one process to the other without losing their sentence."""

from __future__ import annotations

import io
import logging
import pickle
from typing import Any

from explorer.errors import ExplorerError
from explorer.i18n import N_

HEAVY = frozenset({"torch", "torchvision", "timm", "captum"})
log = logging.getLogger(__name__)

LONGEST_REASON = 200


def failure(label: str, error: BaseException) -> ExplorerError:
    """The sentence for an error that has none of its own.

    Args:
        label: What was being done.
        error: What was raised; an ``ExplorerError`` is returned as it is.
    """
    if isinstance(error, ExplorerError):
        return error
    lines = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    reason = reason[:LONGEST_REASON].rstrip(" .")
    if out_of_memory(error):
        return ExplorerError(
            N_(
                "“{task}” ran out of memory ({reason}); choose a smaller model, batch or input, or "
                "close other programs, and try again."
            ),
            task=label,
            reason=reason,
        )
    return ExplorerError(
        N_("“{task}” failed ({reason}); try again or with other options, the log has the details."),
        task=label,
        reason=reason,
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether the error is Python's or torch's way of saying that memory is short."""
    # By name and text, for torch is not to be imported here. The CPU allocator raises RuntimeError.
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
        or (isinstance(error, RuntimeError) and "not enough memory" in str(error))
    )


def pack_error(label: str, error: BaseException) -> bytes:
    """An error as bytes; one whose values cannot be pickled goes as its English text."""
    found = failure(label, error)
    try:
        return pickle.dumps(found)
    except Exception:  # noqa: BLE001 - pickling runs any object's code; the sentence still arrives
        return pickle.dumps(ExplorerError("{text}", text=str(found)))


class _LightUnpickler(pickle.Unpickler):
    """Refuses what would import torch into the server process (``torch.__version__`` is enough)."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        if module_name.partition(".")[0] in HEAVY:
            raise pickle.UnpicklingError(f"a result holds {module_name}.{global_name}")
        return super().find_class(module_name, global_name)


def unpack(data: bytes) -> Any:
    """What a worker sent; an ``ExplorerError`` when it cannot be rebuilt here."""
    try:
        return _LightUnpickler(io.BytesIO(data)).load()
    except Exception as error:  # unpickling runs any object's code, which may raise anything
        log.exception("what a worker sent could not be rebuilt")
        return ExplorerError(
            N_("A result could not be read ({reason}); try again, the log has the details."),
            reason=f"{type(error).__name__}: {error}"[:LONGEST_REASON],
        )
