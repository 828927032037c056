"""``python -m explorer atlas attribution``: the images of a folder through the engine."""

from __future__ import annotations

import argparse
from pathlib import Path

from explorer.atlas.attribution import attribution_survey, map_task, wanted_methods
from explorer.atlas.crew import Bounds, Crew
from explorer.atlas.folder import open_folder
from explorer.atlas.pictures import pictures
from explorer.atlas.running import run_survey, survey_bar
from explorer.attribution.quality_plan import CHECKS
from explorer.engine import get_engine
from explorer.errors import AtlasError
from explorer.i18n import N_
from explorer.requests import AssessRequest, ExplainRequest
from explorer.sweeps.choosing import select_models
from explorer.tasks import Task


def run_attribution(options: argparse.Namespace) -> Path:
    """Runs the survey; the file with all rows.

    Raises:
        ExplorerError: It cannot be run as asked.
    """
    methods = wanted_methods(options.methods, options.option)
    unknown = [check for check in options.checks if check not in CHECKS]
    if unknown:
        raise AtlasError(
            N_("There is no check named {check}; choose one of {known}."),
            check=repr(unknown[0]), known=", ".join(CHECKS),
        )  # fmt: skip
    checks = AssessRequest(
        ExplainRequest(""), checks=options.checks, steps=options.steps, orders=options.orders
    )
    images = {image.name: image for image in pictures(Path(options.images))}
    models = select_models(options.models)
    survey = attribution_survey(tuple(images.values()), models, methods, checks)

    def make(position: int) -> Task:
        item = survey.items[position]
        return map_task(item, images[item["image"]], checks, methods[item["method"]])

    with open_folder(Path(options.out), survey, resume=options.resume) as folder:
        if not folder.missing:
            return folder.merge()
        engine = get_engine()
        try:
            with survey_bar(folder) as tell:
                crew = Crew([engine] * options.jobs, Bounds(options.seconds))
                return run_survey(folder, crew, make, tell)
        finally:
            engine.shutdown()
