"""Methods that weigh the feature maps of a layer."""

from __future__ import annotations

from types import MappingProxyType

from explorer.attribution.method_types import Cost, Method, Need, Option
from explorer.attribution.shared_options import BASELINE, RELU
from explorer.i18n import N_

_LAYER: frozenset[Need] = frozenset({"gradient", "layer"})

CAM_METHODS = (
    Method(
        id="grad_cam",
        name=N_("Grad-CAM"),
        family="cam",
        answer=N_(
            "Which regions hold the features that speak for the class? It weighs the maps of one "
            "layer, by default the last spatial one, with their mean gradient, so it is coarse "
            "but hard to mislead by single pixels."
        ),
        options=(RELU,),
        needs=_LAYER,
        reference="R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra: "
        "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization. "
        "ICCV 2017",
        url="https://arxiv.org/abs/1610.02391",
        cost=Cost(1, 1),
        signed=True,
        captum="captum.attr.LayerGradCam",
    ),
    Method(
        id="grad_cam_plus_plus",
        name=N_("Grad-CAM++"),
        family="cam",
        answer=N_(
            "Which regions hold the features, also where the object appears more than once? The "
            "gradients of each map are weighed place by place, and only those that speak for the "
            "class count."
        ),
        options=(),
        needs=_LAYER,
        reference="A. Chattopadhyay, A. Sarkar, P. Howlader, V. N. Balasubramanian: Grad-CAM++: "
        "Generalized Gradient-based Visual Explanations for Deep Convolutional Networks. "
        "WACV 2018",
        url="https://arxiv.org/abs/1710.11063",
        cost=Cost(1, 1),
        signed=False,
    ),
    Method(
        id="score_cam",
        name=N_("Score-CAM"),
        family="cam",
        answer=N_(
            "Which feature maps, laid over the image as a mask, keep the score of the class? It "
            "needs no gradient at all: every map is weighed by the score of what it lets through."
        ),
        options=(
            Option(
                "maps",
                N_("Feature maps"),
                "int",
                128,
                low=1,
                high=4096,
                help=N_("At most this many, those whose values differ most over the image."),
            ),
            BASELINE,
        ),
        needs=frozenset({"layer"}),
        reference="H. Wang, Z. Wang, M. Du, F. Yang, Z. Zhang, S. Ding, P. Mardziel, X. Hu: "
        "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks. "
        "CVPR Workshops 2020",
        url="https://arxiv.org/abs/1910.01279",
        cost=Cost(1, 0, per="maps", more=2),
        signed=False,
    ),
    Method(
        id="guided_grad_cam",
        name=N_("Guided Grad-CAM"),
        family="cam",
        answer=N_(
            "Which fine edges lie in the regions that speak for the class? It multiplies guided "
            "backpropagation, which is sharp but hardly asks about the class, by Grad-CAM, which "
            "does."
        ),
        options=(),
        needs=frozenset({"gradient", "layer", "relu"}),
        reference="R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra: "
        "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization. "
        "ICCV 2017",
        url="https://arxiv.org/abs/1610.02391",
        cost=Cost(3, 2),
        signed=True,
        captum="captum.attr.GuidedGradCam",
        suits=frozenset({"cnn"}),
    ),
    Method(
        id="layer_activation",
        name=N_("Layer activation"),
        family="activation",
        answer=N_(
            "Where does a layer respond at all, whatever the class? It shows how strong the "
            "features of the layer are at each place, which no class enters."
        ),
        options=(
            Option(
                "channels",
                N_("Feature maps"),
                "choice",
                # The root of squares is the same everywhere behind a layer normalisation.
                "mean",
                choices=MappingProxyType(
                    {
                        "norm": N_("Root of the sum of squares"),
                        "mean": N_("Mean of absolute values"),
                        "max": N_("Largest absolute value"),
                    }
                ),
                help=N_("How the values of all feature maps at a place become one."),
            ),
        ),
        needs=frozenset({"layer"}),
        reference="J. Yosinski, J. Clune, A. Nguyen, T. Fuchs, H. Lipson: Understanding Neural "
        "Networks Through Deep Visualization. ICML Workshop 2015",
        url="https://arxiv.org/abs/1506.06579",
        cost=Cost(2, 0),
        signed=False,
        captum="captum.attr.LayerActivation",
    ),
)
