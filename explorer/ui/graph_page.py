"""The layer graph on its page: what is open, selected and coloured lives in the URL."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from explorer.cost_tasks import MeasureRoofline
from explorer.costs import arithmetic_intensity, receptive_fields
from explorer.graph import LayerGraph
from explorer.i18n import _
from explorer.layout import Arrangement, Expanded, arrange
from explorer.ui.graph_view import (
    GraphOptions,
    GraphViewState,
    Metric,
    box_values,
    graph_state,
    graph_view,
    set_graph_state,
)
from explorer.ui.jobs import run_task
from explorer.ui.params import incoming, outgoing
from explorer.ui.text import plain

# A first view with more boxes than this cannot be read on a laptop.
FIRST_BOXES = 60
ARRANGEMENTS_KEPT = 4


def layer_seconds(model_id: str) -> Mapping[str, float]:
    """Measured seconds by module call at the network's own input size; empty until they are there.

    Args:
        model_id: Catalog id.
    """
    result = run_task(MeasureRoofline(model_id), _("Timing the layers"))
    return {} if result is None else result.by_layer


def show_graph(
    graph: LayerGraph, seconds: Mapping[str, float] | None = None, *, height: int = 720
) -> str:
    """Draws the graph with its state; gives the id of what is selected, "" for nothing.

    Args:
        graph: The network as it runs.
        seconds: Measured time by module call, for colouring.
        height: Pixels of the component.
    """
    key = f"graph-{graph.model}-{'x'.join(str(size) for size in graph.input_shape)}"
    state = graph_state(key, GraphViewState(expanded=_first_view(graph)))
    state = _from_url(graph, state)
    set_graph_state(key, state)
    arrangement = _arranged(graph, state.expanded)
    options = GraphOptions(_metrics(graph, arrangement, seconds or {}), height=height)
    state = graph_view(arrangement, key=key, options=options)
    outgoing("select", state.selected or "")
    outgoing("open", _opened(state.expanded, graph))
    outgoing("colour", "" if state.colour == "kind" else state.colour)
    return _layer(graph, arrangement, state.selected)


def _layer(graph: LayerGraph, arrangement: Arrangement, selected: str | None) -> str:
    """The layer that is selected; the first of a folded run ("layer3.1..layer3.35").

    Empty for nothing, and for what is no layer: the input, the output.
    """
    if selected is None or selected in graph.op_by_id or selected in graph.module_by_id:
        return selected or ""
    first = selected.partition("..")[0]
    return first if arrangement.find(selected) and first in graph.module_by_id else ""


def _from_url(graph: LayerGraph, state: GraphViewState) -> GraphViewState:
    """The state with what a deep link or a step back asks for; unknown layers are said."""
    opened, selected, colour = incoming("open"), incoming("select"), incoming("colour")
    if opened is not None:
        state = GraphViewState(state.selected, _expanded(opened, graph), state.colour)
    if colour is not None:
        state = GraphViewState(state.selected, state.expanded, colour or "kind")
    if selected == "":
        return GraphViewState(None, state.expanded, state.colour)
    if selected is None:
        return state
    arrangement = _arranged(graph, "all")
    known = selected in graph.op_by_id or selected in graph.module_by_id
    if not known and arrangement.find(selected) is None:
        st.warning(
            _("{model} has no layer “{layer}”; select one in the graph.").format(
                model=graph.model, layer=plain(selected)
            ),
            icon=":material/link_off:",
        )
        return state
    revealed = _arranged(graph, state.expanded).revealing(selected)
    return GraphViewState(selected, revealed, state.colour)


def _first_view(graph: LayerGraph) -> Expanded:
    """As deep as stays readable."""
    expanded: Expanded = frozenset()
    closed = _arranged(graph, expanded)
    for depth in range(1, closed.levels + 1):
        deeper = closed.to_depth(depth)
        if len(_arranged(graph, deeper).boxes) > FIRST_BOXES:
            break
        expanded = deeper
    return expanded


def _expanded(text: str, graph: LayerGraph) -> Expanded:
    if text == "all":
        return "all"
    return frozenset(text.split(",")) if text else _first_view(graph)


def _opened(expanded: Expanded, graph: LayerGraph) -> str:
    if expanded == "all":
        return "all"
    return "" if expanded == _first_view(graph) else ",".join(sorted(expanded))


def _arranged(graph: LayerGraph, expanded: Expanded) -> Arrangement:
    """The arrangement, kept for the reruns that change nothing of it."""
    kept: dict[tuple[str, tuple[int, ...], Expanded], Arrangement]
    kept = st.session_state.setdefault("_arrangements", {})
    name = (graph.model, graph.input_shape, expanded)
    if name not in kept:
        kept[name] = arrange(graph, expanded)
        while len(kept) > ARRANGEMENTS_KEPT:
            kept.pop(next(iter(kept)))
    else:
        kept[name] = kept.pop(name)
    return kept[name]


def _metrics(
    graph: LayerGraph, arrangement: Arrangement, seconds: Mapping[str, float]
) -> tuple[Metric, ...]:
    """Ways of colouring that the costs and the clock give."""
    intensity = box_values(arrangement, arithmetic_intensity(graph), max)
    sides = {op: float(max(field.size)) for op, field in receptive_fields(graph).items()}
    metrics = (
        Metric("intensity", _("Arithmetic intensity"), "FLOP/B", intensity),
        Metric("field", _("Receptive field"), "px", box_values(arrangement, sides, max)),
    )
    if not seconds:
        return metrics
    first_ops: dict[str, str] = {}
    for op in graph.ops:
        first_ops.setdefault(op.module, op.id)
    timed = {op: seconds[module] for module, op in first_ops.items() if module in seconds}
    clock = Metric("time", _("Measured time"), "s", box_values(arrangement, timed), si="s")
    return (*metrics, clock)
