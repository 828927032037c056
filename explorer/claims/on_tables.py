"""Checks on the catalog and on the published tables."""

from __future__ import annotations

import math

from explorer.catalog import find, find_weights
from explorer.catalog.timm_results import CPU_FILE, GPU_FILE, benchmark, results
from explorer.claims.evidence import giga_macs, macs, millions, points, ranks, spearman
from explorer.claims.statements import Verdict

Outcome = tuple[Verdict, dict[str, str]]


def span18() -> Outcome:
    """Years of the plotted networks that the catalog opens, from LeNet-5's on."""
    years = [find(point.model_id).year for point in points().values() if point.model_id]
    last = max(year for year in years if year is not None)
    first = find("lenet5").year or 0
    values = {"first": str(first), "last": str(last), "years": str(last - first)}
    return ("true" if last - first == 18 else "false"), values


def more_weights_better() -> Outcome:
    """True above a rank correlation of 0.7 over all networks, imprecise if only over a part."""
    everything = list(points().values())
    rest = [p for p in everything if "AlexNet" not in p.network and "VGG" not in p.network]
    over_all, over_rest = (
        spearman([p.top1 for p in some], [p.params_millions for p in some])
        for some in (everything, rest)
    )
    values = {
        "n": str(len(everything)), "all": f"{over_all:.2f}", "rest_n": str(len(rest)),
        "rest": f"{over_rest:.2f}",
    }  # fmt: skip
    return ("true" if over_all > 0.7 else "imprecise" if over_rest > 0.7 else "false"), values


def weights_fall() -> Outcome:
    """Imprecise if networks beat VGG-16 with fewer parameters, yet better ones grow again."""
    plotted = points()
    vgg = plotted["VGG-16"]
    better = [p for p in plotted.values() if p.top1 > vgg.top1 and p.network != "VGG-19"]
    smaller = [p for p in better if p.params_millions < vgg.params_millions]
    by_accuracy = [p.params_millions for p in sorted(better, key=lambda p: p.top1)]
    falling = by_accuracy == sorted(by_accuracy, reverse=True)
    values = {
        "smaller": str(len(smaller)), "vgg": f"{vgg.params_millions:.2f} M",
        "vgg_top1": f"{vgg.top1:.2f}",
        "resnet18": f"{plotted['ResNet-18'].params_millions:.2f} M",
        "resnet152": f"{plotted['ResNet-152'].params_millions:.2f} M",
    }  # fmt: skip
    return ("false" if not smaller else "true" if falling else "imprecise"), values


def ops_not_time() -> Outcome:
    """False if operations and time go together, at a rank correlation above 0.9."""
    found: list[float] = []
    values: dict[str, str] = {}
    for name, path in (("cpu", CPU_FILE), ("gpu", GPU_FILE)):
        rows = list(benchmark(path).values())
        rho = spearman([row.macs_giga for row in rows], [row.image_seconds for row in rows])
        found.append(rho)
        values |= {name: f"{rho:.3f}", f"{name}_n": f"{len(rows):,}"}
    return ("false" if min(found) > 0.9 else "true" if max(found) < 0.5 else "imprecise"), values


def vgg19_190w() -> Outcome:
    """False if off by more than a factor of two."""
    params = find("vgg19").params
    values = {"params": millions(params), "macs": giga_macs(macs("vgg19"))}
    return _near(params, 1.9e6), values


def resnet34_36w() -> Outcome:
    """Likewise."""
    params = find("resnet34").params
    share = 100 * macs("resnet34") / macs("vgg19")
    values = {
        "params": millions(params), "macs": giga_macs(macs("resnet34")), "share": f"{share:.0f}",
    }  # fmt: skip
    return _near(params, 0.36e6), values


def _near(count: float, said: float) -> Verdict:
    """True within 5 %, imprecise within a factor of two."""
    off = abs(math.log(count / said))
    return "true" if off < math.log(1.05) else "imprecise" if off < math.log(2) else "false"


