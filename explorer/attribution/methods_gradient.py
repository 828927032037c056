"""Methods that read gradients at the pixels."""

from __future__ import annotations

from explorer.attribution.method_types import Cost, Method, Need, Option
from explorer.attribution.shared_options import (
    BASELINE,
    CHANNELS,
    NOISE,
    SEED,
    SEVERAL,
    paths,
    samples,
)
from explorer.i18n import N_

_GRADIENT: frozenset[Need] = frozenset({"gradient"})

GRADIENT_METHODS = (
    Method(
        id="saliency",
        name=N_("Saliency"),
        family="gradient",
        answer=N_(
            "Which pixels would change the score of the class most if they changed a little? It "
            "shows the absolute gradient of the logit with respect to the normalised input, one "
            "value a pixel."
        ),
        options=(CHANNELS,),
        needs=_GRADIENT,
        reference="K. Simonyan, A. Vedaldi, A. Zisserman: Deep Inside Convolutional Networks: "
        "Visualising Image Classification Models and Saliency Maps. ICLR Workshop 2014",
        url="https://arxiv.org/abs/1312.6034",
        cost=Cost(1, 1),
        signed=False,
        captum="captum.attr.Saliency",
    ),
    Method(
        id="input_x_gradient",
        name=N_("Input × gradient"),
        family="gradient",
        answer=N_(
            "How much would each pixel add if the network were linear around this image? The "
            "gradient is multiplied by the pixel's distance from the baseline, here the colour "
            "that counts as nothing."
        ),
        options=(BASELINE,),
        needs=_GRADIENT,
        reference="A. Shrikumar, P. Greenside, A. Shcherbina, A. Kundaje: Not Just a Black Box: "
        "Learning Important Features Through Propagating Activation Differences. 2016",
        url="https://arxiv.org/abs/1605.01713",
        cost=Cost(1, 1),
        signed=True,
        captum="captum.attr.InputXGradient",
    ),
    Method(
        id="integrated_gradients",
        name=N_("Integrated gradients"),
        family="gradient",
        answer=N_(
            "How much did each pixel add to the score on the way from a baseline image to this "
            "one? Positive pixels speak for the class, negative ones against it, and together "
            "they make up the difference of the two scores."
        ),
        options=(
            Option("baseline", N_("Baseline"), "choice", "black_white", choices=SEVERAL),
            Option(
                "steps",
                N_("Steps"),
                "int",
                50,
                low=2,
                high=1000,
                help=N_(
                    "Gauss–Legendre points on the straight line from the baseline to the image."
                ),
            ),
            Option(
                "adaptive",
                N_("More steps until converged"),
                "bool",
                True,
                help=N_("Doubles the steps until the completeness delta is under 2 %."),
            ),
            Option(
                "max_steps",
                N_("Steps at most"),
                "int",
                200,
                low=2,
                high=1000,
                help=N_("Where doubling the steps ends."),
            ),
        ),
        needs=_GRADIENT,
        reference="M. Sundararajan, A. Taly, Q. Yan: Axiomatic Attribution for Deep Networks. "
        "ICML 2017",
        url="https://arxiv.org/abs/1703.01365",
        cost=Cost(1, 1, per="steps", times=paths, more=1),
        signed=True,
        complete=True,
        captum="captum.attr.IntegratedGradients",
    ),
    Method(
        id="smooth_grad",
        name=N_("SmoothGrad"),
        family="gradient",
        answer=N_(
            "Which pixels keep their influence when the image is slightly noisy? The gradients of "
            "many noisy copies are averaged, which removes much of the grain of a saliency map."
        ),
        options=(samples(25, 500), NOISE, CHANNELS, SEED),
        needs=_GRADIENT,
        reference="D. Smilkov, N. Thorat, B. Kim, F. Viégas, M. Wattenberg: SmoothGrad: removing "
        "noise by adding noise. 2017",
        url="https://arxiv.org/abs/1706.03825",
        cost=Cost(1, 1, per="samples"),
        signed=False,
        captum="captum.attr.NoiseTunnel",
    ),
    Method(
        id="var_grad",
        name=N_("VarGrad"),
        family="gradient",
        answer=N_(
            "Where does the gradient change most when the image is slightly noisy? It shows the "
            "variance of the gradients of many noisy copies, which is large at edges that matter."
        ),
        options=(samples(25, 500), NOISE, CHANNELS, SEED),
        needs=_GRADIENT,
        reference="J. Adebayo, J. Gilmer, I. Goodfellow, B. Kim: Local Explanation Methods for "
        "Deep Neural Networks Lack Sensitivity to Parameter Values. 2018",
        url="https://arxiv.org/abs/1810.03307",
        cost=Cost(1, 1, per="samples"),
        signed=False,
        captum="captum.attr.NoiseTunnel",
    ),
    Method(
        id="gradient_shap",
        name=N_("GradientSHAP"),
        family="gradient",
        answer=N_(
            "How much does each pixel add on average, from several baselines and along noisy "
            "paths? It estimates expected gradients, from a black, a white and a blurred image at "
            "random points on the way."
        ),
        options=(samples(50, 1000), NOISE, SEED),
        needs=_GRADIENT,
        reference="S. M. Lundberg, S.-I. Lee: A Unified Approach to Interpreting Model "
        "Predictions. NIPS 2017",
        url="https://arxiv.org/abs/1705.07874",
        cost=Cost(1, 1, per="samples", more=3),
        signed=True,
        complete=True,
        captum="captum.attr.GradientShap",
    ),
)
