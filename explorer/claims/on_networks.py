"""Checks on traced networks; each takes the graphs that the registry names, in that order."""

from __future__ import annotations

from collections import Counter
from statistics import mean

from explorer.catalog import find
from explorer.claims.evidence import (
    convolutions,
    giga_macs,
    inside,
    kernels,
    linears,
    listed,
    macs,
    millions,
    params_of,
    side,
)
from explorer.claims.statements import Verdict
from explorer.graph import LayerGraph, ModuleNode, Op

Outcome = tuple[Verdict, dict[str, str]]


def _yes(right: bool) -> Verdict:
    return "true" if right else "false"


def lenet_5conv(published: LayerGraph, modern: LayerGraph) -> Outcome:
    """Layers are the published network's own modules; true if five of them convolve."""
    layers = [
        node
        for node in published.children[""]
        if node.total_params or node.buffers  # squashing and flattening are not layers of the paper
    ]
    convolving = [
        node
        for node in layers
        if any(op.kind in ("convolution", "depthwise") for op in inside(published, node.id))
    ]
    values = {
        "published": str(len(convolving)), "modern": str(len(convolutions(modern))),
        "layers": str(len(layers)),
    }  # fmt: skip
    return _yes(len(convolving) == 5), values


def lenet_avg(graph: LayerGraph) -> Outcome:
    """True if both subsampling layers average."""
    pools = [op for name in ("s2", "s4") for op in inside(graph, name) if op.kind == "pooling"]
    values = {
        "kernel": side(pools[0]),
        "s2": str(params_of(graph, inside(graph, "s2"))),
        "s4": str(params_of(graph, inside(graph, "s4"))),
    }
    return _yes([op.target for op in pools] == ["avg_pool2d"] * 2), values


def lenet_sparse(graph: LayerGraph) -> Outcome:
    """True if the layer is cheaper than with all connections."""
    ops = inside(graph, "c3")
    params, count = params_of(graph, ops), sum(op.macs for op in ops)
    (_batch, _maps, height, width) = graph.module_by_id["c3"].outputs[0].shape
    weights = 6 * 16 * 5 * 5
    dense, dense_macs = weights + 16, weights * height * width
    values = {
        "params": f"{params:,}", "dense": f"{dense:,}", "macs": f"{count:,}",
        "dense_macs": f"{dense_macs:,}",
    }  # fmt: skip
    return _yes(params < dense and count < dense_macs), values


def lenet_3layers(graph: LayerGraph) -> Outcome:
    """True if a convolution, then a pooling come before the second convolution, with squashing."""
    wanted = ("convolution", "pooling", "activation")
    order: list[Op] = []
    for op in graph.ops:
        if op.kind == "convolution" and any(seen.kind == "convolution" for seen in order):
            break
        if op.kind in wanted:
            order.append(op)
    kinds = [op.kind for op in order]
    right = kinds[:1] == ["convolution"] and set(kinds) == set(wanted)
    return _yes(right), {"order": " → ".join(op.target for op in order)}


def ciresan_9(graph: LayerGraph) -> Outcome:
    """True of a convolutional network with nine layers, imprecise of a shallower plain one."""
    layers = linears(graph)
    convs = len(convolutions(graph))
    weights = sum(op.attributes["in_features"] * op.attributes["out_features"] for op in layers)
    first = layers[0].attributes
    larger = weights + (29 * 29 - first["in_features"]) * first["out_features"]
    hidden = len(layers) - 1
    values = {
        "hidden": str(hidden), "conv": str(convs), "weights": f"{weights:,}",
        "weights29": f"{larger:,}",
    }  # fmt: skip
    return ("true" if convs and hidden >= 9 else "imprecise" if hidden < 9 else "false"), values


def alexnet_7(graph: LayerGraph) -> Outcome:
    """Layers with weights."""
    conv, linear = len(convolutions(graph)), len(linears(graph))
    values = {"conv": str(conv), "linear": str(linear), "total": str(conv + linear)}
    return _yes(conv + linear == 7), values


def alexnet_kernels(graph: LayerGraph) -> Outcome:
    """True if both sizes are there."""
    found = kernels(graph)
    return _yes({"9×9", "11×11"} <= set(found)), {"kernels": listed(found)}


def alexnet_relu_dropout(graph: LayerGraph) -> Outcome:
    """Dropout is traced in evaluation mode, where it does nothing but is still there."""
    relu = [op for op in graph.ops if op.target.startswith("relu")]
    dropout = [op for op in graph.ops if op.target.startswith("dropout")]
    rates = sorted({f"{op.attributes['p']:g}" for op in dropout})
    values = {"relu": str(len(relu)), "dropout": str(len(dropout)), "p": ", ".join(rates)}
    return _yes(bool(relu and dropout)), values


