"""What a table says of three claims about recipes: pairs of rows that differ in one thing alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.standing.table_ranks import seed_spread, values_by_unit
from harness.metrics.comparison import holm, two_sided_p
from harness.metrics.significance import can_rank, change_errors
from harness.records.documents import leaves

Claim = Literal["augmentation", "restarts", "patience"]
Verdict = Literal["holds", "contrary", "cannot tell", "too few units"]

LEVEL = 0.05

MARGIN = 0.02
"""What patience may cost of a rate and still be reasonable; the others must gain at all."""

CHANGES = ("pictures", "mixup", "cutmix", "frequency_mask", "time_mask", "noise", "reverb")
"""Keys of `augment` that change training items."""


@dataclass(frozen=True)
class JudgedRecipe:
    """One claim about one pair of rows.

    Attributes:
        claim: which.
        row, other: names of the rows with what is claimed of, and without it.
        verdict: of the test at 5 %, corrected over the table's claims.
        value, baseline: the primary metric of the two.
        low, high: 95 % interval of the gain: their difference in the metric's direction.
        p: after Holm's correction; of patience, that it costs `MARGIN` or more.
        units: test units on which they are paired.
    """

    claim: Claim
    row: str
    other: str
    verdict: Verdict
    value: float
    baseline: float
    low: float
    high: float
    p: float
    units: int


def recipe_claims(table: Table) -> list[JudgedRecipe]:
    """Judge every pair of rows of one model and loss whose recipes differ in one thing claimed of.

    Pairs are compared on the same test units, with the spread of seeds where the table shows one,
    as ranks are; Holm's correction is over the claims of the table.
    """
    names = dict(zip(table.rows, table.labels, strict=True))
    judged = [
        _judge(table, claim, row, other, (names[row], names[other]))
        for claim, (row, other) in _pairs(table)
    ]
    if not judged:
        return []
    corrected = holm([each.p for each in judged]).tolist()
    return [_with_verdict(each, p) for each, p in zip(judged, corrected, strict=True)]


def _pairs(table: Table) -> Iterator[tuple[Claim, tuple[Row, Row]]]:
    """Yield each claim with the row that has what it is of, and the row that has not."""
    primary = table.protocol.primary
    rows = [row for row in table.rows if row.is_compared and row.first.recipe is not None]
    rows = [row for row in rows if len(row.left_one_out(primary) or ()) > 1]
    for row in rows:
        for other in rows:
            one, two = row.first, other.first
            if (one.model, one.loss) != (two.model, two.loss) or row is other:
                continue
            claim = _claim(one.recipe or {}, two.recipe or {})
            same = (row.left_one_out(primary) or {}).keys() == (
                other.left_one_out(primary) or {}
            ).keys()
            if claim is not None and same:
                yield claim, (row, other)


def _claim(recipe: Mapping[str, Any], other: Mapping[str, Any]) -> Claim | None:
    """Return the claim that one recipe with another beside it says something of."""
    ours, theirs = dict(leaves(recipe)), dict(leaves(other))
    changed = {key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key)}
    if changed == {"patience"} and other.get("patience") is None:
        return "patience"
    tables = {key.partition(".")[0] for key in changed}
    shapes = [(each.get("learning_rate") or {}).get("shape") for each in (recipe, other)]
    if tables == {"learning_rate"} and shapes == ["warm-restarts", "cosine"]:
        return "restarts"
    has, has_not = (_changes(each.get("augment") or {}) for each in (recipe, other))
    return "augmentation" if tables == {"augment"} and has and not has_not else None


def _changes(augment: Mapping[str, Any]) -> bool:
    return any(augment.get(key) for key in CHANGES)


def _judge(
    table: Table, claim: Claim, row: Row, other: Row, names: tuple[str, str]
) -> JudgedRecipe:
    """Return a claim with its numbers; its p value is not corrected yet."""
    primary = table.protocol.primary
    facts = table.protocol.facts[primary]
    before, after = values_by_unit(other, primary), values_by_unit(row, primary)
    spread = seed_spread((row, other), primary, facts)
    errors, freedom = change_errors([(before, after)], spread)
    gain = (after.estimate - before.estimate) * (1 if facts.higher_is_better else -1)
    reach = float(stdtrit(freedom[0], 1 - LEVEL / 2) * errors[0])
    if claim == "patience" and errors[0]:
        p = float(stdtr(freedom[0], -(gain + MARGIN) / errors[0]))
    elif claim == "patience":
        # Rows that are equal on every unit: nothing was ended early, so nothing was tested.
        p = float(not gain or gain <= -MARGIN)
    else:
        p = float(two_sided_p(np.array([gain]), errors, freedom)[0])
    values, units = (after.estimate, before.estimate), len(after.units)
    return JudgedRecipe(claim, *names, "cannot tell", *values, gain - reach, gain + reach, p, units)


def _with_verdict(judged: JudgedRecipe, p: float) -> JudgedRecipe:
    """Return a claim with its verdict, by its corrected p value."""
    middle = (judged.low + judged.high) / 2
    verdict: Verdict = "cannot tell"
    if not can_rank(judged.units):
        verdict = "too few units"
    elif judged.claim == "patience":
        if p < LEVEL:
            verdict = "holds"
        elif judged.high < -MARGIN:
            verdict = "contrary"
    elif p < LEVEL:
        verdict = "holds" if middle > 0 else "contrary"
    return replace(judged, verdict=verdict, p=p)
