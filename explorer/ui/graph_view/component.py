"""Mounts the layer-graph component."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import streamlit as st

from explorer.i18n import language
from explorer.layout import Arrangement
from explorer.ui.graph_view import bundle
from explorer.ui.graph_view.metrics import Metric, own_metrics
from explorer.ui.graph_view.state import GraphViewState, graph_state, receive, remember
from explorer.ui.graph_view.words import kind_names, labels

_mount = st.components.v2.component("layer_graph", js=bundle.script(), css=bundle.style())


@dataclass(frozen=True, slots=True)
class GraphOptions:
    """How a graph is shown.

    Attributes:
        metrics: Ways of colouring besides kind, parameters, MACs and activation bytes.
        height: px of the whole component.
        labels: Replaces some of the words of the component; already translated.
    """

    metrics: tuple[Metric, ...] = ()
    height: int = 720
    labels: Mapping[str, str] = field(default_factory=dict)


def graph_view(
    arrangement: Arrangement,
    *,
    key: str,
    options: GraphOptions | None = None,
    on_change: Callable[[GraphViewState], None] | None = None,
) -> GraphViewState:
    """Shows an arrangement; returns the state that it shows.

    Use it as ``state = graph_state(key)``, ``arrange(graph, state.expanded)``, ``graph_view(…)``:
    what the visitor does changes the state before the script runs again.

    Args:
        arrangement: Laid out with the state's ``expanded``.
        key: The same as for ``graph_state``.
        options: How it is shown.
        on_change: Called with the new state before the script runs again, for instance to put it
            into the URL.
    """
    options = options or GraphOptions()
    seen = remember(key, arrangement)
    state = graph_state(key)
    _mount(
        key=key,
        data={
            "view": arrangement.payload,
            # The words inside the drawing are the network's own; a new language redraws the frame.
            "digest": arrangement.digest,
            "depth": arrangement.depth,
            "levels": arrangement.levels,
            "selected": state.selected,
            "colour": state.colour,
            "seen": seen,
            "metrics": [*own_metrics(), *(metric.to_dict() for metric in options.metrics)],
            "kinds": kind_names(),
            "text": {**labels(), **options.labels},
            "language": language(),
            "height": options.height,
        },
        height=options.height,
        on_event_change=partial(receive, key, on_change),
    )
    return state
