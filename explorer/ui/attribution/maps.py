"""Maps on the attribution page: price, computation, picture, several side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.attribution import METHODS, Attribution, Prediction, to_png
from explorer.attribution.overlay import blend, colours, scale_of, smooth, with_box
from explorer.attribution.quality_plan import map_passes
from explorer.catalog import class_labels, find
from explorer.charts.attribution import (
    MapOptions,
    attribution_map,
    difference_map,
    probability_bars,
)
from explorer.engine import get_engine
from explorer.i18n import _
from explorer.results import FloatArray
from explorer.tasks import Explain
from explorer.ui.attribution.controls import Look, pass_seconds, refusal, take_bar
from explorer.ui.attribution.downloads import downloads
from explorer.ui.attribution.price import in_words, say_too_dear
from explorer.ui.attribution.region import Box, take_box
from explorer.ui.attribution.trust import trust
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.kept import kept_figure
from explorer.ui.params import choice
from explorer.ui.pictures import in_page
from explorer.ui.public import too_dear
from explorer.ui.viewport import viewport_width

#: Maps that are dearer than this, estimated, wait for a click.
AUTO_SECONDS = 20.0
#: Pixels of the page under which controls go below the maps.
NARROW = 600
#: Height of a map whose values can be read, in pixels.
VALUES_HEIGHT = 440
#: Of the image beside its map.
CROP_WIDTH = 224


@dataclass(frozen=True, slots=True)
class Scene:
    """What all maps of the page share.

    Attributes:
        prediction: What the network says of the image.
        data: The image's bytes.
        look: How maps are drawn.
        box: The region that is looked at; None for none.
    """

    prediction: Prediction
    data: bytes
    look: Look
    box: Box | None = None


def view_and_controls() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Where maps and controls stand: side by side, on a phone the maps first."""
    if viewport_width() < NARROW:
        return st.container(), st.container()
    controls, view = st.columns([1, 2.6], gap="medium")
    return view, controls


def map_places(count: int) -> list[DeltaGenerator]:
    """A place for each map; of a single one, a second place beside it.

    Two maps or four stand in rows of two, others in rows of three.
    """
    if count == 1:
        return list(st.columns([1.6, 1], gap="medium"))
    across = 2 if count in (2, 4) else 3
    rows = range(0, count, across)
    return [place for _row in rows for place in st.columns(across, gap="small")]


def show_crop(prediction: Prediction) -> None:
    """The image as the network sees it, for the eye to go back and forth."""
    height, width = prediction.crop.shape[:2]
    caption = _("What the network sees: {width} × {height} pixels").format(
        width=width, height=height
    )
    st.image(in_page(to_png(prediction.crop)), width=CROP_WIDTH, alt=caption)
    st.caption(caption)


def show_bars(prediction: Prediction, *, own: bool) -> None:
    """The most probable classes; a click on one explains it.

    Args:
        prediction: What the network says.
        own: Whether image or weights are the visitor's own: nothing made of them is kept.
    """
    figure = (
        probability_bars(prediction.top) if own else kept_figure(probability_bars, prediction.top)
    )
    show_figure(figure, "top5", on_click=take_bar)
    st.caption(_("A click on a bar explains that class."))


def compute(task: Explain, prediction: Prediction) -> Attribution | None:
    """The map; its price first, and a button where that is high; then its progress.

    Args:
        task: What to compute.
        prediction: Tells how long a pass takes here.
    """
    method = METHODS[task.request.method]
    reason = refusal(method.id, task.ref.model)
    if reason is not None:
        st.info(f"**{_(method.name)}.** {reason}", icon=":material/block:")
        return None
    known: dict[str, tuple[float, int]] = st.session_state.setdefault(f"_paid_{task.ref}", {})
    if get_engine().find(task.key()) is None:
        price = map_passes(method.id, task.request.options) * pass_seconds(prediction, known)
        wanted: set[str] = st.session_state.setdefault("_dear_maps", set())
        st.caption(
            _("{method}: about {seconds} s on this machine").format(
                method=_(method.name), seconds=in_words(price)
            )
        )
        if too_dear(price):
            say_too_dear(_(method.name), price)
            return None
        label = _("Compute {method}").format(method=_(method.name))
        started = task.key() in wanted or task.key() in st.session_state.get("_jobs", {})
        if price > AUTO_SECONDS and not started:
            st.caption(_(method.answer))
            if not st.button(label, key=f"compute-{method.id}", icon=":material/play_arrow:"):
                return None
            wanted.add(task.key())  # also after a cancel: trying again asks no second time
    label = _("Computing {method}").format(method=_(method.name))
    found: Attribution | None = run_task(task, label)
    if found is not None:
        known[method.id] = found.seconds, map_passes(method.id, task.request.options)
    return found


def scale_for(maps: list[Attribution], look: Look) -> float | None:
    """|value| at full strength for all maps; None where each has its own scale."""
    if not look.shared:
        return None
    return max(scale_of(_smoothed(found, look), look.percentile) for found in maps)


def _smoothed(found: Attribution, look: Look) -> FloatArray:
    return smooth(found.map, look.smoothing * min(found.map.shape))


def label_of(found: Attribution) -> str:
    """Name of the class that a map explains."""
    labels = class_labels(find(found.model).dataset)
    return labels[found.target] if found.target < len(labels) else str(found.target)


