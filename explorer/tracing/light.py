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

from explorer.tracing import kinds
from explorer.tracing.assemble import first_names
from explorer.tracing.ledger import Ledger
from explorer.tracing.modes import inference_form, quiet
from explorer.tracing.reading import PASSED_THROUGH, signature
from explorer.tracing.recording import all_tensors, calls
from explorer.tracing.records import Record

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
        ledger = Ledger({names.get(name, name): tensor for name, tensor in fakes.items()}, given)
        watch = _Watch(ledger)
        with torch.no_grad(), calls(module, ledger.stack), enable_python_dispatcher(), watch:
            result = module(given)
    return ledger.finish(result)


class _Watch(SchemaCheckMode):  # type: ignore[no-untyped-call]
    """Sees every op before autograd.

    torch lets three modes of its own stand at this key; a subclass of one of them is let in.
    """

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        # What the mode's own base class would have been told, had this one passed it on.
        TorchDispatchMode.__init__(  # type: ignore[no-untyped-call]
            self, _dispatch_key=torch._C.DispatchKey.PreDispatch
        )
        self._ledger = ledger

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name, _, _ = signature(func)
        if name in PASSED_THROUGH:
            if isinstance(result, torch.Tensor):
                self._ledger.know(result, self._ledger.known(args[0]))
        elif kinds.base_name(name) not in kinds.BOOKKEEPING:
            self._ledger.write(func, args, kwargs or {}, result)
        return result
