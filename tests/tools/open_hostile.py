"""Opens every file of a folder as an upload and says, one JSON line each, what came of it.

A process of its own: ``python -m tests.tools.open_hostile FOLDER``. It gives itself limits, so that
a bomb ends it and not the machine; the file at fault is the one that was begun and not ended.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
import time
from pathlib import Path

from explorer import images
from explorer.errors import ImageError

ADDRESS_SPACE = 3 * 2**30
KIB = 1024


def peak() -> int:
    """Most memory that this process had resident since ``forget_peak``, in bytes."""
    return _status("VmHWM")


def resident() -> int:
    """Memory that this process has resident now, in bytes."""
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * KIB
    raise LookupError(name)


def forget_peak() -> None:
    """Lets the peak begin anew (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def open_one(path: Path, before: int) -> dict[str, object]:
    """What came of one file."""
    data = path.read_bytes()
    forget_peak()
    began = time.process_time()
    said = ""
    try:
        opened = images.open_image(data)
        outcome = "image"
        said = f"{opened.mode} {opened.width}x{opened.height}"
        del opened
    except ImageError as error:
        outcome, said = "refused", str(error)
    except BaseException as error:  # noqa: BLE001 - what must not happen is what is looked for
        outcome, said = "raised", repr(error)
    seconds = time.process_time() - began
    return {"outcome": outcome, "said": said, "seconds": seconds, "bytes": peak() - before}


def main() -> None:
    """Opens all, in the order of their names."""
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    folder = Path(sys.argv[1])
    # The decoders are loaded before the measuring begins.
    for sample in ("coffee", "digit_3"):
        images.open_image(images.sample_bytes(sample))
    before = resident()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        sys.stdout.write(json.dumps({"name": name}) + "\n")
        sys.stdout.flush()
        sys.stdout.write(json.dumps({"name": name, **open_one(path, before)}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
