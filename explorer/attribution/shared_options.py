"""Options that several methods share."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from explorer.attribution.method_types import Option
from explorer.i18n import N_

#: Images that stand for "nothing there"; made in pixel space by ``baselines``.
BASELINES = MappingProxyType(
    {
        "black": N_("Black"),
        "white": N_("White"),
        "grey": N_("Grey"),
        "mean": N_("The photo's mean colour"),
        "blurred": N_("The photo, blurred"),
        "noise": N_("Random colours"),
    }
)
#: Choices that average the maps from several baselines. From one colour, pixels of this colour can
#: get nothing, whatever they mean to the network; no pixel has two colours.
AVERAGED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"black_white": ("black", "white"), "several": ("black", "white", "blurred")}
)
SEVERAL = MappingProxyType(
    {
        "black_white": N_("Black and white, maps averaged"),
        "several": N_("Black, white and blurred, maps averaged"),
        **BASELINES,
    }
)


def baselines_of(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The baselines that the option "baseline" stands for, keys of ``BASELINES``."""
    kind = str(options["baseline"])
    return AVERAGED.get(kind, (kind,))


def paths(options: Mapping[str, Any]) -> int:
    """How many baselines there are, and so how many maps are averaged."""
    return len(baselines_of(options))


CHANNELS = Option(
    "channels",
    N_("Colour channels"),
    "choice",
    "max",
    choices=MappingProxyType({"max": N_("Largest"), "mean": N_("Mean")}),
    help=N_("How the values of red, green and blue become one."),
)
BASELINE = Option("baseline", N_("Baseline"), "choice", "black", choices=BASELINES)
HIDDEN = Option(
    "baseline",
    N_("What hides a region"),
    "choice",
    "grey",
    choices=BASELINES,
    help=N_("The image whose pixels take the place of the hidden ones."),
)
NOISE = Option(
    "noise",
    N_("Noise"),
    "float",
    0.15,
    low=0.01,
    high=1.0,
    help=N_(
        "Standard deviation as a share of the image's range, from its darkest to its lightest."
    ),
)
SEED = Option(
    "seed",
    N_("Seed"),
    "int",
    0,
    low=0,
    high=9999,
    help=N_("The same seed gives the same random numbers, and so the same map."),
)
RELU = Option(
    "relu",
    N_("Only what speaks for the class"),
    "bool",
    True,
    help=N_("Sets negative values to zero, as the paper does."),
)
SEGMENTS = Option(
    "segments",
    N_("Superpixels"),
    "int",
    50,
    low=2,
    high=300,
    help=N_("Regions of like colour, found by SLIC; about this many."),
)


def samples(default: int, high: int = 2000) -> Option:
    """How often a random method draws.

    Args:
        default: Used when the request says nothing.
        high: Most.
    """
    return Option("samples", N_("Samples"), "int", default, low=2, high=high)
