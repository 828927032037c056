"""Methods that hide parts of the image and watch the score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.attribution.method_types import Cost, Method, Need, Option
from explorer.attribution.shared_options import HIDDEN, SEED, SEGMENTS, samples
from explorer.i18n import N_

_FORWARD: frozenset[Need] = frozenset({"forward"})


def windows(options: Mapping[str, Any]) -> int:
    """Positions of the occluding square on a square image: 7 a side, 2 a window → 13² = 169."""
    along = 1 + (int(options["windows"]) - 1) * int(options["overlap"])
    return along**2


PERTURBATION_METHODS = (
    Method(
        id="occlusion",
        name=N_("Occlusion"),
        family="perturbation",
        answer=N_(
            "How much does the score fall when a square of the image is hidden? The square is "
            "moved over the whole image, and each pixel gets the mean of the squares that hid it."
        ),
        options=(
            Option(
                "windows",
                N_("Squares along the shorter side"),
                "int",
                7,
                low=2,
                high=32,
                help=N_("7 makes squares of 32 pixels on an image of 224."),
            ),
            Option(
                "overlap",
                N_("Steps per square"),
                "int",
                2,
                low=1,
                high=4,
                help=N_("2 moves the square by half its side."),
            ),
            HIDDEN,
        ),
        needs=_FORWARD,
        reference="M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional "
        "Networks. ECCV 2014",
        url="https://arxiv.org/abs/1311.2901",
        cost=Cost(1, 0, times=windows),
        signed=True,
        captum="captum.attr.Occlusion",
    ),
    Method(
        id="feature_ablation",
        name=N_("Superpixel ablation"),
        family="perturbation",
        answer=N_(
            "How much does the score fall when one region of like colour is hidden? It hides the "
            "superpixels of the image one at a time, so that edges of the map follow edges of the "
            "image."
        ),
        options=(SEGMENTS, HIDDEN),
        needs=_FORWARD,
        reference="J. Li, W. Monroe, D. Jurafsky: Understanding Neural Networks through "
        "Representation Erasure. 2016",
        url="https://arxiv.org/abs/1612.08220",
        cost=Cost(1, 0, per="segments"),
        signed=True,
        captum="captum.attr.FeatureAblation",
    ),
    Method(
        id="kernel_shap",
        name=N_("KernelSHAP"),
        family="perturbation",
        answer=N_(
            "How is the score shared out fairly among the regions of the image? It estimates "
            "Shapley values of superpixels from random sets of hidden ones, and they add up to "
            "the difference from the image with all of them hidden."
        ),
        options=(SEGMENTS, samples(400), HIDDEN, SEED),
        needs=_FORWARD,
        reference="S. M. Lundberg, S.-I. Lee: A Unified Approach to Interpreting Model "
        "Predictions. NIPS 2017",
        url="https://arxiv.org/abs/1705.07874",
        cost=Cost(1, 0, per="samples", more=2),
        signed=True,
        complete=True,
    ),
    Method(
        id="lime",
        name=N_("LIME"),
        family="perturbation",
        answer=N_(
            "Which regions would a simple linear model blame for the score near this image? It "
            "fits one to the scores of copies with random superpixels hidden, where copies close "
            "to the image count more."
        ),
        options=(
            SEGMENTS,
            samples(400),
            Option(
                "width",
                N_("Width of the neighbourhood"),
                "float",
                0.25,
                low=0.05,
                high=2.0,
                help=N_("Of the kernel over cosine distances that weighs the copies."),
            ),
            HIDDEN,
            SEED,
        ),
        needs=_FORWARD,
        reference='M. T. Ribeiro, S. Singh, C. Guestrin: "Why Should I Trust You?": Explaining '
        "the Predictions of Any Classifier. KDD 2016",
        url="https://arxiv.org/abs/1602.04938",
        cost=Cost(1, 0, per="samples"),
        signed=True,
    ),
)
