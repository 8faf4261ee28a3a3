"""What a table's records and series say of the claims about its losses."""

from __future__ import annotations

from collections.abc import Sequence

from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.board.standing.table_ranks import pair_p_values
from harness.health.claims import Facts, Judged, judge_accuracy, judge_claims

CROSS_ENTROPIES = ("adapters.losses:Softmax", "adapters.ranking:RankNet")
"""Adapters of the loss that the others are held against, unless it smooths labels.

RankNet is the cross-entropy of a pair's order (Burges et al., ICML 2005, eq. 1).
"""


def table_claims(table: Table) -> list[Judged]:
    """Judge the claims about every loss of a table that has a counterpart under cross-entropy.

    A counterpart is a row of the same model and recipe. Losses of one model are judged together;
    the names are those of the table's rows.

    Returns:
        Nothing for a table whose trainings kept no evidence of their gradients.
    """
    rows = [row for row in table.rows if row.is_done and row.first.loss is not None]
    return [
        each
        for baseline in filter(_is_cross_entropy, rows)
        for each in _judge(table, baseline, [row for row in rows if _is_beside(row, baseline)])
    ]


def training_facts(row: Row) -> Facts:
    """Return the facts of each training behind a row, of those that kept any."""
    files = (part for filed in row.filed for part in filed.files)
    return {
        (part.record.seed, part.record.dataset.fold.index if part.record.dataset.fold else 0): facts
        for part in files
        if part.end is not None and (facts := part.end.evidence)
    }


def _judge(table: Table, baseline: Row, rows: Sequence[Row]) -> list[Judged]:
    plain = training_facts(baseline)
    names = dict(zip(table.rows, table.labels, strict=True))
    facts = {names[row]: found for row in rows if (found := training_facts(row))}
    if not plain or not facts:
        return []
    return [
        *judge_claims(facts, plain),
        *(_judge_accuracy(table, baseline, row, names[row]) for row in rows if names[row] in facts),
    ]


def _judge_accuracy(table: Table, baseline: Row, row: Row, name: str) -> Judged:
    protocol = table.protocol
    values = [figure.value for each in (row, baseline) if (figure := each.figure(protocol.primary))]
    p_values = pair_p_values(table.rows, table.ranking, protocol)
    p = p_values.get((row, baseline), p_values.get((baseline, row)))
    pairs = len(training_facts(row).keys() & training_facts(baseline).keys())
    higher = protocol.facts[protocol.primary].higher_is_better
    return judge_accuracy(name, values[0], values[-1], p, pairs, higher=higher)


def _is_cross_entropy(row: Row) -> bool:
    loss = row.first.loss
    if loss is None or loss.adapter not in CROSS_ENTROPIES:
        return False
    return not loss.fields.get("label_smoothing")


def _is_beside(row: Row, baseline: Row) -> bool:
    """True for another loss on the same network under the same recipe."""
    same = row.first.model == baseline.first.model
    return same and row.first.recipe == baseline.first.recipe and not _is_cross_entropy(row)
