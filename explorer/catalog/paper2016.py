"""The 14 networks of figure 2 in Canziani, Paszke & Culurciello 2016 (arXiv:1605.07678).

The table is ``assets/data/canziani2016.csv``. Accuracy, operations and parameters are as plotted:
read from the authors' own vector figure (culurciello/culurciello.github.io, commit a5cfcff5e308,
``assets/nets/acc_vs_net_vs_ops.svg``), whose values land on two decimals. The paper's operations
are about twice the multiply–accumulates, plus small terms. The counted columns are recomputed from
the architectures; they are missing where the plotted network could not be identified.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

from explorer.catalog.store import DATA
from explorer.errors import ExplorerError
from explorer.i18n import N_

POINTS_FILE = DATA / "canziani2016.csv"
PAPER_URL = "https://arxiv.org/abs/1605.07678"

# Networks that the catalog can open in the plotted form, or in the closest one that it has.
_MODEL_IDS = {
    "AlexNet": "alexnet_2012",
    "BN-AlexNet": "bn_alexnet",
    "BN-NIN": "bn_nin",
    "ENet": "enet",
    "GoogLeNet": "googlenet_2014",
    "ResNet-18": "resnet18",
    "VGG-16": "vgg16",
    "VGG-19": "vgg19",
    "ResNet-34": "resnet34",
    "ResNet-50": "resnet50",
    "ResNet-101": "resnet101",
    "ResNet-152": "resnet152",
    "Inception-v3": "inception_v3",
    "Inception-v4": "inception_v4",
}

# The table's notes on networks of the catalog, up to the first full stop, marked for translation.
MARKED_NOTES = (
    N_("Caffe reference copy (two-GPU grouping)"),
    N_(
        "The authors' own re-implementation with a factorised 7x7 stem; with an ordinary stem "
        "6.998552 M and 1.582672 GMACs"
    ),
    N_(
        "Includes one bias per convolution output channel (52,672), kept by the Torch model; "
        "44.549160 M without"
    ),
    N_("Includes one bias per convolution output channel (75,712); 60.192808 M without"),
    N_("299x299 input"),
    N_(
        "Two independent towers, batch norm also on the two 4096-wide fully connected layers "
        "(60.542 M; 60.526 M without)"
    ),
    N_("Parameters with batch norm folded; 8.655336 M with its scale and shift"),
    N_(
        "ENet V12 ImageNet classifier; internal scale 1 of the first block is inferred (only value "
        "that reproduces 5.86 M and 1.57)"
    ),
    N_(
        "MISMATCH, left blank: the real network has 42.679816 M parameters and 12.253975 GMACs "
        "(24.51 G-Ops) at 299; cause of the plotted values unknown"
    ),
)


class PaperDataError(ExplorerError):
    """A row of the table cannot be read; ``values["row"]`` is its line in the file."""


@dataclass(frozen=True, slots=True)
class PaperPoint:
    """One bubble of the chart.

    Attributes:
        network: The paper's name of it.
        top1: Percent, ImageNet validation, one central crop.
        ops_giga: Operations as plotted, 10⁹: about twice the multiply–accumulates.
        params_millions: Parameters as plotted, 10⁶.
        density: Percentage points of top-1 for a million parameters (figure 10).
        colour: "#rrggbb", the paper's.
        counted_macs_giga: Multiply–accumulates recomputed, 10⁹; None where it does not match.
        counted_params_millions: Parameters recomputed, 10⁶; None where it does not match.
        note: How the plotted network differs from the one that people know; "" if it does not.
        model_id: The same or the closest network in the catalog; None where there is none.
    """

    network: str
    top1: float
    ops_giga: float
    params_millions: float
    density: float
    colour: str
    counted_macs_giga: float | None
    counted_params_millions: float | None
    note: str
    model_id: str | None


def load_points(
    path: Path = POINTS_FILE,
) -> tuple[tuple[PaperPoint, ...], tuple[PaperDataError, ...]]:
    """(points, problems): every row that can be read, and a sentence on each one that cannot.

    Raises:
        PaperDataError: The file itself cannot be read.
    """
    points: list[PaperPoint] = []
    problems: list[PaperDataError] = []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PaperDataError(
            N_("The table {file} cannot be read ({reason}): put the original back."),
            file=path.name,
            row=None,
            reason=type(error).__name__,
        ) from error
    reader = csv.DictReader(text.splitlines())
    for row in reader:
        try:
            points.append(_point(row))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            problems.append(
                PaperDataError(
                    N_("Row {row} of {file} was left out ({reason}): correct it and reload."),
                    file=path.name,
                    row=reader.line_num,
                    reason=str(error) or type(error).__name__,
                )
            )
    return tuple(points), tuple(problems)


def _point(row: dict[str, str]) -> PaperPoint:
    network = row["network"].strip()
    if not network:
        raise ValueError("no network")
    colour = row["colour_hex"].strip()
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ValueError(f"colour_hex={colour}")
    return PaperPoint(
        network=network,
        top1=_number(row, "top1_pct", 100),
        ops_giga=_number(row, "ops_gops"),
        params_millions=_number(row, "params_m"),
        density=_number(row, "density_pct_per_mparam"),
        colour=colour,
        counted_macs_giga=_optional(row, "counted_macs_g"),
        counted_params_millions=_optional(row, "counted_params_m"),
        note=(row.get("note") or "").strip(),
        model_id=_MODEL_IDS.get(network),
    )


def _number(row: dict[str, str], column: str, most: float = math.inf) -> float:
    """A finite number above zero, or a ValueError that names the column."""
    text = (row[column] or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= most or math.isinf(value):
        raise ValueError(f"{column}={text}")
    return value


def _optional(row: dict[str, str], column: str) -> float | None:
    return _number(row, column) if (row[column] or "").strip() else None
