"""Networks in two forms: as published, and as the library has them."""

from __future__ import annotations

import pytest

from explorer.catalog import CATALOG, find
from explorer.catalog.forms import FORMS, forms_of, library_form, published_as


def test_forms_are_two_networks_of_the_catalog() -> None:
    ids = [model for forms in FORMS for model in (forms.published, forms.library)]
    assert len(ids) == len(set(ids))
    assert set(ids) <= set(CATALOG)
    for forms in FORMS:
        published, library = find(forms.published), find(forms.library)
        assert published.family == library.family
        assert published.params != library.params
        assert published.source == "explorer"
        assert forms.difference.endswith(".")


@pytest.mark.parametrize("library", ["alexnet", "googlenet", "lenet5"])
def test_both_ways(library: str) -> None:
    published = published_as(library)
    assert published is not None
    assert library_form(published) == library
    assert forms_of(library) == forms_of(published)


def test_most_have_one_form() -> None:
    assert forms_of("resnet50") is published_as("resnet50") is library_form("resnet50") is None
