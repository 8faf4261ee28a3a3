"""A table's footnotes: what a reader must know to read its numbers rightly, all generated."""

from __future__ import annotations

import statistics
from functools import partial

from harness.board.standing.numbers import counted, plain
from harness.board.standing.table import Table
from harness.board.writing.costnotes import cost_footnotes
from harness.board.writing.rownotes import row_footnotes
from harness.metrics.seed_spread import SeedSpread
from harness.records.record import MetricFacts

TRUST = {
    "claimed": "figures taken from elsewhere, not checked here",
    "rescored": "scores made elsewhere, metrics computed here",
    "measured": "run and measured here by the harness",
    "reproduced": "run here, and again by somebody else",
}


def footnotes(table: Table) -> list[str]:
    """Every footnote of a table, in a fixed order."""
    return table.once("footnotes", partial(_footnotes, table))


def _footnotes(table: Table) -> list[str]:
    general = [_folds(table), _ranks(table), _visible(table), _brackets(table), _seeds(table)]
    ends = [_trust(table), _superseded(table), _unshown(table)]
    notes = [*general, *cost_footnotes(table), *row_footnotes(table), *ends]
    return [note for note in notes if note]


def brief_footnotes(table: Table) -> list[str]:
    """The footnotes without which the numbers of a narrow table would be misread."""
    general = [_folds(table), _ranks(table), _visible(table), _brackets(table), _seeds(table)]
    notes = [*general, *row_footnotes(table, brief=True), _superseded(table)]
    return [note for note in notes if note]


def _folds(table: Table) -> str:
    """How a dataset without a test split of its own is judged."""
    if table.folds is None:
        return ""
    units, unit = table.dataset.counts.get("test", {}).get("units"), table.dataset.unit
    over = counted(units, unit) if units else f"{unit}s"
    return (
        f"Judged by {table.folds} folds over {over}: each tested once, by a network trained on the "
        "others. A metric is computed within each fold and averaged over them; scores of different "
        "networks are never pooled."
    )


def _ranks(table: Table) -> str:
    if table.ranking.reason:
        return f"Ranks are left blank: {table.ranking.reason}."
    unit, known = table.dataset.unit, table.ranking.spread is not None
    return (
        "A rank is 1 plus the number of entries that are significantly better (5 %, paired by "
        f"{unit}, Holm-corrected over all pairs; the spread of seeds is {'' if known else 'not '}"
        "in it); entries that cannot be told apart may share it."
    )


def _visible(table: Table) -> str:
    """The smallest difference that this table could have seen."""
    visible, facts = table.ranking.visible, table.facts[table.protocol.primary]
    if visible is None:
        return ""
    unit = " points" if facts.unit == "%" else f" {facts.unit}".rstrip()
    seeds = ", the spread of seeds in it" if table.ranking.spread else ""
    return (
        f"With {counted(table.ranking.units or 0, table.dataset.unit)}, two entries must typically "
        f"differ by {plain(visible, facts)}{unit} of {facts.title} to be told apart (one "
        f"comparison at 5 %{seeds}; more where many entries are compared)."
    )


def _brackets(table: Table) -> str:
    figures = [row.figure(name) for row in table.rows for name in table.facts]
    if not any(figure and figure.low is not None for figure in figures):
        return "No intervals over the test sample are recorded."
    several = any(figure and figure.seeds > 1 for figure in figures)
    mean = "; of several seeds, the mean of their intervals" if several else ""
    if table.folds:
        unit = table.dataset.unit
        return (
            f"Brackets: 95 % interval over the test {unit}s of all folds, from the metric without "
            f"each {unit} (jackknife on the logit scale, Student's t on {unit}s less one){mean}; "
            "metrics that are not known without each have none."
        )
    return f"Brackets: interval over the test sample{mean}."


def _seeds(table: Table) -> str:
    """The spread over seeds, pooled where entries have few."""
    primary, spread = table.protocol.primary, table.ranking.spread
    facts = table.facts[primary]
    trained = [row for row in table.rows if not row.first.is_baseline and not row.claimed]
    figures = [figure for row in trained if (figure := row.figure(primary))]
    if all(each.seeds == 1 for each in figures):
        return "One seed an entry: how much training itself varies is not known."
    means = (
        f"Values are means over seeds; sd: standard deviation of {facts.title} over seeds, which "
        "the interval does not hold"
    )
    if spread is None:
        return f"{means}; all seeds are at an end of the scale, where they show no spread."
    typical = statistics.median(each.value for each in figures)
    return (
        f"{means}; pooled over all entries with several seeds it is "
        f"{plain(spread.at(typical), facts)}{_at(typical, spread, facts)} "
        f"({counted(spread.freedom, 'degree')} of freedom), and entries with one seed borrow it."
    )


def _at(typical: float, spread: SeedSpread, facts: MetricFacts) -> str:
    """Of which value a pooled spread is told, where it depends on that."""
    if spread.scale == "plain":
        return ""
    return f" at the median {facts.title} of {plain(typical, facts)}, pooled as logits"


def _trust(table: Table) -> str:
    used = {row.trust for row in table.rows if row.done}
    said = [f"{word}: {text}" for word, text in TRUST.items() if word in used]
    return f"Trust, {'; '.join(said)}." if said else ""


def _superseded(table: Table) -> str:
    if not table.superseded:
        return ""
    be = "is" if table.superseded == 1 else "are"
    older = counted(table.superseded, "older record")
    return f"There {be} {older} of the same entries and seeds; only the latest is shown."


def _unshown(table: Table) -> str:
    """Metrics that cannot be shown, as nobody said how."""
    recorded = {name for record in table.records for name in record.metrics} - set(table.facts)
    said = ", ".join(sorted(recorded))
    return f"In the records, with no column here: {said}." if recorded else ""
