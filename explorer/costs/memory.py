"""Bytes: of parameters at a precision, of live tensors while the network runs, and for training."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.graph import DTYPE_BYTES, Edge, LayerGraph, Op

_FLOATING = frozenset({"float64", "float32", "float16", "bfloat16"})


@dataclass(frozen=True, slots=True)
class ParameterMemory:
    """Bytes of the parameters and buffers at one precision.

    Attributes:
        dtype: "float32", "float16", "int8", …: of floating-point tensors; others keep theirs.
        trainable: Without auxiliary heads.
        buffers: Without auxiliary heads.
        aux: Parameters and buffers of auxiliary heads.
    """

    dtype: str
    trainable: int
    buffers: int
    aux: int

    @property
    def inference(self) -> int:
        """What has to be in memory to classify."""
        return self.trainable + self.buffers


def parameter_memory(graph: LayerGraph, dtype: str = "float32") -> ParameterMemory:
    """Bytes of the parameters when floating-point values are kept in ``dtype``.

    Raises:
        ValueError: The dtype is not known.
    """
    if dtype not in DTYPE_BYTES:
        raise ValueError(f"dtype={dtype!r} is none of {', '.join(DTYPE_BYTES)}")
    trainable = buffers = aux = 0
    for parameter in graph.parameters:
        tensor = parameter.tensor
        floating = tensor.dtype in _FLOATING
        size = tensor.numel * DTYPE_BYTES[dtype] if floating else tensor.nbytes
        if parameter.aux:
            aux += size
        elif parameter.trainable:
            trainable += size
        else:
            buffers += size
    return ParameterMemory(dtype, trainable, buffers, aux)


@dataclass(frozen=True, slots=True)
class MemoryProfile:
    """Bytes of activations over one forward pass, input included, parameters not.

    Attributes:
        live: (op id, bytes of live tensors while it runs), in order of execution.
        peak_bytes: The largest of them.
        peak_op: Where it is reached; "" for a graph without ops.
        training_bytes: All distinct tensors of the pass: what backward may need kept, at most.
    """

    live: tuple[tuple[str, int], ...]
    peak_bytes: int
    peak_op: str
    training_bytes: int


def memory_profile(
    graph: LayerGraph, *, held_arguments: bool = True, cpu_workspace: bool = False
) -> MemoryProfile:
    """Peak of live activations in inference, by liveness on the graph.

    A tensor lives from the op that writes it to the last op that reads it or a view of it; views
    and in-place ops share the memory of their first input. At every op the bytes of all live
    tensors are summed, those that it reads and writes included: ``peak = max over ops of Σ live``.

    Args:
        graph: At the batch and dtype as traced; see ``batch_scaled``.
        held_arguments: True also keeps what a module was called with until its call returns, and
            what the code of a block made and handed on until the block returns, because Python's
            frames hold it: eager PyTorch's behaviour. False is what a compiler could do.
        cpu_workspace: True adds what convolutions on the CPU (oneDNN) copy into their own layout
            while they run: the input, unless the kernel is 1×1 or the image comes in, and the
            weights. With it the peak is what torch's allocator reports, within the 10 % that a
            test allows, for VGG-16, ResNet-50, DenseNet-121, MobileNet-v2 and ViT-B/16.
    """
    memory = _Memory(graph)
    last_use = memory.last_use(graph, held_arguments=held_arguments)
    ends: dict[int, list[str]] = {}
    for block, end in last_use.items():
        ends.setdefault(end, []).append(block)
    live_bytes = sum(size for block, size in memory.bytes.items() if memory.born[block] < 0)
    live: list[tuple[str, int]] = []
    weights = {p.name: p.tensor.nbytes for p in graph.parameters if p.trainable}
    for position, op in enumerate(graph.ops):
        live_bytes += sum(memory.bytes[block] for block in memory.blocks_born_at(position))
        extra = _convolution_copies(op, weights) if cpu_workspace else 0
        live.append((op.id, live_bytes + extra))
        live_bytes -= sum(memory.bytes[block] for block in ends.get(position, ()))
    peak_op, peak = max(live, key=lambda entry: entry[1], default=("", live_bytes))
    return MemoryProfile(tuple(live), peak, peak_op, sum(memory.bytes.values()))


def _convolution_copies(op: Op, weights: dict[str, int]) -> int:
    """Bytes of the copies in oneDNN's layout; an image of up to 3 channels is read as it is."""
    if op.kind not in ("convolution", "depthwise"):
        return 0
    copied = sum(weights.get(name, 0) for name in op.params)
    kernel, channels = op.attributes.get("kernel", ()), op.attributes.get("in_channels", 0)
    return copied + (op.inputs[0].nbytes if max(kernel, default=1) > 1 and channels > 3 else 0)


