"""The tensor that a layer hands out, as the plain forward pass computes it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn

from explorer.errors import LayerError
from explorer.i18n import N_
from explorer.inspection.choosing import OP, no_such_layer
from explorer.module_state import preserved

if TYPE_CHECKING:
    from torch.export import ExportedProgram

    from explorer.zoo import LoadedModel

log = logging.getLogger(__name__)


class _Reached(Exception):  # noqa: N818 - not an error: the pass need not go on
    def __init__(self, tensor: Tensor) -> None:
        super().__init__()
        self.tensor = tensor


def layer_output(loaded: LoadedModel, x: Tensor, layer: str) -> Tensor:
    """What a layer hands out for an input; the pass ends there.

    The tensor is taken before anything after the layer can overwrite it in place. Gradients flow
    where the caller has them enabled. The module is left as it was.

    Args:
        loaded: The network, held under its lock.
        x: (1, C, H, W), normalised, on the network's device.
        layer: Module path, with "@2" for its second call; or "op:" and the id of an op.

    Raises:
        LayerError: There is no such layer, it is not run, or it hands out no tensor.
    """
    with preserved(loaded.module):
        try:
            if layer.startswith(OP):
                _run_to_op(loaded, x, layer.removeprefix(OP))
            else:
                _run_to_module(loaded, x, layer)
        except _Reached as reached:
            return reached.tensor
    raise LayerError(
        N_("{model} does not run “{layer}” when it classifies; choose another layer."),
        model=loaded.spec.name,
        layer=layer.removeprefix(OP),
    )


def find_module(loaded: LoadedModel, path: str) -> nn.Module:
    """The module at a path, which may end in "@2".

    Raises:
        LayerError: There is none.
    """
    try:
        return loaded.module.get_submodule(path.partition("@")[0])
    except AttributeError:
        raise no_such_layer(loaded.spec.name, path) from None


def _run_to_module(loaded: LoadedModel, x: Tensor, layer: str) -> None:
    module = find_module(loaded, layer)
    number = layer.partition("@")[2] or "1"
    if not number.isdigit():
        raise no_such_layer(loaded.spec.name, layer)
    left = int(number)

    def reached(part: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise _Reached(_tensor(loaded, layer, output))

    # ``preserved`` takes the hook away again.
    module.register_forward_hook(reached)
    # The fused attention layers call none of their children; without them all modules run.
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        loaded.module(x)
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def _tensor(loaded: LoadedModel, layer: str, output: Any) -> Tensor:
    """The first tensor of what a layer hands out."""
    while isinstance(output, tuple | list) and output:
        output = output[0]
    if isinstance(output, dict) and output:
        output = next(iter(output.values()))
    if not isinstance(output, Tensor):
        raise LayerError(
            N_("“{layer}” hands out no tensor; choose a layer inside or after it."),
            layer=layer.removeprefix(OP),
        )
    return output


def _run_to_op(loaded: LoadedModel, x: Tensor, op: str) -> None:
    """Runs the network's exported graph as far as one op, whose id is that of the layer graph."""
    program, nodes = _export(loaded, x)
    node = next((node for node, name in nodes.items() if name == op), None)
    if node is None:
        raise no_such_layer(loaded.spec.name, op)
    state: dict[str, Any] = {**program.state_dict, **program.constants}
    given = [
        state[spec.target] if spec.target is not None else x
        for spec in program.graph_signature.input_specs
    ]

    def stop(value: Any) -> None:
        raise _Reached(_tensor(loaded, OP + op, value))

    _Stopping(program.graph_module, node, stop).run(*given, enable_io_processing=False)


class _Stopping(fx.Interpreter):
    """Runs a graph and hands the value of one node out as soon as it is there."""

    def __init__(
        self, module: fx.GraphModule, wanted: fx.Node, stop: Callable[[Any], None]
    ) -> None:
        super().__init__(module)
        self._wanted = wanted
        self._stop = stop
        # The wrapped error would hide ours, with a traceback of the graph that nobody reads.
        self.extra_traceback = False

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if n is self._wanted:
            self._stop(value)
        return value


def _export(loaded: LoadedModel, x: Tensor) -> tuple[ExportedProgram, dict[fx.Node, str]]:
    """The exported network, and the id of the op that each node of its graph is."""
    from explorer.tracing import reading
    from explorer.tracing.modes import inference_form, quiet

    class Reader(reading._Reader):
        """Notes which op a node becomes."""

        names: dict[fx.Node, str]

        def _write(self, call: Any, node: fx.Node) -> Any:
            result = super()._write(call, node)
            self.names[node] = self._writer.record.ops[-1].id
            return result

    module = loaded.module
    try:
        with inference_form(module), torch.enable_grad(), quiet():
            program = torch.export.export(module, (x,), strict=False)
    except Exception as error:  # torch.export raises many kinds
        raise LayerError(
            N_(
                "{model} cannot be exported, so only whole modules can be looked into; "
                "choose the module around this operation."
            ),
            model=loaded.spec.name,
        ) from error
    reader = Reader(module, program)
    reader.names = {}
    reader.run(program)
    return program, reader.names
