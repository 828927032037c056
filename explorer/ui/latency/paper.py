"""The paper, repeated: the axes of its figures and its four findings, for this machine."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from explorer.charts.paper_repeated import FIGURES, paper_figure
from explorer.engine.closed import sweeps_closed
from explorer.findings import Finding, Point, at_common_batch, findings, timm_findings
from explorer.i18n import N_, _, ngettext
from explorer.measurements import RowFilter
from explorer.measurements.sweeps import SweepStatus, SweepStore
from explorer.paper_points import Conditions, points_by_conditions
from explorer.requests import LatencyRequest, SweepRequest
from explorer.settings import get_settings
from explorer.tasks import RunSweep
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.latency.findings_text import CLAIMS, VERDICTS, statistic_text
from explorer.ui.latency.kept import ask, own_devices
from explorer.ui.latency.surveys import show_surveys
from explorer.ui.page import table_downloads
from explorer.ui.params import choice, rerun
from explorer.ui.text import plain, said

if TYPE_CHECKING:
    from explorer.measurements import MeasurementStore

SMALL = (
    "alexnet", "squeezenet1_1", "googlenet", "resnet18", "resnet34", "resnet50", "densenet121",
    "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x1_0", "efficientnet_b0", "regnet_x_400mf",
)  # fmt: skip
"""Twelve families' small networks, 0.06 to 4.1 GMACs, all with published accuracy."""
SWEEP = SweepRequest(SMALL, (1, 4, 16), base=LatencyRequest(min_seconds=1.0, min_runs=10))
COMMAND = "python -m explorer bench --models 'resnet*' --batch 1,8,32 --out resnets.csv"


def show_paper(width: int) -> None:
    """Sweep, figures, findings."""
    st.markdown(
        _(
            "Canziani, Paszke and Culurciello measured 14 networks on a Jetson TX1 in 2016 "
            "([arXiv:1605.07678](https://arxiv.org/abs/1605.07678)) and drew four conclusions. "
            "Here are their axes and their conclusions for what **this** machine measured."
        )
    )
    rows = ask(lambda store: store.rows(RowFilter(origin="measured", finished=True)), ())
    groups = points_by_conditions(rows)
    _sweep(empty=not groups)
    show_surveys()
    if not groups:
        _findings((), _("not measured yet"))
        return
    chosen, points = _choose(groups)
    networks = len({point.model for point in points})
    st.caption(_conditions(chosen, networks))
    name = choice("figure", _("Figure"), {id: _(one.title) for id, one in FIGURES.items()})
    figure = FIGURES[name]
    found = findings(points)
    curve = next(one.curve for one in found if one.id == "hyperbola")
    show_figure(
        paper_figure(
            figure, points if figure.lines else at_common_batch(points), curve=curve, width=width
        ),
        f"paper-{name}",
    )
    if not figure.lines and points:
        st.caption(_("At batch {batch}.").format(batch=at_common_batch(points)[0].batch_size))
    _findings(found, chosen.device)
    table_downloads(
        "paper-repeated", _records(points), {"conditions": _conditions(chosen, networks)}
    )


def _choose(
    groups: Mapping[Conditions, tuple[Point, ...]],
) -> tuple[Conditions, tuple[Point, ...]]:
    """The conditions with the most networks on this device; others can be chosen."""
    own = own_devices()
    ordered = sorted(groups, key=lambda one: bool(own) and one.device not in own)
    if len(ordered) == 1:
        return ordered[0], groups[ordered[0]]
    labels = {
        str(place): _conditions(one, len({point.model for point in groups[one]}))
        for place, one in enumerate(ordered)
    }
    place = int(choice("conditions", _("Conditions"), labels))
    return ordered[place], groups[ordered[place]]


def _conditions(one: Conditions, networks: int) -> str:
    return ngettext(
        "{count} network · {device} · {threads} threads · {mode} · {dtype} · {layout}",
        "{count} networks · {device} · {threads} threads · {mode} · {dtype} · {layout}",
        networks,
    ).format(
        count=networks, device=one.device, threads=one.threads, mode=one.mode, dtype=one.dtype,
        layout=one.memory_format,
    )  # fmt: skip