def alexnet_maxpool(graph: LayerGraph) -> Outcome:
    """Its windows overlap, which is what was new: imprecise. Without that it would be false."""
    pools = [op for op in graph.ops if op.target == "max_pool2d"]
    kernel, stride = pools[0].attributes["kernel"][0], pools[0].attributes["stride"][0]
    same = all(
        (op.attributes["kernel"][0], op.attributes["stride"][0]) == (kernel, stride) for op in pools
    )
    values = {"kernel": str(kernel), "stride": str(stride), "count": str(len(pools))}
    return ("imprecise" if same and kernel > stride else "false"), values


def nin_1x1(graph: LayerGraph) -> Outcome:
    """True if every convolution that looks at neighbours is followed by a 1×1."""
    found = [side(op) for op in convolutions(graph)]
    after = [found[i + 1 : i + 2] for i, name in enumerate(found) if name != "1×1"]
    return _yes(all(name == ["1×1"] for name in after)), {"kernels": ", ".join(found)}


def vgg_3x3(vgg16: LayerGraph, vgg19: LayerGraph) -> Outcome:
    """True if no other kernel is there."""
    ours, other = kernels(vgg16), kernels(vgg19)
    values = {
        "vgg16": str(ours["3×3"]), "of16": str(ours.total()),
        "vgg19": str(other["3×3"]), "of19": str(other.total()),
    }  # fmt: skip
    return _yes(set(ours) == set(other) == {"3×3"}), values


def vgg_cheaper(graph: LayerGraph) -> Outcome:
    """False if it has both more parameters and more multiplications than AlexNet."""
    vgg, alexnet = find("vgg16"), find("alexnet")
    share = 100 * params_of(graph, linears(graph)) / graph.total_params
    params_ratio, macs_ratio = vgg.params / alexnet.params, macs("vgg16") / macs("alexnet")
    values = {
        "vgg": millions(vgg.params), "vgg_macs": giga_macs(macs("vgg16")),
        "alexnet": millions(alexnet.params), "alexnet_macs": giga_macs(macs("alexnet")),
        "params_ratio": f"{params_ratio:.1f}", "macs_ratio": f"{macs_ratio:.1f}",
        "share": f"{share:.0f}",
    }  # fmt: skip
    if params_ratio > 1 and macs_ratio > 1:
        return "false", values
    return ("imprecise" if params_ratio > 1 or macs_ratio > 1 else "true"), values


def inception_parallel(published: LayerGraph, library: LayerGraph) -> Outcome:
    """True if both versions merge these three sizes and nothing else."""
    modules = [node for node in published.modules if node.class_name == "Inception"]
    pooled = [
        node for node in modules if any(op.kind == "pooling" for op in inside(published, node.id))
    ]
    five, in_library = kernels(published)["5×5"], kernels(library)["5×5"]
    values = {
        "five": str(five), "modules": str(len(modules)), "library": str(in_library),
        "kernels": listed(kernels(library)),
    }  # fmt: skip
    if not five:
        return "false", values
    return ("true" if in_library and not pooled else "imprecise"), values


def reduce4(googlenet: LayerGraph, resnet: LayerGraph) -> Outcome:
    """True if every reduction is between 3.5 and 4.5."""
    three = _reductions(googlenet, "3×3")
    five = _reductions(googlenet, "5×5")
    identity = {ratio for ratio in _narrowing(resnet) if ratio > 2}
    values = {
        "three_low": f"{min(three):.1f}", "three_high": f"{max(three):.1f}",
        "three": f"{mean(three):.1f}", "five_low": f"{min(five):.0f}",
        "five_high": f"{max(five):.0f}", "five": f"{mean(five):.1f}",
        "resnet": ", ".join(f"{ratio:g}" for ratio in sorted(identity)),
    }  # fmt: skip
    ratios = [*three, *five, *_narrowing(resnet)]
    if all(3.5 <= ratio <= 4.5 for ratio in ratios):
        return "true", values
    return ("imprecise" if any(3.5 <= ratio <= 4.5 for ratio in ratios) else "false"), values


def _reductions(graph: LayerGraph, kernel: str) -> list[float]:
    """Channels in over channels out of the 1×1 right before the kernel, in each module."""
    found = []
    for node in graph.modules:
        if node.class_name != "Inception":
            continue
        ops = [op for op in inside(graph, node.id) if op.target == "conv2d"]
        place = next(i for i, op in enumerate(ops) if side(op) == kernel)
        reduce = ops[place - 1].attributes
        found.append(reduce["in_channels"] / reduce["out_channels"])
    return found


def v3_only3x3(graph: LayerGraph) -> Outcome:
    """True if no other kernel is there, imprecise if most are 3×3."""
    found = kernels(graph)
    share = found["3×3"] / found.total()
    verdict: Verdict = "true" if share == 1 else "imprecise" if share > 0.5 else "false"
    return verdict, {"kernels": listed(found)}


