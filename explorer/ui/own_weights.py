"""Weights of the visitor's own for a network of the catalog: uploaded, checked, of this session."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import streamlit as st

from explorer.catalog.spec import ModelSpec, WeightsSpec
from explorer.errors import ExplorerError, OwnWeightsError
from explorer.i18n import _
from explorer.own_tasks import CheckOwnWeights
from explorer.own_weights import CONVERT, FILE_TYPES, OwnWeights, PickleRefusedError, SessionFolder
from explorer.results import OwnWeightsReport
from explorer.settings import get_settings
from explorer.ui.jobs import run_task
from explorer.ui.params import rerun
from explorer.ui.public import when_opened
from explorer.ui.selection import choose_weights
from explorer.ui.text import plain
from explorer.weights import own_weights_spec

LISTED = 20
_log = logging.getLogger(__name__)


def draw_own_weights(spec: ModelSpec) -> None:
    """A popover below the list of weights: upload, what does not fit, what this session has."""
    state = st.session_state
    pending: OwnWeights | None = state.get(f"_own_pending_{spec.id}")
    popover = st.popover(
        _("Own weights"), icon=":material/upload_file:", width="stretch", key="own-weights",
        on_change=when_opened(),
    )  # fmt: skip
    if popover.open is False and pending is None:
        return
    with popover:
        # A new key drops the upload: its bytes must not stay in memory beside the file.
        key = f"_own_file_{state.get('_own_files', 0)}"
        st.file_uploader(
            _("A .safetensors file for {model}").format(model=plain(spec.name)), FILE_TYPES,
            key=key, on_change=_take, args=(key, spec.id),
            max_upload_size=get_settings().max_weights_mb,
            help=_(
                "Only this session can use it, and it is removed with the session. Names with "
                "“module.” or “model.” before them are mapped. Files that may hold a pickle "
                "(.pt, .pth, .bin) are not opened."
            ),
        )  # fmt: skip
        if pending is not None:
            _check(spec, pending)
        _say_problem(spec)
        for weights in list(_known().get(spec.id, ())):
            st.button(
                _("Remove {weights}").format(weights=weights.id), icon=":material/delete:",
                key=f"own-drop-{weights.id}", on_click=_drop, args=(spec.id, weights),
                type="tertiary",
            )  # fmt: skip


def _known() -> dict[str, list[WeightsSpec]]:
    found: dict[str, list[WeightsSpec]] = st.session_state.setdefault("_own_weights", {})
    return found


def _session_folder() -> SessionFolder:
    if "_own_folder" not in st.session_state:
        # The session's end takes this object with it, and the object its files.
        st.session_state["_own_folder"] = SessionFolder()
    found: SessionFolder = st.session_state["_own_folder"]
    return found


def _take(key: str, model: str) -> None:
    """The upload, checked as far as that goes without the network, and written away."""
    state = st.session_state
    upload = state[key]
    if upload is None:
        return
    for name in ("problem", "report"):
        state.pop(f"_own_{name}_{model}", None)
    try:
        state[f"_own_pending_{model}"] = _session_folder().keep(upload.name, upload.getbuffer())
    except OwnWeightsError as error:
        _log.info("own weights of %s were refused: %s", model, type(error).__name__)
        state[f"_own_problem_{model}"] = error
    state["_own_files"] = state.get("_own_files", 0) + 1


def _check(spec: ModelSpec, pending: OwnWeights) -> None:
    """Compares the file with the network in a worker; takes it where it fits."""
    task = CheckOwnWeights(spec.id, pending.path)
    report: OwnWeightsReport | None = run_task(task, _("Checking the weights"))
    if report is None:
        return
    st.session_state.pop(f"_own_pending_{spec.id}")
    if report.fits:
        known = _known().setdefault(spec.id, [])
        if all(weights.id != pending.id for weights in known):
            known.append(own_weights_spec(spec, pending.id, pending.path))
        choose_weights(pending.id)
        rerun()
    if not _used(pending.path):
        _session_folder().drop(pending)
    st.session_state[f"_own_report_{spec.id}"] = (pending.name, report)


def _used(path: str) -> bool:
    """Whether another network of this session runs with the same file."""
    return any(weights.file == path for listed in _known().values() for weights in listed)


def _drop(model: str, weights: WeightsSpec) -> None:
    known = _known()
    known[model] = [one for one in known.get(model, ()) if one.id != weights.id]
    if not _used(weights.file):
        _session_folder().drop(OwnWeights(weights.id, "", weights.file, 0))


def _say_problem(spec: ModelSpec) -> None:
    """What was wrong with the last file, until another one is chosen."""
    problem: ExplorerError | None = st.session_state.get(f"_own_problem_{spec.id}")
    if problem is not None:
        st.error(plain(problem.text(_)), icon=":material/block:")
        if isinstance(problem, PickleRefusedError):
            st.code(CONVERT, language="bash", wrap_lines=True)
    said: tuple[str, OwnWeightsReport] | None = st.session_state.get(f"_own_report_{spec.id}")
    if said is not None:
        name, report = said
        st.error(
            _("“{name}” does not fit {model}: {matched} tensors fit, the rest is listed.").format(
                name=plain(name[:60]), model=plain(spec.name), matched=report.matched
            ),
            icon=":material/block:",
        )
        for line in describe(report):
            st.text(line)


def describe(report: OwnWeightsReport) -> Iterable[str]:
    """What does not fit, by name and shape: the first twenty of each kind, and how many."""
    kinds: Sequence[tuple[str, Sequence[str]]] = (
        (_("Missing ({count}):"), [f"{n} {_shape(s)}" for n, s in report.missing]),
        (_("Not in the network ({count}):"), [f"{n} {_shape(s)}" for n, s in report.unexpected]),
        (
            _("Of another shape ({count}):"),
            [
                _("{name}: {found} in the file, {wanted} in the network").format(
                    name=n, found=_shape(found), wanted=_shape(wanted)
                )
                for n, found, wanted in report.mismatched
            ],
        ),
        (_("NaN or infinite values ({count}):"), list(report.nonfinite)),
    )
    for title, lines in kinds:
        if lines:
            more = [f"… +{len(lines) - LISTED}"] if len(lines) > LISTED else []
            yield "\n".join([title.format(count=len(lines)), *lines[:LISTED], *more])


def _shape(shape: tuple[int, ...]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