def question_of(found: Attribution) -> str:
    """The class that a map explains, the classes added to it, and the one it is held against."""
    labels = class_labels(find(found.model).dataset)
    title = " + ".join([label_of(found), *(labels[number] for number in found.also)])
    if found.against is not None:
        title = _("{label}” rather than “{other}").format(label=title, other=labels[found.against])
    return title


def show_map(found: Attribution, scene: Scene, task: Explain, scale: float | None) -> None:
    """One map over the crop, what it answers, how well it is founded, and its downloads.

    Args:
        found: The map.
        scene: Image and look.
        task: What computed it.
        scale: |value| at full strength; None for the map's own percentile.
    """
    method, look = METHODS[found.method], scene.look
    label = label_of(found)
    title = question_of(found)
    values = _smoothed(found, look)
    shown = colours(values, percentile=look.percentile, mode=look.mode, scale=scale)
    pixels = blend(found.crop, shown, look.opacity)
    if scene.box is not None:
        pixels = with_box(pixels, scene.box.pixels(found.map.shape))
    caption = _("{method} for “{label}” ({probability:.1%})").format(
        method=_(method.name), label=title, probability=float(found.probabilities[found.target])
    )
    picture = to_png(pixels)
    if look.values:
        full = scale_of(values, look.percentile) if scale is None else scale
        options = MapOptions(look.opacity, look.mode, full or None, VALUES_HEIGHT)
        figure = attribution_map(_with_map(found, values), options)
        if scene.box is not None:
            left, top, right, bottom = scene.box.pixels(found.map.shape)
            figure.add_shape(
                type="rect", x0=left, x1=right, y0=top, y1=bottom, line={"color": "#ffffff"}
            )
        figure.update_layout(dragmode="select")
        # A box needs something to select: without a scatter trace plotly.js reports none.
        figure.add_scatter(
            x=[0], y=[0], mode="markers", opacity=0, hoverinfo="skip", showlegend=False
        )
        show_figure(
            figure, f"map-{found.method}", on_box=lambda drawn: take_box(drawn, found.map.shape)
        )
        st.caption(caption)
    else:
        st.image(in_page(picture), caption=caption, width="stretch", alt=caption)
    if found.channels is not None:
        show_channels(found, look)
    st.caption(_facts(found) + "  \n" + _(method.answer))
    if found.repaired:
        repaired = " ".join(_(sentence) for sentence in found.repaired)
        st.caption(":material/build: " + _("repaired: {what}").format(what=repaired))
    for warning in found.warnings:
        st.warning(_(warning), icon=":material/info:")
    if scene.box is not None:
        scene.box.show(found)
    downloads(found, label, picture, task)
    trust(found, task, scene.prediction)


def show_channels(found: Attribution, look: Look) -> None:
    """What each colour of the image says, beside each other and on one scale."""
    assert found.channels is not None
    sigma = look.smoothing * min(found.map.shape)
    values = [smooth(channel, sigma) for channel in found.channels]
    scale = max(scale_of(channel, look.percentile) for channel in values)
    names = (_("red"), _("green"), _("blue"))
    for place, channel, name in zip(st.columns(3, gap="small"), values, names, strict=True):
        shown = colours(channel, percentile=look.percentile, mode=look.mode, scale=scale)
        caption = _("{colour}: {share:.0%}").format(
            colour=name, share=_strength(channel) / max(sum(map(_strength, values)), 1e-30)
        )
        place.image(in_page(to_png(shown)), caption=caption, width="stretch", alt=caption)
    st.caption(_("Colours apart, on one scale; the percentage is each one's share of |values|."))


def _strength(channel: FloatArray) -> float:
    return float(abs(channel).sum(dtype=float))


def _with_map(found: Attribution, values: FloatArray) -> Attribution:
    return replace(found, map=values)


def _facts(found: Attribution) -> str:
    facts = [_("{seconds:.2f} s").format(seconds=found.seconds)]
    if found.layer:
        facts.append(_("layer `{layer}`").format(layer=found.layer))
    if found.delta is not None:
        facts.append(_("completeness delta {delta:.1%}").format(delta=found.delta))
    return " · ".join(facts)


def show_difference(maps: list[Attribution], look: Look) -> None:
    """One map minus another, each divided by its own full strength, where two are chosen."""
    names = {found.method: _(METHODS[found.method].name) for found in maps}
    with st.expander(_("Difference of two maps"), icon=":material/difference:", expanded=False):
        left, right = st.columns(2)
        with left:
            first = choice("minuend", _("This map"), names)
        with right:
            others = {name: label for name, label in names.items() if name != first}
            second = choice("subtrahend", _("minus this one"), others)
        by_method = {found.method: found for found in maps}
        one, other = by_method[first], by_method[second]
        show_figure(
            difference_map(
                _with_map(one, _smoothed(one, look)), _with_map(other, _smoothed(other, look)),
                MapOptions(look.opacity, "signed", height=VALUES_HEIGHT),
            ),
            "difference",
        )  # fmt: skip
        st.caption(
            _(
                "Orange: {first} is stronger; blue: {second} is. Each map is divided by its own "
                "99th percentile first, because the units of methods differ."
            ).format(first=names[first], second=names[second])
        )
