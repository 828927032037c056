"""The networks from their papers on every page."""

from __future__ import annotations

import pytest

from explorer.catalog import CATALOG, find
from tests.pages.conftest import Open, texts

NETWORKS = [m for m in CATALOG if CATALOG[m].source == "explorer" and m != "lenet5"]
# One of each kind by default: digits trained and not, CIFAR-10. Those of ImageNet take longest.
QUICK = ("lenet5_1998", "ciresan_mlp_small", "nin_cifar10")
CHOICES = [
    pytest.param(model, marks=() if model in QUICK else pytest.mark.slow) for model in NETWORKS
]
PAGES = ("chart", "history", "graph", "complexity", "attribution", "latency", "compare")


@pytest.mark.parametrize("model", CHOICES)
def test_every_page_opens_it(open_page: Open, model: str) -> None:
    for page in PAGES:
        # A perceptron has no maps for Grad-CAM, the page's default, and is told so.
        extra = {"method": "saliency"} if page == "attribution" and "mlp" in model else {}
        app = open_page(page, model=model, **extra)
        assert not app.error, (page, [error.value for error in app.error])
        if page != "chart":
            assert app.selectbox(key="model").value == model, page


@pytest.mark.parametrize("model", CHOICES)
def test_an_answer_is_shown_with_a_warning_where_it_means_nothing(
    open_page: Open, model: str
) -> None:
    app = open_page("attribution", model=model, method="saliency")
    spec = find(model)
    warned = any("Untrained network" in warning.value for warning in app.warning)
    assert warned == (not spec.weights)
    assert not app.error
    # Digits for what reads digits, photos for the others.
    image = app.selectbox(key="_w_image").value
    assert str(image).startswith("digit_") == (spec.dataset == "mnist")
    assert spec.name in texts(app)
