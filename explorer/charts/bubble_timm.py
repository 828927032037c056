"""timm's result table → rows of the bubble chart, with what the atlas counted beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from explorer.catalog.atlas_costs import atlas_costs
from explorer.catalog.pretraining import LABELS, training_data
from explorer.catalog.timm_results import CPU_LABEL, GPU_LABEL
from explorer.charts.axes import AXES
from explorer.charts.bubble import BubbleRow
from explorer.charts.bubble_rows import origin_lines, with_ratios
from explorer.i18n import _

if TYPE_CHECKING:
    from explorer.catalog.atlas_costs import AtlasCosts
    from explorer.catalog.spec import ModelSpec
    from explorer.catalog.timm_results import ResultRow


def rows_timm(results: Iterable[ResultRow], catalog: Mapping[str, ModelSpec]) -> list[BubbleRow]:
    """One row for each accuracy in timm's table.

    Args:
        results: ``catalog.timm_results.results()``.
        catalog: For family, year, paper and licence; a name that the installed timm no longer has
            stays a picture, with its name's first part as its family.
    """
    return [_row(result, catalog.get(result.model_id)) for result in results]


def _row(result: ResultRow, spec: ModelSpec | None) -> BubbleRow:
    values = {
        "top1": result.top1,
        "top5": result.top5,
        "params": result.params_millions * 1e6,
    }
    if (gpu := result.gpu) is not None:
        values |= {
            "macs": gpu.macs_giga * 1e9,
            "flops": 2e9 * gpu.macs_giga,
            "conv_activations": gpu.activations_millions * 1e6,
            "gpu_images_per_second": gpu.images_per_second,
        }
    # Counted at one size only: at others there is no number of ours.
    costs = atlas_costs().get((result.model_id, result.img_size))
    if costs is not None:
        values["canziani_ops"] = float(costs.canziani_ops)
        values["activation_bytes"] = float(costs.activation_bytes)
    if (cpu := result.cpu) is not None:
        values["cpu_latency"] = cpu.image_seconds
    if spec is not None and spec.year is not None:
        values["year"] = float(spec.year)
    known = () if spec is None else spec.weights
    weights = next((one for one in known if one.id == result.tag), None)
    licence = "" if weights is None else weights.licence
    return BubbleRow(
        id=f"timm:{result.model}.{result.tag}@{result.img_size}",
        label=result.model,
        family=result.model.partition("_")[0] if spec is None else spec.family,
        group="today",
        values=with_ratios(values),
        model="" if spec is None else spec.id,
        weights="" if weights is None else weights.id,
        hover=_card(result, spec, values, licence, costs),
        licence=licence,
        data=training_data(result.tag),
        crop=result.img_size,
    )


def _card(
    result: ResultRow,
    spec: ModelSpec | None,
    values: Mapping[str, float],
    licence: str,
    costs: AtlasCosts | None,
) -> tuple[tuple[str, str], ...]:
    resized = round(result.img_size / result.crop_pct)
    lines = [
        (_("Weights"), result.tag or "–"),
        (_("Top-1, published by timm"), AXES["top1"].text(result.top1)),
        (_("Top-5, published by timm"), AXES["top5"].text(result.top5)),
        (_("Crop / resized side [pixels]"), f"{result.img_size}×{result.img_size} / {resized}"),
        (_("Parameters"), AXES["params"].text(values["params"])),
    ]
    if "macs" in values:
        lines.append((_("Multiply–accumulates, as timm counts"), AXES["macs"].text(values["macs"])))
    if costs is not None:
        # timm's are rounded to 0.01 GMACs, which is a tenth of a small network's.
        exact = f"{costs.macs / 1e9:,.4f} {_(AXES['macs'].unit)}"
        lines.append((_("Multiply–accumulates, counted here"), exact))
    for key, label in (("gpu_images_per_second", GPU_LABEL), ("cpu_latency", CPU_LABEL)):
        if key in values:
            lines.append((label.partition(",")[0], AXES[key].text(values[key])))
    lines.append((_("Training data"), _(LABELS[training_data(result.tag)])))
    if spec is None:
        return (*lines, (_("Licence of the weights"), licence or _("not stated")))
    return (*lines, *origin_lines(spec, licence))