class _Memory:
    """Which piece of memory each output is in: its bytes and when it is first written."""

    def __init__(self, graph: LayerGraph) -> None:
        self.bytes: dict[str, int] = {}
        self.born: dict[str, int] = {}
        self._of: dict[tuple[str, int], str] = {}
        self._at: dict[int, list[str]] = {}
        self.incoming: dict[str, list[Edge]] = {}
        for edge in graph.edges:
            self.incoming.setdefault(edge.target, []).append(edge)
            inputs = edge.source not in graph.op_by_id
            if inputs and (edge.source, edge.index) not in self._of:
                self._new((edge.source, edge.index), edge.tensor.nbytes, -1)
        for position, op in enumerate(graph.ops):
            self._place(op, position)

    def block(self, source: str, index: int) -> str | None:
        """The memory of an output; None for a view of a parameter."""
        return self._of.get((source, index))

    def blocks_born_at(self, position: int) -> list[str]:
        return self._at.get(position, [])

    def _new(self, key: tuple[str, int], size: int, position: int) -> None:
        block = f"{key[0]}:{key[1]}"
        self._of[key] = block
        self.bytes[block] = size
        self.born[block] = position
        self._at.setdefault(position, []).append(block)

    def _place(self, op: Op, position: int) -> None:
        read = self.incoming.get(op.id, [])
        shares = op.view or (op.target.endswith("_") and not op.target.endswith("__"))
        for index, tensor in enumerate(op.outputs):
            if not shares:
                self._new((op.id, index), tensor.nbytes, position)
            elif read:
                shared = self.block(read[0].source, read[0].index)
                if shared is not None:
                    self._of[op.id, index] = shared

    def last_use(self, graph: LayerGraph, *, held_arguments: bool) -> dict[str, int]:
        """The position of the last op that needs each piece; results live to the end."""
        order = {op.id: position for position, op in enumerate(graph.ops)}
        last = dict(self.born)
        for key, block in self._of.items():
            last[block] = max(last[block], order.get(key[0], -1))
        returns = _returns(graph) if held_arguments else {}
        parents = {node.id: node.parent for node in graph.modules}
        chains = {op.id: _chain(op.module, parents) for op in graph.ops}
        inner = {node.parent for node in graph.modules}
        homes = {op.id: op.module for op in graph.ops if op.module in inner}
        for edge in graph.edges:
            block_or_none = self.block(edge.source, edge.index)
            if block_or_none is None:
                continue
            end = order.get(edge.target, len(graph.ops))
            if held_arguments and edge.target in order:
                source = chains.get(edge.source, frozenset())
                entered = [name for name in chains[edge.target] if name not in source]
                end = max([end, *(returns[name] for name in entered)])
                frame = homes.get(edge.source)
                if frame and entered and frame in chains[edge.target]:
                    # Made by the code of a block itself and handed to a layer of it: the block has
                    # a name for it, which it keeps until it returns (DenseNet's concatenation).
                    end = max(end, returns[frame])
            last[block_or_none] = max(last[block_or_none], end)
        return last


def _chain(name: str, parents: dict[str, str | None]) -> frozenset[str]:
    found = []
    current: str | None = name
    while current is not None:
        found.append(current)
        current = parents[current]
    return frozenset(found)


def _returns(graph: LayerGraph) -> dict[str, int]:
    """The position of the last op inside each module call."""
    parents = {node.id: node.parent for node in graph.modules}
    found: dict[str, int] = {}
    for position, op in enumerate(graph.ops):
        current: str | None = op.module
        while current is not None:
            found[current] = position
            current = parents[current]
    return found
