"""What can be concluded of a table's recipes, as sentences."""

from __future__ import annotations

from harness.board.standing.figures import plain
from harness.board.standing.recipe_claims import MARGIN, JudgedRecipe, recipe_claims
from harness.board.standing.table import Table
from harness.metrics.significance import MIN_UNITS_FOR_RANKS
from harness.records.record import MetricFacts

TITLE = "What can be concluded of the recipes"

CLAIMS = {
    "augmentation": "Augmentation helps",
    "restarts": "Warm restarts escape local optima, and end better than one cosine",
    "patience": f"Patience is reasonable, and costs less than {100 * MARGIN:g} points",
}

VERDICTS = {
    "holds": "borne out",
    "contrary": "the contrary is borne out",
    "cannot tell": "cannot be concluded",
    "too few units": "nothing can be concluded",
}


def recipe_sentences(table: Table) -> list[str]:
    """Return a sentence for each claim that a pair of the table's rows says something of."""
    facts, unit = table.protocol.facts[table.protocol.primary], table.dataset.unit
    found = recipe_claims(table)
    return [sentence(each, facts, unit, len(found)) for each in found]


def sentence(judged: JudgedRecipe, facts: MetricFacts, unit: str, claims: int) -> str:
    """Return one claim with its numbers and its test.

    Args:
        judged: the claim.
        facts: of the metric.
        unit: of the test.
        claims: how many the p value is corrected over.
    """
    said = f"{CLAIMS[judged.claim]}: {VERDICTS[judged.verdict]}."
    values = (
        f"{facts.title} is {_number(judged.value, facts)} of {judged.row}, and "
        f"{_number(judged.baseline, facts)} of {judged.other}"
    )
    ends = " to ".join(_number(end, facts, "points") for end in (judged.low, judged.high))
    p = "p < 0.001" if judged.p < 0.001 else f"p = {judged.p:.3f}"
    over = f", Holm over {claims} claims" if claims > 1 else ""
    few = ""
    if judged.verdict == "too few units":
        few = f"; {MIN_UNITS_FOR_RANKS} {unit}s are needed"
    return (
        f"{said} The {values} (gain {ends} at 95 %, {p}, paired over {judged.units} "
        f"{unit}s{over}{few})."
    )


def _number(value: float, facts: MetricFacts, unit: str = "%") -> str:
    return f"{plain(value, facts)} {unit if facts.unit == '%' else facts.unit}".rstrip()
