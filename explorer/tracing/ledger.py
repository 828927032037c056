"""What a watched pass has made so far: which value each tensor is, and the ops that wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_map_only

from explorer.tracing import kinds
from explorer.tracing.assemble import storage_of, tensor_of
from explorer.tracing.reading import signature
from explorer.tracing.records import Frame, Record, Value
from explorer.tracing.writing import Invocation, Writer


class Ledger:
    """Keeps the values of a pass that is watched op by op.

    Attributes:
        stack: The module calls that are under way, outermost first.
    """

    def __init__(self, parameters: Mapping[str, torch.Tensor], example: torch.Tensor) -> None:
        """Begins with what is there before the pass.

        Args:
            parameters: Parameters and buffers by the name that the graph gives them.
            example: The input.
        """
        self.stack: list[Frame] = []
        self._writer = Writer()
        self._values: dict[int, Value] = {}
        self._generated: dict[int, Value] = {}  # By memory: what ops without tensors made.
        self._alive: list[torch.Tensor] = []  # An id is only unique while its tensor lives.
        for name, tensor in parameters.items():
            self.know(tensor, Value("", 0, tensor_of(tensor), storage_of(tensor), name))
        self.know(example, Value("input", 0, tensor_of(example), storage_of(example)))

    def know(self, tensor: torch.Tensor, value: Value) -> None:
        """Notes what a tensor is."""
        self._values[id(tensor)] = value
        self._alive.append(tensor)

    def known(self, tensor: torch.Tensor) -> Value:
        """What a tensor is; a constant where nothing is known of it."""
        found = self._values.get(id(tensor))
        if found is None:
            storage, shape = storage_of(tensor), tensor_of(tensor)
            # ``torch.arange`` and its like may hand out another name for the tensor that they made.
            found = self._generated.get(storage)
            if found is None or found.tensor != shape:
                found = Value("", 0, shape, storage)
            self.know(tensor, found)
        return found

    def write(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], made: Any) -> None:
        """Writes an op down.

        Args:
            func: The overload that ran.
            args: As it was called.
            kwargs: As it was called.
            made: What it gave.
        """
        name, parameters, mutates = signature(func)
        arguments = dict(parameters)
        arguments.update(
            zip(arguments, tree_map_only(torch.Tensor, self.known, args), strict=False)
        )
        arguments.update(tree_map_only(torch.Tensor, self.known, dict(kwargs)))
        tensors = [leaf for leaf in tree_flatten(made)[0] if isinstance(leaf, torch.Tensor)]
        outputs = [(tensor_of(leaf), storage_of(leaf)) for leaf in tensors]
        call = Invocation(name, arguments, outputs, mutates, tuple(self.stack))
        for tensor, value in zip(tensors, self._writer.write(call), strict=True):
            self.know(tensor, value)
            if kinds.base_name(name) in kinds.GENERATORS:
                self._generated[value.storage] = value

    def finish(self, result: Any) -> Record:
        """The ops, with what the pass gave as the graph's results."""
        leaves, _ = tree_flatten(result)
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        return self._writer.finish([self.known(tensor) for tensor in tensors])
