"""What the models say of one image, why, and whether they agree over all samples."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.attribution import METHODS, Attribution, Prediction, to_png
from explorer.attribution.outcomes import outcome
from explorer.attribution.overlay import blend, colours, scale_of
from explorer.attribution.quality_ranks import spearman
from explorer.catalog import class_labels
from explorer.charts.compare import compare_predictions
from explorer.i18n import _
from explorer.images import SAMPLES, sample_bytes
from explorer.requests import ExplainRequest
from explorer.results import FloatArray
from explorer.tasks import Explain, Predict
from explorer.ui.charts import show_figure
from explorer.ui.compare.grid import Cell, compute_cells
from explorer.ui.compare.lineup import Entry
from explorer.ui.jobs import run_task
from explorer.ui.params import flag, several
from explorer.ui.photo import Photo, choose_photo
from explorer.ui.pictures import in_page
from explorer.ui.weights_view import weights_ready

MOST_METHODS = 3
#: Methods cheap enough for a grid.
OFFERED = ("grad_cam", "saliency", "input_x_gradient", "layer_activation", "guided_backprop")
Said = list[tuple[Entry, Prediction]]


def show_same_image(entries: Sequence[Entry]) -> None:
    """Predictions, maps and agreement of the models of one data set."""
    shown = _of_one_dataset(entries)
    ready = [entry for entry in shown if weights_ready(entry.selection, f"w{entry.member.slot}")]
    dataset = shown[0].selection.spec.dataset
    controls, view = st.columns([1, 2.6], gap="medium")
    with controls:
        photo = choose_photo(dataset)
        methods = several(
            "methods", _("Explain by"), {id: _(METHODS[id].name) for id in OFFERED},
            default=(), most=MOST_METHODS,
        )  # fmt: skip
        difference = bool(methods) and flag("difference", _("Differences of the maps"))
        gallery = flag("gallery", _("Over all samples"))
    if photo is None:
        return
    with view:
        # All classes: each model has a bar where another one's first classes stand.
        said = _predictions(ready, photo.data, top_k=len(class_labels(dataset)))
        st.session_state["_compare_said"] = [(entry.name, said_) for entry, said_ in said]
        if said:
            _show_predictions(said)
            _show_maps(said, photo, methods, difference)
        if gallery:
            _show_gallery(ready)


def _of_one_dataset(entries: Sequence[Entry]) -> list[Entry]:
    """Those that classify what the first one does; the others are said."""
    first = entries[0].selection.spec
    shown = [entry for entry in entries if entry.selection.spec.dataset == first.dataset]
    for entry in entries:
        spec = entry.selection.spec
        if entry not in shown:
            st.info(
                _(
                    "{a} classifies {a_data}, {b} classifies {b_data}: their predictions cannot be "
                    "compared."
                ).format(a=first.name, a_data=first.dataset, b=spec.name, b_data=spec.dataset),
                icon=":material/compare_arrows:",
            )
    return shown


def _predictions(entries: Sequence[Entry], data: bytes, top_k: int = 5) -> Said:
    said: Said = []
    for entry in entries:
        label = _("Classifying with {model}").format(model=entry.selection.spec.name)
        found = run_task(Predict(entry.selection.ref, data, top_k), label)
        if found is not None:
            said.append((entry, found))
    return said


def _show_predictions(said: Said) -> None:
    crop, bars = st.columns([1, 2])
    with crop:
        caption = _("The image as {model} sees it").format(model=said[0][0].name)
        st.image(in_page(to_png(said[0][1].crop)), width="stretch", caption=caption, alt=caption)
        first = {prediction.top[0].index for _entry, prediction in said}
        if len(said) > 1:
            st.markdown(
                _("They agree on the first class.") if len(first) == 1
                else _("They disagree on the first class.")
            )  # fmt: skip
    with bars:
        show_figure(
            compare_predictions(
                [(entry.name, prediction) for entry, prediction in said],
                colours=[entry.member.colour for entry, _prediction in said],
            ),
            "compare-predictions",
        )


def _show_maps(said: Said, photo: Photo, methods: Sequence[str], difference: bool) -> None:
    """A row for each method, a column for each model, one scale a row."""
    head = st.container()
    rows = []
    cells: list[Cell] = []
    owners: list[tuple[str, Entry]] = []
    for method in methods:
        st.markdown(f"**{_(METHODS[method].name)}**")
        rows.append((st.columns(len(said)), st.container()))
        for place, (entry, _prediction) in zip(rows[-1][0], said, strict=True):
            known = outcome(method, entry.selection.spec.id)
            if known is not None and known.status == "refused":
                why = " ".join(_(one).format(**known.values) for one in known.reasons)
                place.caption(f"{entry.name}: {why}")
                continue
            task = Explain(entry.selection.ref, photo.data, ExplainRequest(method))
            owners.append((method, entry))
            cells.append((place, task, f"{entry.name}: {_(METHODS[method].name)}"))
    results = compute_cells(head, cells)
    for method, (places, below) in zip(methods, rows, strict=True):
        maps: list[tuple[Entry, Attribution]] = [
            (entry, found)
            for (row, entry), found in zip(owners, results, strict=True)
            if row == method and found is not None
        ]
        # One scale: each map is divided by its own total, so that shares of it are compared.
        shares = [(e, m, m.map / (float(abs(m.map).sum()) or 1.0) * m.map.size) for e, m in maps]
        scale = max((scale_of(values, 99.0) for _e, _m, values in shares), default=0.0)
        for entry, found, values in shares:
            place = places[[one.name for one, _p in said].index(entry.name)]
            colour = colours(values, percentile=99.0, mode="positive", scale=scale or None)
            picture = to_png(blend(found.crop, colour, 0.6))
            top = next((p for e, p in said if e.name == entry.name))
            caption = f"{entry.name}: {top.top[0].label}"
            place.image(in_page(picture), caption=caption, width="stretch", alt=caption)
        with below:
            _say_correlation([(entry, found) for entry, found, _values in shares])
            if difference:
                _show_differences(shares)


def _show_differences(shares: Sequence[tuple[Entry, Attribution, FloatArray]]) -> None:
    """Each pair of maps, one minus the other as shares of their totals, on one scale."""
    pairs = [
        (one, other, found.crop, values - others)
        for number, (one, found, values) in enumerate(shares)
        for other, _found, others in shares[number + 1 :]
        if values.shape == others.shape
    ]
    scale = max((scale_of(values, 99.0) for *_names, values in pairs), default=0.0)
    places = [place for _row in range(0, len(pairs), 3) for place in st.columns(3)]
    for place, (one, other, crop, values) in zip(places, pairs, strict=False):
        colour = colours(values, percentile=99.0, mode="signed", scale=scale or None)
        caption = _("{a} minus {b}").format(a=one.name, b=other.name)
        picture = in_page(to_png(blend(crop, colour, 0.7)))
        place.image(picture, caption=caption, width="stretch", alt=caption)
    if pairs:
        st.caption(_("Orange: the first one's share is larger; blue: the second one's."))


def _say_correlation(maps: Sequence[tuple[Entry, Attribution]]) -> None:
    parts = []
    for number, (entry, one) in enumerate(maps):
        for other_entry, other in maps[number + 1 :]:
            if one.map.shape == other.map.shape:
                value = spearman(one.map.ravel(), other.map.ravel())
                parts.append(f"{entry.name} ~ {other_entry.name}: {value:.2f}")
    if parts:
        said = _("Rank correlation of the maps: {list}").format(list="; ".join(parts))
        st.caption(_("One scale: each map is drawn as shares of its own total.") + " " + said)


def _show_gallery(entries: Sequence[Entry]) -> None:
    """The first class of each model on every sample, and how often they agree."""
    dataset = entries[0].selection.spec.dataset if entries else "imagenet"
    rows: list[dict[str, str]] = []
    agreed = complete = 0
    for sample in SAMPLES.values():
        if sample.dataset != dataset:
            continue
        said = _predictions(entries, sample_bytes(sample.id))
        if len(said) < len(entries):
            break  # one job at a time is shown; the next run goes on here
        firsts = [prediction.top[0] for _entry, prediction in said]
        complete += 1
        agreed += len({score.index for score in firsts}) == 1
        rows.append(
            {_("Image"): _(sample.title)}
            | {
                e.name: f"{s.label} ({s.probability:.0%})"
                for (e, _p), s in zip(said, firsts, strict=True)
            }
        )
    st.markdown(
        _("On {agreed} of {complete} samples they agree on the first class.").format(
            agreed=agreed, complete=complete
        )
    )
    st.dataframe(rows, hide_index=True)
