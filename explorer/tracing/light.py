"""A lighter way to the graph that ``torch.export`` gives: watches one pass above autograd.

``torch.export`` spends most of its time on guards, symbolic shapes and a program that can run
again, none of which a graph of costs needs. At the dispatch key ``PreDispatch``, composite
operations (convolution, linear, attention) are still whole, as they are in the exported program;
the tensors are fake, so that nothing is computed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch._dispatch.python import enable_python_dispatcher
from torch._subclasses.fake_tensor import FakeTensorMode
from torch._subclasses.schema_check_mode import SchemaCheckMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

from explorer.tracing import kinds
from explorer.tracing.assemble import first_names, tensor_of
from explorer.tracing.modes import inference_form, quiet
from explorer.tracing.reading import PASSED_THROUGH, signature
from explorer.tracing.recording import all_tensors, calls
from explorer.tracing.records import Frame, Record, Value
from explorer.tracing.writing import Invocation, Writer

if TYPE_CHECKING:
    from torch import nn

METHOD = "pre_dispatch"


class SharedModuleError(ValueError):
    """A module stands under two names, of which this way sees one."""


def record_light(module: nn.Module, example: torch.Tensor) -> Record:
    """Walks one forward pass on tensors without values.

    Args:
        module: Put into evaluation mode inside, and back.
        example: Only its shape and dtype matter.

    Raises:
        SharedModuleError: A module stands under two names; export tells which of them is called.
        Exception: Whatever the forward pass raises, also where it asks for a value.
    """
    if len(list(module.named_modules(remove_duplicate=False))) > len(list(module.modules())):
        raise SharedModuleError(f"{type(module).__name__} has a module under two names")
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    fakes: dict[str, Any] = {name: mode.from_tensor(tensor) for name, tensor in all_tensors(module)}
    names = first_names(module)
    with (
        inference_form(module),
        quiet(),
        # The kernels of cuDNN have operations of their own, which export never sees on the CPU.
        torch.backends.cudnn.flags(enabled=False),
        mode,
        torch.nn.utils.stateless._reparametrize_module(module, fakes),
    ):
        given = mode.from_tensor(example)
        recorder = _Recorder({names.get(name, name): tensor for name, tensor in fakes.items()})
        recorder.know(given, Value("input", 0, tensor_of(given), _storage(given)))
        with torch.no_grad(), calls(module, recorder.stack), enable_python_dispatcher(), recorder:
            result = module(given)
    leaves, _ = tree_flatten(result)
    results = [recorder.known(leaf) for leaf in leaves if isinstance(leaf, torch.Tensor)]
    return recorder.writer.finish(results)


class _Recorder(SchemaCheckMode):  # type: ignore[no-untyped-call]
    """Sees every op before autograd and keeps what it reads and writes.

    torch lets three modes of its own stand at this key; a subclass of one of them is let in.
    """

    def __init__(self, parameters: dict[str, torch.Tensor]) -> None:
        super().__init__()
        # What the mode's own base class would have been told, had this one passed it on.
        TorchDispatchMode.__init__(  # type: ignore[no-untyped-call]
            self, _dispatch_key=torch._C.DispatchKey.PreDispatch
        )
        self.writer = Writer()
        self.stack: list[Frame] = []
        self._values: dict[int, Value] = {}
        self._made: dict[int, Value] = {}  # By memory: what ops without tensors made.
        self._alive: list[torch.Tensor] = []  # An id is only unique while its tensor lives.
        for name, tensor in parameters.items():
            self.know(tensor, Value("", 0, tensor_of(tensor), _storage(tensor), name))

    def know(self, tensor: torch.Tensor, value: Value) -> None:
        self._values[id(tensor)] = value
        self._alive.append(tensor)

    def known(self, tensor: torch.Tensor) -> Value:
        found = self._values.get(id(tensor))
        if found is None:
            storage, shape = _storage(tensor), tensor_of(tensor)
            # ``torch.arange`` and its like hand out another name for the tensor that was made.
            found = self._made.get(storage)
            if found is None or found.tensor != shape:
                found = Value("", 0, shape, storage)
            self.know(tensor, found)
        return found

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        name, parameters, mutates = signature(func)
        if kinds.base_name(name) in kinds.BOOKKEEPING:
            return result
        if name in PASSED_THROUGH:
            if isinstance(result, torch.Tensor):
                self.know(result, self.known(args[0]))
            return result
        arguments = dict(parameters)
        arguments.update(
            zip(arguments, tree_map_only(torch.Tensor, self.known, args), strict=False)
        )
        arguments.update(tree_map_only(torch.Tensor, self.known, kwargs))
        made = [leaf for leaf in tree_flatten(result)[0] if isinstance(leaf, torch.Tensor)]
        outputs = [(tensor_of(leaf), _storage(leaf)) for leaf in made]
        call = Invocation(name, arguments, outputs, mutates, tuple(self.stack))
        for tensor, value in zip(made, self.writer.write(call), strict=True):
            self.know(tensor, value)
            if kinds.base_name(name) in kinds.GENERATORS:
                self._made[value.storage] = value
        return result


def _storage(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
