"""The words of the component, in the current language."""

from __future__ import annotations

from explorer.i18n import _


def labels() -> dict[str, str]:
    """Everything that the component writes or says, by the name that its modules use."""
    return {
        "graph": _("Layer graph"),
        "keys": _(
            "Arrow keys walk along the edges from the selected layer, or move the picture. Enter "
            "opens and closes a module, plus and minus zoom, 0 fits, slash searches, Escape clears."
        ),
        "search": _("Search layers"),
        "hits": _("Layers found"),
        "previous_hit": _("Previous hit"),
        "next_hit": _("Next hit"),
        "levels": _("Open levels"),
        "close_all": _("Close all modules"),
        "fewer_levels": _("One level less"),
        "more_levels": _("One level more"),
        "open_all": _("Open all modules"),
        "colour_by": _("Colour by"),
        "kind": _("Kind of layer"),
        "export": _("Save the whole graph"),
        "export_svg": _("Save the whole graph as SVG"),
        "export_png": _("Save the whole graph as PNG"),
        "zoom_in": _("Zoom in"),
        "zoom_out": _("Zoom out"),
        "fit": _("Fit the whole graph"),
        "full_screen": _("Full screen"),
        "breadcrumb": _("Where the selected layer is"),
        "input": _("Input"),
        "output": _("Output"),
        "log_scale": _("logarithmic scale"),
        "no_values": _("no values"),
    }


def kind_names() -> dict[str, str]:
    """The kinds of ops, as ``graph.KINDS`` names them."""
    return {
        "convolution": _("Convolution"),
        "depthwise": _("Depthwise convolution"),
        "linear": _("Linear"),
        "attention": _("Attention"),
        "normalisation": _("Normalisation"),
        "activation": _("Activation"),
        "pooling": _("Pooling"),
        "elementwise": _("Elementwise"),
        "layout": _("Shape and layout"),
        "other": _("Other"),
    }
