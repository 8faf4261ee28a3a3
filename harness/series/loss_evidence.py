"""What the series of a training says of its loss: balance, steadiness, attention to hard items."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from harness.series.scalar_names import SAMPLE, TRAINING, VALIDATION

Points = Sequence[tuple[int, float]]
"""Steps and values of one series, ascending."""

LAST = 1 / 3
"""Share of a training over whose end its validations are held against one another."""

FEWEST = 4
"""Validations within that share without which nothing is said of their spread."""

ACCURACIES = ("accuracy", "pair_accuracy")
"""Names of the share of right decisions: on items, on pairs of them."""

MEANS = {
    "balance": f"{TRAINING}/weighted_evenness",
    "unweighted_balance": f"{TRAINING}/gradient_evenness",
    "hardest_weight": f"{TRAINING}/hardest_weight",
    "hard_weight": f"{SAMPLE}/hard_weight",
    "wrong_label_weight": f"{SAMPLE}/wrong_label_weight",
}
"""Fact -> the series whose mean over all epochs that have it is that fact."""


def loss_evidence(found: Mapping[str, Points]) -> dict[str, float]:
    """Return the facts of a training that claims about its loss rest on.

    Args:
        found: name of a series -> its points.

    Returns:
        Those of `MEANS` that the training kept; `loss_spread`, the standard deviation of
        validation's cross-entropy over its mean, and `accuracy_spread`, that of its accuracy, both
        over the last third of the steps; `hard_accuracy`, the mean accuracy there on the validation
        items that are known to be hard. Empty for a training whose gradients were not looked at.
    """
    if MEANS["balance"] not in found:
        return {}
    facts = {
        fact: statistics.fmean(value for _, value in found[name])
        for fact, name in MEANS.items()
        if name in found
    }
    beginning = (1 - LAST) * max(points[-1][0] for points in found.values())
    accuracy = next((name for name in ACCURACIES if f"{VALIDATION}/{name}" in found), "")
    losses, accuracies, of_hard = (
        [value for step, value in found.get(f"{VALIDATION}/{name}", ()) if step > beginning]
        for name in ("raw_loss", accuracy, "hard_accuracy")
    )
    if len(losses) >= FEWEST and (mean := statistics.fmean(losses)) > 0:
        facts["loss_spread"] = statistics.stdev(losses) / mean
    if len(accuracies) >= FEWEST:
        facts["accuracy_spread"] = statistics.stdev(accuracies)
    if of_hard:
        facts["hard_accuracy"] = statistics.fmean(of_hard)
    return facts