def v3_head(graph: LayerGraph) -> Outcome:
    """True if nothing with weights comes after the pooling."""
    last = next(i for i, op in reversed(list(enumerate(graph.ops))) if op.kind == "pooling")
    tail = graph.ops[last:]
    layers = [op for op in tail if op.kind == "linear"]
    values = {
        "order": ", ".join(op.target for op in tail if op.kind != "layout"),
        "inputs": f"{layers[0].attributes['in_features']:,}" if layers else "",
        "outputs": f"{layers[0].attributes['out_features']:,}" if layers else "",
    }
    return ("imprecise" if layers else "true"), values


def resnet_2conv(*graphs: LayerGraph) -> Outcome:
    """True if every block of every depth has two, imprecise if those of some have."""
    found = {}
    for graph in graphs:
        counts = {len(_own_convolutions(graph, node)) for node in _blocks(graph)}
        found[find(graph.model).name] = counts
    text = ", ".join(f"{name}: {'/'.join(map(str, sorted(c)))}" for name, c in found.items())
    two = [counts == {2} for counts in found.values()]
    return ("true" if all(two) else "imprecise" if any(two) else "false"), {"counts": text}


def _blocks(graph: LayerGraph) -> list[ModuleNode]:
    return [node for node in graph.modules if node.class_name in ("BasicBlock", "Bottleneck")]


def _own_convolutions(graph: LayerGraph, block: ModuleNode) -> list[Op]:
    """Without those of the shortcut."""
    ops = inside(graph, block.id)
    return [op for op in ops if op.target == "conv2d" and ".downsample" not in op.module]


def _narrowing(graph: LayerGraph) -> list[float]:
    """Channels in over channels out of the first convolution of each block."""
    first = [_own_convolutions(graph, node)[0].attributes for node in _blocks(graph)]
    return [a["in_channels"] / a["out_channels"] for a in first]


def quarter(graph: LayerGraph) -> Outcome:
    """True if every block begins so."""
    ratios = Counter(_narrowing(graph))
    others = sorted(ratio for ratio in ratios if ratio != 4)
    values = {
        "quarter": str(ratios[4.0]), "blocks": str(ratios.total()),
        "others": ", ".join("1" if ratio == 1 else f"1/{ratio:g}" for ratio in others),
    }  # fmt: skip
    return ("true" if not others else "imprecise" if ratios[4.0] else "false"), values


def resnet_stem(graph: LayerGraph) -> Outcome:
    """The first convolution and the first pooling, which comes before the second convolution."""
    conv = convolutions(graph)[0]
    pool = next(op for op in graph.ops if op.kind == "pooling")
    second = convolutions(graph)[1]
    early = graph.ops.index(pool) < graph.ops.index(second)
    values = {
        "conv": side(conv), "conv_stride": str(conv.attributes["stride"][0]),
        "pool": side(pool), "pool_stride": str(pool.attributes["stride"][0]),
    }  # fmt: skip
    return _yes(side(conv) == "7×7" and early), values


def xception36(graph: LayerGraph) -> Outcome:
    """A separable layer is a depthwise convolution and a pointwise one; shortcuts do not count."""
    ops = convolutions(graph)
    depthwise = [op for op in ops if op.attributes["groups"] > 1]
    shortcuts = [op for op in ops if op.module.endswith(".skip")]
    plain = [op for op in ops if side(op) != "1×1" and op not in depthwise]
    layers = len(plain) + len(depthwise)
    values = {
        "plain": str(len(plain)), "depthwise": str(len(depthwise)), "layers": str(layers),
        "ops": str(len(ops)), "shortcuts": str(len(shortcuts)),
    }  # fmt: skip
    return _yes(layers == 36), values


def xception_r34(xception: LayerGraph, resnet: LayerGraph) -> Outcome:
    """True if layers, weights and multiplications agree within 10 %, imprecise if only some do."""
    layers = len([op for op in convolutions(xception) if op.attributes["groups"] > 1]) + 2
    resnet_convs = len(convolutions(resnet))
    pairs = (
        (layers, resnet_convs),
        (xception.total_params, resnet.total_params),
        (xception.total_macs, resnet.total_macs),
    )
    alike = [abs(ours / other - 1) < 0.1 for ours, other in pairs]
    values = {
        "resnet_convs": str(resnet_convs), "resnet": millions(resnet.total_params),
        "xception": millions(xception.total_params),
        "resnet_macs": giga_macs(resnet.total_macs),
        "xception_macs": giga_macs(xception.total_macs),
    }  # fmt: skip
    return ("true" if all(alike) else "imprecise" if any(alike) else "false"), values
