"""How far to believe a map: the checks on demand, their verdict, and what each found."""

from __future__ import annotations

import streamlit as st

from explorer.attribution import METHODS, Attribution, Prediction
from explorer.attribution.quality_plan import (
    CHECKS,
    DELTA_LIMIT,
    RANDOMISATION_LIMIT,
    SENSITIVITY_LIMIT,
    check_passes,
)
from explorer.charts.attribution import trust_curves
from explorer.engine import get_engine
from explorer.i18n import _
from explorer.requests import AssessRequest
from explorer.results import TrustCard
from explorer.tasks import AssessMap, Explain
from explorer.ui.attribution.controls import pass_seconds
from explorer.ui.attribution.price import say_too_dear
from explorer.ui.charts import show_figure
from explorer.ui.jobs import run_task
from explorer.ui.params import flag, several
from explorer.ui.public import too_dear

DEFAULT_CHECKS = ("curves", "randomisation", "agreement")
ICONS = {
    "good": ":material/verified:",
    "care": ":material/warning:",
    "bad": ":material/dangerous:",
    "noise": ":material/casino:",
}


def trust(found: Attribution, task: Explain, prediction: Prediction) -> None:
    """The switch below a map, with its price, and the card once it is on.

    Args:
        found: The map.
        task: What computed it.
        prediction: Tells how long a pass takes here.
    """
    chosen = st.session_state.get("_w_checks", list(DEFAULT_CHECKS)) or list(DEFAULT_CHECKS)
    request = AssessRequest(task.request, tuple(chosen))
    known = st.session_state.get(f"_paid_{task.ref}", {})
    seconds = sum(check_passes(request).values()) * pass_seconds(prediction, known)
    label = _("Check it (about {seconds:.0f} s)").format(seconds=max(1.0, seconds))
    if not flag(f"trust.{found.method}", label):
        return
    asked = several(
        "checks", _("Checks"), {id: _(check.title) for id, check in CHECKS.items()},
        default=DEFAULT_CHECKS, most=len(CHECKS),
    ) if _first_card() else list(chosen)  # fmt: skip
    if not asked:
        st.info(_("Choose at least one check."), icon=":material/checklist:")
        return
    request = AssessRequest(task.request, tuple(asked))
    assess = AssessMap(task.ref, task.image, request, found)
    price = sum(check_passes(request).values()) * pass_seconds(prediction, known)
    if get_engine().find(assess.key()) is None and too_dear(price):
        say_too_dear(_("Checking {method}").format(method=_(METHODS[found.method].name)), price)
        return
    label = _("Checking {method}").format(method=_(METHODS[found.method].name))
    card = run_task(assess, label, show_card)
    if card is not None:
        show_card(card, curves=True)


def _first_card() -> bool:
    """Whether the choice of checks is still to be drawn in this run: once for all maps."""
    run = st.session_state["_url_writes"]
    return "checks" not in run


def show_card(card: TrustCard, *, curves: bool = False) -> None:
    """The verdict and what each check found.

    Args:
        card: May be a partial one.
        curves: Draw the deletion and insertion curves.
    """
    sentence = _(card.verdict).format(**card.values)
    show = {"good": st.success, "care": st.warning, "noise": st.warning}.get(card.level, st.error)
    show(sentence, icon=ICONS.get(card.level))
    st.markdown("\n".join(f"- {line}" for line in _lines(card)))
    if curves and card.deletion is not None and card.insertion is not None:
        show_figure(trust_curves(card), f"curves-{card.method}")
    st.caption(_("checked in {seconds:.1f} s").format(seconds=card.seconds))


def _lines(card: TrustCard) -> list[str]:
    lines = []
    if card.delta is not None:
        lines.append(
            _("Completeness delta **{delta:.1%}** (limit {limit:.0%})").format(
                delta=card.delta, limit=DELTA_LIMIT
            )
        )
    curves = (
        (card.deletion, _("Deletion: area **{auc:.3f}**, lower than {better} of {orders} random "
                          "orders (mean {random:.3f})")),
        (card.insertion, _("Insertion: area **{auc:.3f}**, higher than {better} of {orders} random "
                           "orders (mean {random:.3f})")),
    )  # fmt: skip
    for curve, sentence in curves:
        if curve is not None:
            areas = curve.random_aucs
            lines.append(
                sentence.format(
                    auc=curve.auc, better=curve.better_than, orders=len(areas),
                    random=sum(areas) / len(areas),
                )
            )  # fmt: skip
    if card.randomisation is not None:
        lines.append(
            _(
                "Shuffled weights: rank correlation **{value:.2f}** with the new map (limit "
                "{limit:g}); of the strengths alone {strength:.2f}"
            ).format(
                value=card.randomisation, limit=RANDOMISATION_LIMIT,
                strength=card.randomisation_abs or 0.0,
            )
        )  # fmt: skip
    if card.agreement:
        others = ", ".join(
            f"{_(METHODS[name].name)} {value:.2f}" for name, value in card.agreement.items()
        )
        lines.append(_("Agreement (rank correlation): {others}").format(others=others))
    if card.infidelity is not None:
        lines.append(
            _("Infidelity: **{value:.0%}** of what squares change stays unexplained").format(
                value=card.infidelity
            )
        )
    if card.sensitivity is not None:
        lines.append(
            _("Max-sensitivity: **{value:.0%}** change under 2 % noise (limit {limit:.0%})").format(
                value=card.sensitivity, limit=SENSITIVITY_LIMIT
            )
        )
    return lines
