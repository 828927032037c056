"""The attribution methods as data: what each answers, its options, needs, price and source."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from explorer.attribution.method_types import Cost, Method, Option
from explorer.attribution.methods_cam import CAM_METHODS
from explorer.attribution.methods_gradient import GRADIENT_METHODS
from explorer.attribution.methods_perturbation import PERTURBATION_METHODS
from explorer.attribution.methods_propagation import PROPAGATION_METHODS
from explorer.attribution.shared_options import BASELINES
from explorer.errors import AttributionError
from explorer.i18n import N_

__all__ = ["BASELINES", "METHODS", "Cost", "Method", "Option", "fill_options", "find_method"]

_ORDER = (
    *("saliency", "input_x_gradient", "integrated_gradients", "smooth_grad", "var_grad"),
    *("gradient_shap", "deep_lift", "guided_backprop", "deconvolution", "grad_cam"),
    *("grad_cam_plus_plus", "score_cam", "guided_grad_cam", "layer_activation", "occlusion"),
    *("feature_ablation", "kernel_shap", "lime", "lrp", "attention_rollout"),
)
_ALL = {
    method.id: method
    for method in (*GRADIENT_METHODS, *CAM_METHODS, *PERTURBATION_METHODS, *PROPAGATION_METHODS)
}

#: Every method by id, in the order in which pages offer them.
METHODS: Mapping[str, Method] = MappingProxyType({id: _ALL[id] for id in _ORDER})


def find_method(id: str) -> Method:
    """The method of this id.

    Raises:
        AttributionError: There is none.
    """
    method = METHODS.get(id)
    if method is None:
        raise AttributionError(
            N_("There is no attribution method named {method}; choose one of {known}."),
            method=repr(id),
            known=", ".join(METHODS),
        )
    return method


def fill_options(method: Method, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of a method: the given ones checked, the others at their defaults.

    Raises:
        AttributionError: An option that the method does not have, or a value out of range.
    """
    known = {option.name: option for option in method.options}
    for name in given:
        if name not in known:
            raise AttributionError(
                N_("{method} has no option {name}; its options are {known}."),
                method=method.name,
                name=repr(name),
                known=", ".join(known),
            )
    return {
        name: option.check(given[name]) if name in given else option.default
        for name, option in known.items()
    }
