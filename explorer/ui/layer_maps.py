"""Feature maps of the visitor's image at the selected layer."""

from __future__ import annotations

from typing import cast

import streamlit as st

from explorer.attribution.overlay import overlay, to_png
from explorer.charts.inspection import profile
from explorer.i18n import _, ngettext
from explorer.images import SAMPLES
from explorer.inspection.choosing import Chosen
from explorer.inspection.tiles import activations, enlarge, mosaic
from explorer.inspection.types import FeatureMaps, Order
from explorer.tasks import FeatureMaps as Task
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.layer_downloads import panel_downloads
from explorer.ui.params import choice
from explorer.ui.photo import Photo, choose_photo
from explorer.ui.pictures import in_page
from explorer.ui.selection import Selection
from explorer.ui.weights_view import weights_ready

COLUMNS, SIDE = 8, 56


def panel_photo(selection: Selection) -> Photo | None:
    """Draws the choice of the image, folded away; asks for another one when it cannot be used."""
    dataset = selection.spec.dataset
    if not any(sample.dataset == dataset for sample in SAMPLES.values()):
        dataset = "imagenet"
    with st.expander(_("Image"), icon=":material/image:"):
        photo = choose_photo(dataset)
    if photo is None:
        st.info(
            _("Choose an image above to see what this layer makes of it."), icon=":material/image:"
        )
    return photo


def show_maps(chosen: Chosen, selection: Selection) -> None:
    """Draws the part; runs its task."""
    if not weights_ready(selection, slot="panel"):
        return
    photo = panel_photo(selection)
    if photo is None:
        return
    orders = {"mean": _("mean activation"), "max": _("largest activation")}
    order = choice("order", _("Channels sorted by"), orders, kind="segmented")
    task = Task(selection.ref, photo.data, chosen.layer, cast(Order, order))
    found: FeatureMaps | None = run_task(task, _("Running the network"))
    if found is None:
        return
    sizes = "×".join(map(str, found.shape))
    if found.layout != "grid":
        title = _("Value") if found.layout == "vector" else _("L2 norm of the token")
        st.caption(
            _("The output ({shape}) is no map of the image; its values are shown.").format(
                shape=sizes
            )
            if found.layout == "vector"
            else _("The output ({shape}) is no map of the image; norms are shown.").format(
                shape=sizes
            )
        )
        show_figure(profile(found.profile, title), "layer-profile")
        return
    _grid(found, sizes)
    _one_channel(found)
    _download(found)


def _grid(found: FeatureMaps, sizes: str) -> None:
    total = 0 if found.stats is None else len(found.stats.mean)
    caption = _(
        "{shown} of {total} channels of the output ({shape}), strongest first; dark is each "
        "channel's smallest value, pale its largest."
    ).format(shown=len(found.channels), total=total, shape=sizes)
    if found.prefix:
        caption += " " + ngettext(
            "One token in front of the grid is left out.",
            "{count} tokens in front of the grid are left out.",
            found.prefix,
        ).format(count=found.prefix)
    columns = min(COLUMNS, len(found.channels))
    sheet = mosaic(activations(found.maps), columns, SIDE)
    st.image(in_page(sheet), caption=caption, width="stretch")


def _one_channel(found: FeatureMaps) -> None:
    """One channel over the image, with its numbers."""
    stats = found.stats
    if stats is None:
        return
    labels = {
        str(channel): _("channel {number} · mean {mean:.3g} · largest {high:.3g}").format(
            number=channel, mean=stats.mean[channel], high=stats.high[channel]
        )
        for channel in found.channels
    }
    channel = int(choice("channel", _("Channel to enlarge"), labels))
    place = int((found.channels == channel).argmax())
    plane = enlarge(found.maps[place], (found.crop.shape[0], found.crop.shape[1]))
    signed = float(plane.min()) < 0
    picture = to_png(
        overlay(found.crop, plane, percentile=100, mode="signed" if signed else "positive")
    )
    caption = _(
        "Channel {number}: mean {mean:.4g}, standard deviation {std:.4g}, {low:.4g} to {high:.4g}, "
        "above zero at {active:.0%} of the positions."
    ).format(
        number=channel, mean=stats.mean[channel], std=stats.std[channel], low=stats.low[channel],
        high=stats.high[channel], active=stats.active[channel],
    )  # fmt: skip
    st.image(in_page(picture), caption=caption, width="stretch")


def _download(found: FeatureMaps) -> None:
    stats = found.stats
    if stats is None:
        return
    rows = [
        {
            "channel": number,
            "mean": float(stats.mean[number]),
            "std": float(stats.std[number]),
            "min": float(stats.low[number]),
            "max": float(stats.high[number]),
            "active": float(stats.active[number]),
        }
        for number in range(len(stats.mean))
    ]
    about = {
        "model": found.model, "weights": found.weights, "layer": found.layer,
        "shape": list(found.shape),
    }  # fmt: skip
    panel_downloads(f"{found.model.replace('/', '-')}-channels", rows, about)
