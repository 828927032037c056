"""Code of the selected layer: its class, and snippets that get its tensor."""

from __future__ import annotations

import streamlit as st

from explorer.i18n import _
from explorer.inspection.choosing import OP, Chosen
from explorer.inspection.snippets import extractor_snippet, hook_snippet, module_layer
from explorer.inspection.types import ClassCode
from explorer.tasks import ClassCode as Task
from explorer.ui.jobs import run_task
from explorer.ui.selection import Selection


def show_code(chosen: Chosen, selection: Selection) -> None:
    """Draws the part; runs its task."""
    weights = None if selection.weights is None else selection.weights.id
    layer = module_layer(chosen.layer, chosen.module.id)
    if chosen.layer.startswith(OP):
        st.caption(
            _("No module hands out this operation's result; the snippets get that of `{module}`.")
            .format(module=layer or selection.spec.id)
        )  # fmt: skip
    st.markdown(_("**This tensor with a forward hook**"))
    st.code(hook_snippet(selection.spec, weights, layer), language="python", wrap_lines=True)
    extractor = extractor_snippet(selection.spec, weights, layer)
    if extractor is not None:
        st.markdown(_("**The same with `create_feature_extractor`**"))
        st.code(extractor, language="python", wrap_lines=True)
        st.caption(
            _("It follows the network with `torch.fx`, which networks with branches do not allow.")
        )
    found: ClassCode | None = run_task(Task(chosen.module.source), _("Reading the code"))
    if found is None:
        return
    st.markdown(f"**`{found.source}`**  \n{found.file}:{found.line} · {found.version}")
    st.code(found.text, language="python", height=420)
    shown = found.text.count("\n") + 1
    if shown < found.lines:
        st.caption(_("The first {shown} of {total} lines.").format(shown=shown, total=found.lines))