def squeeze_50x() -> Outcome:
    """Almost 50 is 45 to 50."""
    small = find("squeezenet1_0").params
    alexnet = find("alexnet").params
    ratio = alexnet / small
    values = {
        "alexnet": millions(alexnet), "squeezenet": f"{small / 1e6:.3f} M",
        "ratio": f"{ratio:.1f}", "published": f"{find('alexnet_2012').params / small:.1f}",
    }  # fmt: skip
    return ("true" if 45 <= ratio <= 50 else "imprecise" if ratio > 10 else "false"), values


def squeeze_acc() -> Outcome:
    """True if at least as accurate, imprecise within two points."""
    ours, other = (_top1(name, "IMAGENET1K_V1") for name in ("squeezenet1_0", "alexnet"))
    values = {"squeezenet": f"{ours:.2f}", "alexnet": f"{other:.2f}"}
    return ("true" if ours >= other else "imprecise" if ours > other - 2 else "false"), values


def _top1(model: str, weights: str) -> float:
    value = find_weights(find(model), weights).top1
    if value is None:
        raise ValueError(model)
    return value


def squeeze_05() -> Outcome:
    """Not true of the network as it is; true of its compressed form, hence imprecise."""
    mib = find("squeezenet1_0").params * 4 / 2**20
    return ("true" if mib < 0.5 else "imprecise"), {"mib": f"{mib:.2f}"}


def xception_better() -> Outcome:
    """Both at one size, with the weights that Google published."""
    rows = {(row.model, row.tag): row for row in results()}
    ours, other = rows["legacy_xception", "tf_in1k"], rows["inception_v3", "tf_in1k"]
    if ours.img_size != other.img_size:
        raise ValueError("sizes differ")
    values = {
        "xception": f"{ours.top1:.2f}", "inception": f"{other.top1:.2f}",
        "size": str(ours.img_size),
    }  # fmt: skip
    return ("true" if ours.top1 > other.top1 else "false"), values


def alexnet_blob() -> Outcome:
    """True if only the VGG networks are larger."""
    plotted = list(points().values())
    alexnet = points()["AlexNet"]
    larger = [p.network for p in plotted if p.params_millions > alexnet.params_millions]
    rank = ranks([p.density for p in plotted])[plotted.index(alexnet)]
    values = {
        "alexnet": f"{alexnet.params_millions:.2f} M", "n": str(len(plotted)),
        "larger": ", ".join(larger), "rank": f"{rank:.0f}",
    }  # fmt: skip
    right = all(name.startswith("VGG") for name in larger)
    return ("true" if right else "imprecise" if len(larger) < len(plotted) / 2 else "false"), values


def deeper_slower() -> Outcome:
    """Imprecise if operations grow with depth within ResNet and VGG, but not across them."""
    plotted = points()
    families = (("VGG-16", "VGG-19"), ("ResNet-18", "ResNet-34", "ResNet-50", "ResNet-101",
                                       "ResNet-152"))  # fmt: skip
    within = all(
        sorted(ops) == ops
        for ops in ([plotted[name].ops_giga for name in family] for family in families)
    )
    vgg, resnet = plotted["VGG-19"], plotted["ResNet-152"]
    times = benchmark(CPU_FILE)
    vgg_ms, resnet_ms = (1000 * times[name, 224].image_seconds for name in ("vgg19", "resnet152"))
    across = vgg.ops_giga < resnet.ops_giga and vgg_ms < resnet_ms
    values = {
        "vgg_ops": f"{vgg.ops_giga:.2f}", "resnet_ops": f"{resnet.ops_giga:.2f}",
        "vgg_ms": f"{vgg_ms:.1f}", "resnet_ms": f"{resnet_ms:.1f}",
    }  # fmt: skip
    return ("true" if within and across else "imprecise" if within else "false"), values
