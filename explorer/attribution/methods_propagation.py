"""Methods that send something else than the gradient back through the network."""

from __future__ import annotations

from types import MappingProxyType

from explorer.attribution.method_types import Cost, Method, Need, Option, Suits
from explorer.attribution.shared_options import BASELINE
from explorer.i18n import N_

_RELU: frozenset[Need] = frozenset({"gradient", "relu"})
_CNN: frozenset[Suits] = frozenset({"cnn"})

PROPAGATION_METHODS = (
    Method(
        id="deep_lift",
        name=N_("DeepLIFT"),
        family="propagation",
        answer=N_(
            "How much of the difference from a baseline image comes through each pixel? It "
            "compares every activation with the one that the baseline gives, in one pass back, "
            "where integrated gradients need many."
        ),
        options=(BASELINE,),
        needs=_RELU,
        reference="A. Shrikumar, P. Greenside, A. Kundaje: Learning Important Features Through "
        "Propagating Activation Differences. ICML 2017",
        url="https://arxiv.org/abs/1704.02685",
        cost=Cost(4, 2),
        signed=True,
        complete=True,
        captum="captum.attr.DeepLift",
        suits=_CNN,
    ),
    Method(
        id="guided_backprop",
        name=N_("Guided backpropagation"),
        family="propagation",
        answer=N_(
            "Which pixels excite the neurons that end up speaking for the class? Every ReLU lets "
            "only positive gradients back, which gives sharp pictures that hardly depend on the "
            "class."
        ),
        options=(),
        needs=_RELU,
        reference="J. T. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller: Striving for "
        "Simplicity: The All Convolutional Net. ICLR Workshop 2015",
        url="https://arxiv.org/abs/1412.6806",
        cost=Cost(2, 1),
        signed=True,
        captum="captum.attr.GuidedBackprop",
        suits=_CNN,
    ),
    Method(
        id="deconvolution",
        name=N_("Deconvolution"),
        family="propagation",
        answer=N_(
            "Which pattern in the image would rebuild the score of the class? The network is run "
            "backwards and every ReLU rectifies what comes back, not what went forward."
        ),
        options=(),
        needs=_RELU,
        reference="M. D. Zeiler, R. Fergus: Visualizing and Understanding Convolutional "
        "Networks. ECCV 2014",
        url="https://arxiv.org/abs/1311.2901",
        cost=Cost(2, 1),
        signed=True,
        captum="captum.attr.Deconvolution",
        suits=_CNN,
    ),
    Method(
        id="lrp",
        name=N_("Layer-wise relevance propagation"),
        family="propagation",
        answer=N_(
            "How is the score passed back to the pixels, layer by layer? Each neuron shares its "
            "relevance out among its inputs by how much they added to it."
        ),
        options=(
            Option(
                "rule",
                N_("Rule of convolutions"),
                "choice",
                "gamma",
                choices=MappingProxyType(
                    {"gamma": N_("γ: favours what speaks for"), "epsilon": N_("ε: as it is")}
                ),
                help=N_("The ε rule alone is input × gradient in a network of ReLUs."),
            ),
            Option(
                "gamma",
                N_("γ"),
                "float",
                0.25,
                low=0.0,
                high=10.0,
                help=N_("How much more positive weights count under the γ rule."),
            ),
        ),
        needs=_RELU,
        reference="S. Bach, A. Binder, G. Montavon, F. Klauschen, K.-R. Müller, W. Samek: On "
        "Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance "
        "Propagation. PLoS ONE 10(7), 2015",
        url="https://doi.org/10.1371/journal.pone.0130140",
        cost=Cost(3, 1),
        signed=True,
        captum="captum.attr.LRP",
        suits=_CNN,
    ),
    Method(
        id="attention_rollout",
        name=N_("Attention rollout"),
        family="attention",
        answer=N_(
            "From which patches does information flow to the answer of a vision transformer? It "
            "multiplies the attention of all layers, and no class enters."
        ),
        options=(
            Option(
                "heads",
                N_("Attention heads"),
                "choice",
                "mean",
                choices=MappingProxyType({"mean": N_("Mean"), "max": N_("Largest")}),
                help=N_("How the heads of a layer become one."),
            ),
        ),
        needs=frozenset({"attention"}),
        reference="S. Abnar, W. Zuidema: Quantifying Attention Flow in Transformers. ACL 2020",
        url="https://arxiv.org/abs/2005.00928",
        cost=Cost(1, 0),
        signed=False,
        suits=frozenset({"vit"}),
    ),
)
