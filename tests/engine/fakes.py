"""Small tasks without torch; the worker imports this module too."""

from __future__ import annotations

import logging
import os
import pathlib
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.errors import ExplorerError, ImageError

STEP = 0.01


@dataclass(frozen=True, slots=True)
class Add:
    a: int
    b: int
    name: str = "add"

    def key(self) -> str:
        return f"{self.name}-{self.a}-{self.b}"

    def run(self, context: Any) -> int:
        return self.a + self.b


@dataclass(frozen=True, slots=True)
class Count:
    """Leaves a mark for each run, then steps until the file ``go`` is there."""

    folder: str
    name: str
    shared: bool = True

    def key(self) -> str:
        return f"count-{self.folder}-{self.name}" if self.shared else ""

    def run(self, context: Any) -> str:
        folder = Path(self.folder)
        with (folder / f"{self.name}.runs").open("a") as file:
            file.write(f"{os.getpid()}\n")
        step = 0
        while not (folder / "go").exists():
            context.progress(step % 100, 100, step)
            step += 1
            time.sleep(STEP)
        with (folder / "order").open("a") as file:
            file.write(f"{self.name}\n")
        return self.name


@dataclass(frozen=True, slots=True)
class Deaf:
    """Says that it runs and then never looks whether it was cancelled, until ``go`` is there."""

    folder: str

    def key(self) -> str:
        return ""

    def run(self, context: Any) -> int:
        Path(self.folder, "deaf").write_text(str(os.getpid()))
        while not Path(self.folder, "go").exists():
            time.sleep(STEP)
        return os.getpid()


@dataclass(frozen=True, slots=True)
class Steps:
    """Many quick steps, each with its number as the partial result."""

    count: int

    def key(self) -> str:
        return ""

    def run(self, context: Any) -> int:
        context.stage("Stepping")
        for step in range(1, self.count + 1):
            context.progress(step, self.count, step)
        return self.count


@dataclass(frozen=True, slots=True)
class LullAfter:
    """A burst of steps, then none until ``go`` is there."""

    folder: str
    count: int

    def key(self) -> str:
        return ""

    def run(self, context: Any) -> None:
        for step in range(1, self.count + 1):
            context.progress(step, self.count, step)
        while not Path(self.folder, "go").exists():
            time.sleep(STEP)


def raise_value_error() -> None:
    raise ValueError("no such thing.\nsecond line")


def raise_explorer_error() -> None:
    raise ImageError("The file {name} is not an image; choose another.", name="a.txt")


def raise_unpicklable() -> None:
    raise ExplorerError("The value {value} is odd; choose another.", value=lambda: 0)


def raise_memory_error() -> None:
    raise MemoryError


def raise_torch_cpu_oom() -> None:
    raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 8 TB")


def unpicklable_result() -> Any:
    return lambda: 0


def leave() -> None:
    os._exit(3)


def system_exit() -> None:
    sys.exit(4)


def noise() -> str:
    print("printed by a task")
    os.write(1, b"written by a library\n")
    return sys.stdin.read() if sys.stdin else ""


def loaded_modules() -> list[str]:
    return sorted(sys.modules)


def threads_wanted() -> str:
    return os.environ["OMP_NUM_THREADS"]


def kernels_kept() -> str | None:
    return os.environ.get("ONEDNN_PRIMITIVE_CACHE_CAPACITY")


def niceness() -> int:
    return os.nice(0)


class NotThere:
    """Pickles in the worker and cannot be rebuilt in the server."""

    def __reduce__(self) -> Any:
        return pathlib.Path(__file__).stem and _only_in_worker, (os.getpid(),)


def _only_in_worker(pid: int) -> None:
    if pid != os.getpid():
        raise RuntimeError("made in another process")


def unreadable_result() -> NotThere:
    return NotThere()


@dataclass(frozen=True, slots=True)
class Call:
    """Calls a function of this module."""

    function: Callable[[], Any]
    name: str = ""

    def key(self) -> str:
        return self.name

    def run(self, context: Any) -> Any:
        return self.function()


@dataclass(frozen=True, slots=True)
class CountUnkept(Count):
    """Shared while it runs, but not kept."""

    cacheable = False


@dataclass(frozen=True, slots=True)
class Blob:
    """A result of a certain size."""

    number: int
    nbytes: int

    def key(self) -> str:
        return f"blob-{self.number}"

    def run(self, context: Any) -> bytes:
        return bytes(self.nbytes)


def segfault() -> None:
    import ctypes

    ctypes.string_at(0)


def log_something() -> None:
    logging.getLogger("some.library").error("an error: %d %%", 100)


def elsewhere() -> Any:
    """A task of a module that only the server has."""
    module = types.ModuleType("nowhere_to_be_found")
    sys.modules[module.__name__] = module

    class Stray(Add):
        pass

    Stray.__module__, Stray.__qualname__ = module.__name__, "Stray"
    vars(module)["Stray"] = Stray
    return Stray(1, 2, "stray")
