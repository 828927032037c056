"""What a tracer writes down while it walks a network; ``assemble`` makes a graph of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from explorer.graph import Edge, Op, Tensor


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor in the traced network.

    Attributes:
        source: Id of the op that wrote it, "input", or "" for a constant.
        index: Which output of the source it is.
        tensor: Its shape and dtype.
        storage: Identity of the memory that it lives in.
        param: First fully qualified name, when it is a parameter or a buffer itself.
    """

    source: str
    index: int
    tensor: Tensor
    storage: int
    param: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One call of a module on the stack.

    Attributes:
        id: Path, with "@2" for the second call and so on.
        path: Fully qualified name.
        source: "module.QualName" of the class.
    """

    id: str
    path: str
    source: str


@dataclass(slots=True)
class Record:
    """A network as it was walked.

    Attributes:
        ops: In order of execution.
        edges: In order of their targets.
        frames: Calls of modules in order of first appearance, each with the id of its caller.
        used: Names of parameters and buffers that were read.
    """

    ops: list[Op] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    frames: dict[str, tuple[Frame, str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)


def plain(value: Any) -> Any:
    """A value of an op's argument as plain data that survives JSON: numbers, text, tuples, None."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    return str(value).removeprefix("torch.")
