"""Networks that are here twice: as published, and as a library (or the textbooks) has them."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.i18n import N_


@dataclass(frozen=True, slots=True)
class Forms:
    """Two forms of one network.

    Attributes:
        published: Catalog id of the network as published.
        library: Catalog id of the other form.
        label: Where the other form comes from, to be translated.
        difference: One sentence on what differs, to be translated.
    """

    published: str
    library: str
    label: str
    difference: str


FORMS = (
    Forms(
        "alexnet_2012",
        "alexnet",
        N_("as torchvision has it"),
        N_(
            "torchvision's AlexNet is the one-tower variant of 2014, without groups and response "
            "normalisation and with other widths; the paper splits three convolutions on two GPUs."
        ),
    ),
    Forms(
        "googlenet_2014",
        "googlenet",
        N_("as torchvision has it"),
        N_(
            "torchvision's GoogLeNet has 3×3 convolutions where the paper has 5×5, and batch "
            "normalisation in place of the paper's response normalisation."
        ),
    ),
    Forms(
        "lenet5_1998",
        "lenet5",
        N_("as textbooks have it"),
        N_(
            "The textbook form connects C3 to all maps, takes maxima, and uses ReLU and a linear "
            "output; the paper has a sparse C3, trained subsampling, tanh and a distance output."
        ),
    ),
)


def forms_of(model_id: str) -> Forms | None:
    """The two forms that this model is one of; None where it has one form only."""
    return next((f for f in FORMS if model_id in (f.published, f.library)), None)


def published_as(model_id: str) -> str | None:
    """The id of the form as published of a library's network."""
    return next((f.published for f in FORMS if f.library == model_id), None)


def library_form(model_id: str) -> str | None:
    """The id of the library's form of a network as published."""
    return next((f.library for f in FORMS if f.published == model_id), None)
