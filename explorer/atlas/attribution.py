"""The survey of attribution maps: every image with every network and every method."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from explorer.atlas.judging import Judged, judge
from explorer.atlas.pictures import Box, Picture
from explorer.atlas.survey import Survey, columns
from explorer.attribution import METHODS, fill_options
from explorer.attribution.methods import find_method
from explorer.catalog import find
from explorer.errors import AtlasError
from explorer.i18n import N_
from explorer.requests import AssessRequest, ExplainRequest, ModelRef
from explorer.task_keys import digest
from explorer.tasks import Context, held_model
from explorer.weights import default_weights

if TYPE_CHECKING:
    from explorer.results import Attribution, TrustCard

ALL = "all"

SCHEMA = columns(
    ("image", pa.string()), ("image_sha256", pa.string()), ("model", pa.string()),
    ("weights", pa.string()), ("method", pa.string()),
    ("target", pa.int32()), ("label", pa.string()), ("probability", pa.float64()),
    ("layer", pa.string()), ("options", pa.string()), ("flat", pa.bool_()),
    ("deletion", pa.float64()), ("deletion_random", pa.float64()),
    ("deletion_beats", pa.int32()), ("insertion", pa.float64()),
    ("insertion_random", pa.float64()), ("insertion_beats", pa.int32()), ("orders", pa.int32()),
    ("delta", pa.float64()), ("agreement", pa.float64()), ("agreement_with", pa.string()),
    ("randomisation", pa.float64()), ("infidelity", pa.float64()), ("sensitivity", pa.float64()),
    ("box_share", pa.float64()), ("pointing", pa.bool_()), ("energy", pa.float64()),
    ("map_seconds", pa.float64()), ("seconds", pa.float64()), ("device", pa.string()),
)  # fmt: skip


def wanted_methods(named: Sequence[str], options: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Method ids, each with the options that are not at their defaults.

    Args:
        named: Ids, or "all".
        options: Like "lime.samples=200".

    Raises:
        AttributionError: There is no such method or option, or the value is out of range.
        AtlasError: An option is not written like this, or is of a method that is not wanted.
    """
    ids = list(METHODS) if ALL in named else [find_method(id).id for id in named]
    found: dict[str, dict[str, Any]] = {id: {} for id in ids}
    for text in options:
        method, dot, rest = text.partition(".")
        name, equals, value = rest.partition("=")
        if not (dot and equals) or method not in found:
            raise AtlasError(
                N_("“{text}” is no option of a chosen method; write it like lime.samples=200."),
                text=text,
            )
        found[method][name] = fill_options(METHODS[method], {name: value})[name]
    return found


def attribution_survey(
    images: Sequence[Picture],
    models: Sequence[str],
    methods: Mapping[str, Mapping[str, Any]],
    checks: AssessRequest,
) -> Survey:
    """The survey; a network's images follow each other, so that it stays loaded.

    Args:
        images: Of a folder.
        models: Catalog ids; the weights that are on this machine are taken.
        methods: Id → options.
        checks: What is checked, with how many steps; its own map does not count.
    """
    from explorer.tracing.versions import library_versions

    items = tuple(
        {
            "image": image.name, "image_sha256": image.digest, "model": model,
            "weights": default_weights(find(model)), "method": method,
        }
        for model in models for image in images for method in methods
    )  # fmt: skip
    asked = {name: value for name, value in asdict(checks).items() if name != "explain"}
    conditions = {
        **asked, "checks": list(checks.checks),
        "options": {method: dict(options) for method, options in methods.items() if options},
        "boxes": digest(tuple((image.name, image.boxes) for image in images)),
        **library_versions(), "captum": version("captum"),
    }  # fmt: skip
    return Survey("attribution", items, conditions, SCHEMA)


def map_task(
    item: Mapping[str, Any], image: Picture, checks: AssessRequest, options: Mapping[str, Any]
) -> SurveyMap:
    """What an item of the survey asks of the engine.

    Raises:
        AtlasError: The network has no weights here, or the file cannot be read.
    """
    if item["weights"] is None:
        raise AtlasError(
            N_("{model} has no weights on this machine, and an untrained network explains noise."),
            model=item["model"],
        )
    explain = ExplainRequest(str(item["method"]), options=dict(options))
    ref = ModelRef(str(item["model"]), str(item["weights"]))
    return SurveyMap(ref, image.read(), replace(checks, explain=explain), image.boxes)


@dataclass(frozen=True, slots=True)
class SurveyMap:
    """One map with its checks, as the columns of a row.

    Attributes:
        ref: The network.
        image: The file.
        request: The map and the checks.
        boxes: Around what is to be found.
    """

    ref: ModelRef
    image: bytes
    request: AssessRequest
    boxes: tuple[Box, ...] = ()
    cacheable: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """What stands in sentences of the engine's."""
        return f"{self.request.explain.method}, {self.ref.model}"

    def key(self) -> str:
        """By the content of the image, of the request and of the boxes."""
        return digest("atlas-map", self.ref, self.image, self.request, self.boxes)

    def run(self, context: Context) -> dict[str, Any]:
        """The columns."""
        from explorer.attribution.maps import explain
        from explorer.images import open_image

        image = open_image(self.image)
        with held_model(context, self.ref) as loaded:
            context.stage(N_("Computing the map"))
            found = explain(loaded, image, self.request.explain, progress=context.progress)
            context.stage(N_("Checking the map"))
            began = time.perf_counter()
            subject = Judged(loaded, image, found, digest(self.ref, self.image))
            card = judge(subject, self.request, context.progress)
            row = _columns(found, card)
            row["seconds"] = found.seconds + time.perf_counter() - began
            row["label"] = loaded.labels[found.target]
            row["device"] = str(loaded.device)
            if self.boxes:
                from explorer.atlas.localisation import localisation, region

                inside = region(image.size, self.boxes, loaded.preprocessing)
                row |= localisation(found.map, inside)
            return row


def _columns(found: Attribution, card: TrustCard) -> dict[str, Any]:
    row: dict[str, Any] = {
        "target": found.target, "probability": float(found.probabilities[found.target]),
        "layer": found.layer, "options": json.dumps(found.options, sort_keys=True),
        "flat": card.flat, "delta": card.delta, "randomisation": card.randomisation,
        "infidelity": card.infidelity, "sensitivity": card.sensitivity,
        "map_seconds": found.seconds,
    }  # fmt: skip
    if card.agreement:
        row["agreement"] = sum(card.agreement.values()) / len(card.agreement)
        row["agreement_with"] = ", ".join(card.agreement)
    for name, curve in (("deletion", card.deletion), ("insertion", card.insertion)):
        if curve is not None:
            areas = curve.random_aucs
            row |= {
                name: curve.auc, f"{name}_random": sum(areas) / len(areas),
                f"{name}_beats": curve.better_than, "orders": len(areas),
            }  # fmt: skip
    return row
