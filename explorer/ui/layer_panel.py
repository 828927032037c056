"""The panel beside the layer graph: what is behind the box that is selected."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.catalog.blocks import find_block
from explorer.errors import ExplorerError
from explorer.graph import LayerGraph, Tensor
from explorer.i18n import _, language, ngettext
from explorer.inspection.choosing import Chosen, choose
from explorer.inspection.formulas import formula
from explorer.ui.banners import show_error
from explorer.ui.layer_code import show_code
from explorer.ui.layer_field import show_field
from explorer.ui.layer_maps import show_maps
from explorer.ui.layer_weights import show_weights
from explorer.ui.params import choice
from explorer.ui.selection import Selection

MOST_FORMULAS = 6


def show_layer_panel(graph: LayerGraph, selected: str, selection: Selection) -> None:
    """Draws the panel into the present container, about 380 to 460 pixels wide.

    What costs time runs only while its part is open (``?panel=``).

    Args:
        graph: The network as it runs.
        selected: Op id, module id, or "" for the whole network.
        selection: The model and its weights.
    """
    try:
        chosen = choose(graph, selected)
    except ExplorerError as error:
        show_error(error)
        return
    _head(chosen, graph)
    parts = {
        "numbers": _("Numbers"),
        "weights": _("Weights"),
        "maps": _("Maps"),
        "field": _("Field"),
        "code": _("Code"),
    }
    part = choice("panel", _("About this layer"), parts, kind="segmented")
    if part == "numbers":
        _numbers(chosen, graph)
    elif part == "weights":
        show_weights(chosen, selection)
    elif part == "maps":
        show_maps(chosen, selection)
    elif part == "field":
        show_field(chosen, graph, selection)
    else:
        show_code(chosen, selection)


def _head(chosen: Chosen, graph: LayerGraph) -> None:
    """Name, class, and one sentence on the block."""
    node = chosen.module
    name = chosen.id or graph.model
    kind = chosen.op.target if chosen.op is not None else node.class_name
    st.markdown(f"**`{name}`** · {kind}")
    block = None if chosen.op is not None else find_block(node.class_name, node.source)
    if block is not None:
        st.caption(block.sentences[language()])
    elif chosen.op is not None and node.id:
        st.caption(
            _("Operation of `{module}` ({kind}).").format(module=node.id, kind=node.class_name)
        )


def _numbers(chosen: Chosen, graph: LayerGraph) -> None:
    """The formula with its numbers, and the facts as a table."""
    _formulas(chosen)
    at_least = "" if all(op.counted for op in chosen.ops) else "≥ "
    macs = sum(op.macs for op in chosen.ops)
    params = _params(chosen, graph)
    written = sum(op.output_bytes for op in chosen.ops)
    rows: list[tuple[str, str]] = [
        (_("Shape in"), _shapes(chosen.inputs, graph.input_shape if chosen.id == "" else None)),
        (_("Shape out"), _shapes(chosen.outputs)),
        (_("Parameters"), f"{params:,}"),
        (_("… of the network"), _share(params, graph.total_params)),
        (_("MACs"), f"{at_least}{macs:,}"),
        (_("… of the network"), _share(macs, graph.total_macs)),
        (_("FLOPs = 2 × MACs"), f"{at_least}{2 * macs:,}"),
        (_("Writes (bytes)"), f"{written:,}"),
        (_("Parameters (bytes)"), f"{4 * params:,}"),
    ]
    op = chosen.only_op
    if op is not None:
        rows += [(f"`{name}`", f"`{_text(value)}`") for name, value in op.attributes.items()]
    else:
        rows.append((_("Operations inside"), f"{len(chosen.ops):,}"))
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    head = f"| {_('Quantity')} | {_('Batch 1, float32')} |"
    st.markdown(f"{head}\n|:--|:--|\n{table}")


def _formulas(chosen: Chosen) -> None:
    """Multiply–accumulates of the op, or of those that the module runs itself."""
    own = [chosen.op] if chosen.op is not None else _own_ops(chosen)
    working = [op for op in own if op.macs or not op.counted]
    inside = sum(1 for op in chosen.ops if op.macs)
    if not working and inside:
        st.caption(
            ngettext(
                "The sum of one operation inside that multiplies.",
                "The sum of {count} operations inside that multiply.",
                inside,
            ).format(count=inside)
        )
    elif not working and own:
        st.caption(_(formula(own[-1]).why))
    for op in working[:MOST_FORMULAS]:
        found = formula(op)
        if found.names:
            st.caption(_(found.names))
        elif len(working) > 1:
            st.caption(f"`{op.id}`")
        if found.why:
            st.caption(_(found.why))
        if found.product:
            st.code(f"{found.product} MACs", language=None, wrap_lines=True)
    if len(working) > MOST_FORMULAS:
        more = len(working) - MOST_FORMULAS
        st.caption(
            ngettext("and one more operation", "and {count} more operations", more).format(
                count=more
            )
        )


def _own_ops(chosen: Chosen) -> list[Any]:
    """The ops that the module runs itself; those of its children have boxes of their own."""
    return [op for op in chosen.ops if op.module == chosen.module.id]


def _params(chosen: Chosen, graph: LayerGraph) -> int:
    if chosen.op is None:
        return graph.total_params if chosen.id == "" else chosen.module.total_params
    read = set(chosen.op.params)
    return sum(p.tensor.numel for p in graph.parameters if p.trainable and p.name in read)


def _shapes(tensors: tuple[Tensor, ...], own: tuple[int, ...] | None = None) -> str:
    """Shapes with their element type, one a line; a long list is cut."""
    if own is not None and not tensors:
        tensors = (Tensor(own),)
    lines = [f"{'×'.join(map(str, t.shape)) or '1'} {t.dtype}" for t in tensors[:4]]
    if len(tensors) > 4:
        lines.append("…")
    return " · ".join(lines)


def _share(part: int, whole: int) -> str:
    if whole == 0:
        return "–"
    return f"{100 * part / whole:.2f} %"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        text = "×".join(map(str, value)) if value else "()"
    else:
        text = str(value)
    return text.replace("|", "\\|").replace("`", "'")[:80]
