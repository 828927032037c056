"""The four findings in words: the claims, the verdicts, the statistics; without streamlit."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.findings import Finding
from explorer.i18n import N_, _

CLAIMS: Mapping[str, str] = {
    "power": N_("Power consumption does not depend on batch size or architecture."),
    "hyperbola": N_(
        "Accuracy and inference time are in a hyperbolic relationship: a little more accuracy "
        "costs a lot of time."
    ),
    "energy": N_(
        "A constraint on energy is an upper bound on the accuracy and the complexity that can be "
        "reached."
    ),
    "operations": N_("The number of operations is a reliable estimate of the inference time."),
}
VERDICTS = {
    "holds": ("✓", N_("holds"), "#0b7d56"),
    "fails": ("✗", N_("does not hold"), "#c2410c"),
    "untestable": ("–", N_("cannot be tested"), "#6b7280"),
}


def statistic_text(finding: Finding) -> str:
    """The statistic in words, or why there is none."""
    found = finding.statistics
    if finding.verdict == "untestable":
        return _(finding.reason).format(**finding.values)
    if finding.id == "operations":
        return _(
            "Pearson of log MACs with log time {pearson:.3f} (95 % interval {low:.3f} to "
            "{high:.3f}), Spearman {spearman:.3f}; half of the estimates are within a factor of "
            "{factor:.2f}; n = {n}."
        ).format(n=finding.n, **found)
    if finding.id == "hyperbola":
        if found["limit"] > 100:  # no accuracy: the fit is a straight line in all but name
            return _(
                "R² {r2:.2f} of the hyperbola, {line_r2:.2f} of a straight line; it tends to no "
                "accuracy below 100 %; n = {n}."
            ).format(n=finding.n, **found)
        return _(
            "R² {r2:.2f} of the hyperbola, {line_r2:.2f} of a straight line; it tends to "
            "{limit:.1f} %; n = {n}."
        ).format(n=finding.n, **found)
    if finding.id == "power":
        text = _("{mean:.1f} W ± {percent:.1f} %; n = {n}.").format(
            mean=found["mean"], percent=100 * found["cv"], n=finding.n
        )
        for key, words in (
            ("spearman_batch", N_("Spearman with batch {value:.2f}.")),
            ("spearman_macs", N_("Spearman with MACs {value:.2f}.")),
        ):
            if key in found:
                text += " " + _(words).format(value=found[key])
        return text
    return _(
        "With at most {budget:.3g} J an image, {gap:.1f} percentage points are missing; Spearman "
        "of energy with MACs {spearman:.2f}; n = {n}."
    ).format(n=finding.n, **found)