def _sweep(*, empty: bool) -> None:
    """An invitation, a sweep under way, or one to go on with."""
    if get_settings().public:
        st.info(plain(sweeps_closed().text(_)), icon=":material/lock:")
        return
    running = st.session_state.get("_sweep")
    if running is not None:
        status = run_task(RunSweep(running), _("Measuring the networks"), _draw_sweep)
        if status is None:
            return
        _draw_sweep(status)
        st.session_state.pop("_sweep")
        if empty:
            rerun()
        return
    unfinished = [one for one in ask(_all, ()) if not one.finished]
    if empty:
        st.info(
            _(
                "Nothing is measured here yet. Twelve small networks at three batch sizes take "
                "some minutes; what is measured stays, and an interrupted sweep goes on."
            ),
            icon=":material/experiment:",
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        for one in unfinished[:1]:
            label = _("Go on with the sweep: {open} of {count} are open").format(
                open=one.count("open"), count=len(one.points)
            )
            st.button(
                label, icon=":material/resume:", key="resume-sweep", on_click=_resume,
                args=(one.id,), type="primary",
            )  # fmt: skip
        st.button(
            _("Measure 12 small networks"), icon=":material/play_arrow:", key="start-sweep",
            on_click=_start, type="primary" if empty and not unfinished else "secondary",
        )  # fmt: skip
    with st.expander(_("From the command line"), icon=":material/terminal:"):
        st.code(COMMAND, language="bash", wrap_lines=True)


def _all(store: MeasurementStore) -> tuple[SweepStatus, ...]:
    return SweepStore(store).all(limit=5)


def _start() -> None:
    sweep = ask(lambda store: SweepStore(store).start(SWEEP), None)
    if sweep is not None:
        _resume(sweep)


def _resume(sweep: int) -> None:
    st.session_state["_sweep"] = sweep


def _draw_sweep(status: SweepStatus) -> None:
    """How far it is, and what was left out, with the reason."""
    text = _("{done} of {count} measured, {skipped} left out").format(
        done=status.count("done"), count=len(status.points), skipped=status.count("skipped")
    )
    if status.eta_seconds:
        text += " · " + _("about {seconds:,.0f} s left").format(seconds=status.eta_seconds)
    st.caption(text)
    for point in status.points:
        if point.reason is not None:
            where = f"{point.model}, {_('batch {batch}').format(batch=point.batch_size)}"
            st.caption(f"{plain(where)}: {said(point.reason)}")


def _findings(found: tuple[Finding, ...], here: str) -> None:
    """A card for each finding: the claim, and a verdict with its statistic for each source."""
    st.subheader(_("The four findings"), anchor=False)
    sources = [
        (here, {one.id: one for one in found}),
        (_("timm, Core i7-12700H, fp32, batch 1"), _by_id("cpu")),
        (_("timm, RTX 5090, mixed precision"), _by_id("gpu")),
    ]
    for number, (id, claim) in enumerate(CLAIMS.items(), 1):
        with st.container(border=True):
            st.markdown(f"**{number}. {_(claim)}**")
            for place, (name, results) in zip(st.columns(3), sources, strict=True):
                result = results.get(id) or Finding(
                    id, "untestable", 0, reason=N_("Nothing is measured yet.")
                )
                with place:
                    st.html(_verdict(name, result))
    st.caption(
        _(
            "Thresholds are set here, the paper names none: power varies by at most 10 % "
            "(coefficient of variation); the hyperbola explains at least half of the variance and "
            "beats a straight line (AICc); the third that needs the least energy misses at least "
            "one percentage point; Pearson's r of the logarithms is at least 0.9. At least eight "
            "networks. Of timm's weights, those trained on ImageNet-1k alone."
        )
    )


def _by_id(device: str) -> dict[str, Finding]:
    return {one.id: one for one in timm_findings("cpu" if device == "cpu" else "gpu")}


def _verdict(name: str, finding: Finding) -> str:
    mark, word, colour = VERDICTS[finding.verdict]
    return (
        f'<div style="font-size:0.85rem;opacity:0.8">{html.escape(name)}</div>'
        f'<div><span style="color:{colour};font-weight:600">{mark} {html.escape(_(word))}</span>'
        f"</div><div>{html.escape(statistic_text(finding))}</div>"
    )


def _records(points: tuple[Point, ...]) -> list[dict[str, object]]:
    return [
        {
            "model": point.model, "batch_size": point.batch_size,
            "image_seconds": point.image_seconds, "macs": point.macs, "params": point.params,
            "top1_pct": point.top1, "peak_bytes": point.peak_bytes, "watts": point.watts,
            "joules_per_image": point.joules,
        }
        for point in points
    ]  # fmt: skip
