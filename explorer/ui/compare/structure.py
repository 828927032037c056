"""Two layer graphs side by side: what is the same, what changed, moved in step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from explorer.graph import LayerGraph
from explorer.i18n import _, ngettext
from explorer.layout import Arrangement, arrange
from explorer.structural_diff import (
    Difference,
    Status,
    Step,
    StructuralDiff,
    differences,
    structural_diff,
)
from explorer.ui.compare.lineup import Entry
from explorer.ui.compare_set import read
from explorer.ui.graph_view import (
    GraphOptions,
    GraphViewState,
    Metric,
    box_values,
    graph_state,
    graph_view,
    set_graph_state,
)
from explorer.ui.params import choice, flag
from explorer.ui.viewport import viewport_width

#: Pairs whose difference is a lesson of its own.
EXAMPLES = (
    ("vgg16", "vgg16_bn"),
    ("resnet50", "resnext50_32x4d"),
    ("googlenet_2014", "googlenet"),
    ("alexnet_2012", "alexnet"),
)
KEPT = 4
_in_step = None


def show_structure(entries: Sequence[Entry], graphs: Mapping[str, LayerGraph]) -> None:
    """What differs between two of the models, as a list and in their graphs."""
    known = [entry for entry in entries if entry.name in graphs]
    _examples()
    first, second = _pair(known)
    a, b = graphs[first.name], graphs[second.name]
    diff = _diff(a, b)
    found = differences(diff, a, b)
    _say(diff, first, second)
    step = _choose_step(found, first, second) if found else None
    keys = (f"compare-a-{a.model}", f"compare-b-{b.model}")
    _reveal(step, (a, b), keys)
    together = flag("step", _("Move the two graphs together"), default=True)
    places = st.columns(2) if viewport_width() >= 820 else [st.container(), st.container()]
    for place, entry, graph, key, second_side in zip(
        places, (first, second), (a, b), keys, (False, True), strict=True
    ):
        with place:
            st.markdown(f"**{entry.name}**")
            _draw(graph, key, diff.of(second_side))
    if together and len(places) == 2:
        _move_in_step()


def _examples() -> None:
    with st.expander(_("Pairs worth a look"), icon=":material/school:"):
        for pair in EXAMPLES:
            found, _problems = read(",".join(pair))
            if len(found) == 2:
                names = " ↔ ".join(member.selection.spec.name for member in found)
                st.button(
                    names, key=f"example-{'-'.join(pair)}", type="tertiary",
                    on_click=st.session_state.update, args=({"_compare": found},),
                )  # fmt: skip


def _pair(entries: Sequence[Entry]) -> tuple[Entry, Entry]:
    """The two that are drawn; of more than two, the visitor chooses."""
    if len(entries) == 2:
        return entries[0], entries[1]
    names = {entry.member.text: entry.name for entry in entries}
    left, right = st.columns(2)
    with left:
        one = choice("first", _("This network"), names)
    with right:
        others = {text: name for text, name in names.items() if text != one}
        two = choice("second", _("beside this one"), others)
    by_text = {entry.member.text: entry for entry in entries}
    return by_text[one], by_text[two]


def _diff(first: LayerGraph, second: LayerGraph) -> StructuralDiff:
    """The alignment, kept for the reruns that change nothing of it."""
    kept: dict[tuple[object, ...], StructuralDiff] = st.session_state.setdefault("_diffs", {})
    key = (first.model, first.input_shape, second.model, second.input_shape)
    if key not in kept:
        kept[key] = structural_diff(first, second)
        while len(kept) > KEPT:
            kept.pop(next(iter(kept)))
    return kept[key]


def _say(diff: StructuralDiff, first: Entry, second: Entry) -> None:
    if diff.empty:
        st.success(
            _("{a} and {b} run the same operations on the same shapes.").format(
                a=first.name, b=second.name
            ),
            icon=":material/equal:",
        )
        return
    counts = diff.counts()
    st.markdown(
        _(
            "From **{a}** to **{b}**: {same} operations are the same, {changed} are changed, "
            "{added} are added, {removed} are removed, {follows} only see another shape."
        ).format(
            a=first.name, b=second.name, same=counts[Status.SAME], changed=counts[Status.CHANGED],
            added=counts[Status.ADDED], removed=counts[Status.REMOVED],
            follows=counts[Status.FOLLOWS],
        )
    )  # fmt: skip
    if diff.same_skeleton:
        st.caption(_("Nothing is added or removed: the skeleton is the same."))


def in_words(difference: Difference) -> str:
    """A line of the list: "13 batch_norm added", "16 conv2d changed: groups"."""
    count = len(difference.steps)
    values = {"count": count, "operation": difference.target}
    if difference.status is Status.ADDED:
        text = ngettext("{count} {operation} added", "{count} {operation} added", count)
    elif difference.status is Status.REMOVED:
        text = ngettext("{count} {operation} removed", "{count} {operation} removed", count)
    else:
        text = ngettext("{count} {operation} changed", "{count} {operation} changed", count)
        return text.format(**values) + ": " + ", ".join(difference.attributes)
    return text.format(**values)


def _choose_step(found: Sequence[Difference], first: Entry, second: Entry) -> Step | None:
    """The list of differences; a chosen one is stepped through."""
    rows = [{_("Difference"): in_words(item), _("First of them"): _values(item)} for item in found]
    event = st.dataframe(
        rows, hide_index=True, on_select="rerun", selection_mode="single-row",
        key=f"diffs-{first.name}-{second.name}", height=min(300, 38 + 35 * len(rows)),
    )  # fmt: skip
    picked = event["selection"]["rows"]
    if not picked or picked[0] >= len(found):
        st.caption(_("Select a line to find it in both graphs."))
        return None
    item = found[picked[0]]
    key = f"_diff_at_{first.name}_{second.name}_{picked[0]}"
    at = int(st.session_state.setdefault(key, 0)) % len(item.steps)
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, by in (
            (_("Previous"), ":material/arrow_back:", -1), (_("Next"), ":material/arrow_forward:", 1)
        ):  # fmt: skip
            st.button(
                label, icon=icon, key=f"{key}_{by}", on_click=st.session_state.update,
                args=({key: at + by},), disabled=len(item.steps) < 2,
            )  # fmt: skip
        st.markdown(f"{at + 1} / {len(item.steps)} · {_values(item, at)}")
    step: Step = item.steps[at]
    return step


def _values(item: Difference, at: int = 0) -> str:
    return ", ".join(f"{name} {a} → {b}" for name, a, b in item.steps[at].differences) or "–"


def _reveal(step: Step | None, graphs: Sequence[LayerGraph], keys: Sequence[str]) -> None:
    """Opens and selects a step in both graphs, once for each time that it is chosen."""
    shown = (tuple(keys), step and step.first, step and step.second)
    if step is None or st.session_state.get("_diff_shown") == shown:
        return
    st.session_state["_diff_shown"] = shown
    for graph, key, op in zip(graphs, keys, (step.first, step.second), strict=True):
        state = graph_state(key, _start(graph))
        if op is None:
            set_graph_state(key, GraphViewState(None, state.expanded, state.colour))
        else:
            opened = _arranged(graph, state).revealing(op)
            set_graph_state(key, GraphViewState(op, opened, state.colour))


def _start(graph: LayerGraph) -> GraphViewState:
    return GraphViewState(None, arrange(graph, frozenset()).to_depth(1), "difference")


def _arranged(graph: LayerGraph, state: GraphViewState) -> Arrangement:
    kept: dict[object, Arrangement] = st.session_state.setdefault("_compare_arranged", {})
    name = (graph.model, graph.input_shape, state.expanded)
    if name not in kept:
        kept[name] = arrange(graph, state.expanded)
        while len(kept) > KEPT:
            kept.pop(next(iter(kept)))
    return kept[name]


def _draw(graph: LayerGraph, key: str, statuses: Mapping[str, Status]) -> None:
    state = graph_state(key, _start(graph))
    arrangement = _arranged(graph, state)
    different = {op: 1.0 for op, status in statuses.items() if status not in
                 (Status.SAME, Status.FOLLOWS)}  # fmt: skip
    label = _("Operations that differ")
    metric = Metric("difference", label, "", box_values(arrangement, different))
    graph_view(arrangement, key=key, options=GraphOptions((metric,), height=560))


def _move_in_step() -> None:
    """Links the cameras of the graphs on the page."""
    global _in_step  # noqa: PLW0603 - a component may be registered once per process only
    if _in_step is None:
        script = Path(__file__).with_name("in_step.js").read_text(encoding="utf-8")
        _in_step = st.components.v2.component("explorer_in_step", js=script)
    _in_step(key="_in_step", height=1)
