"""What can be concluded of a table's losses, as sentences."""

from __future__ import annotations

import math

from harness.board.standing.claims import table_claims
from harness.board.standing.table import Table
from harness.health.claims import FEWEST, Judged

TITLE = "What can be concluded of the losses"

CLAIMS = {
    "balance": "It balances gradients",
    "steadiness": "It steadies training",
    "attention": "It attends to hard examples",
    "accuracy": "It is more accurate than cross-entropy",
}

FACTS = {
    "balance": "evenness of the weighted gradients over ten bins of the gradient norm",
    "loss_spread": "spread of validation's loss over the last third of training, over its mean",
    "accuracy_spread": "spread of validation's accuracy over the last third of training",
    "hardest_weight": "share of the weight that the hardest tenth of the training items has",
    "hard_accuracy": "accuracy on the validation items that are known to be hard",
    "accuracy": "accuracy on test",
}

VERDICTS = {
    "holds": "borne out",
    "contrary": "the contrary is borne out",
    "cannot tell": "cannot be concluded",
    "not known": "nothing can be concluded",
}

POINTS = ("accuracy_spread", "hardest_weight", "hard_accuracy", "accuracy")
"""Facts that are shares, shown in percent."""


def claim_sentences(table: Table) -> list[str]:
    """Return a sentence for each question about each loss; none for a table without evidence."""
    return [sentence(each) for each in table_claims(table)]


def sentence(judged: Judged) -> str:
    """Return what was found of one question, with its numbers and its test."""
    said = f"{judged.loss}: {CLAIMS[judged.claim]}: {VERDICTS[judged.verdict]}."
    what = FACTS[judged.fact]
    if judged.verdict == "not known" and math.isnan(judged.value):
        told = f"{judged.pairs} pairs of trainings tell the {what}; {FEWEST} are needed"
        return f"{said} {told}."
    values = (
        f"{_number(judged, judged.value)}, under cross-entropy {_number(judged, judged.baseline)}"
    )
    return f"{said} The {what}: {values}{_test(judged)}."


def _test(judged: Judged) -> str:
    pairs = f"{judged.pairs} trainings of each"
    if math.isnan(judged.p):
        return f" ({pairs}, {FEWEST} are needed)" if judged.pairs < FEWEST else f" ({pairs})"
    p = "p < 0.001" if judged.p < 0.001 else f"p = {judged.p:.3f}"
    if math.isnan(judged.low):
        return f" ({p}, {pairs})"
    kind = "ratio" if judged.ratio else "difference"
    ends = (
        f"{end:.2f}" if judged.ratio else _number(judged, end) for end in (judged.low, judged.high)
    )
    return f" (95 % interval of the {kind} {' to '.join(ends)}, {p}, {pairs})"


def _number(judged: Judged, value: float) -> str:
    return f"{100 * value:.1f} %" if judged.fact in POINTS else f"{value:.3f}"
