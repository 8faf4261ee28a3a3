"""What a table, or a curve, says in two sentences: who leads, and what could have been seen."""

from __future__ import annotations

from collections.abc import Sequence

from harness.board.standing.budget_curve import BudgetCurve
from harness.board.standing.figures import Figure, plain, plural
from harness.board.standing.table import Table
from harness.records.record import MetricFacts

NAMED = 4
"""Entries that a sentence names at most; of more it gives the number."""


def table_summary(table: Table) -> str:
    """Return who leads a table, how many beat its baseline, and the difference it could have seen.

    Empty if no entry has a result.
    """
    first = lead(table)
    if not first or table.ranking.reason:
        return f"{first}." if first else ""
    return f"{first}{_over_baseline(table)}. {_power(table)}".strip()


def lead(table: Table) -> str:
    """Return who has the best figure of a table, and who cannot be told apart from it.

    Empty if no entry has a result.
    """
    primary = table.protocol.primary
    facts = table.facts[primary]
    held = [
        (name, rank, figure)
        for row, name, rank in zip(table.rows, table.labels, table.ranking.ranks, strict=True)
        if row.is_compared and (figure := row.figure(primary))
    ]
    if not held:
        return ""
    best, _, figure = held[0]
    first = f"{best} has the {_best(facts)} {facts.title} ({_value(figure, facts)})"
    if table.ranking.reason:
        return f"{first}; {table.ranking.reason}"
    ties = [name for name, rank, _ in held[1:] if rank == 1]
    return first + (f", and cannot be told apart from {listed(ties)}" if ties else ", alone")


def _over_baseline(table: Table) -> str:
    """Count the entries that are significantly better than no training."""
    named = list(zip(table.rows, table.ranking.ranks, strict=True))
    base = next((rank for row, rank in named if row.first.is_baseline and rank), None)
    trained = sum(rank is not None and not row.first.is_baseline for row, rank in named)
    if base is None or not trained:
        return ""
    better = "none" if base == 1 else "all" if base - 1 == trained else f"{base - 1}"
    return f"; clearly better than no training: {better} of {trained} trained"


def curve_summary(curve: BudgetCurve) -> str:
    """Return who leads at which budget, who cannot be told apart at the largest, and the power."""
    last = curve.budgets[-1]
    trained = {line.entry for line in curve.lines if not line.is_baseline}
    alike = [group for group in _alike(curve, last) if len(set(group) & trained) > 1 and group[1:]]
    said = [_leads(curve)]
    said += [f"with {last:,} crops {listed(group)} cannot be told apart" for group in alike]
    power = _power(curve.endpoint)
    at = f"With {last:,} crops {power}" if power else ""
    return f"{'; '.join(filter(None, said))}. {at}".strip()


def _leads(curve: BudgetCurve) -> str:
    """Name the best entry at each budget, and where it is significantly better than all others."""
    best: dict[str, list[int]] = {}
    alone: dict[str, list[int]] = {}
    for budget in curve.budgets:
        first = curve.first(budget)
        if first is not None:
            best.setdefault(first, []).append(budget)
            if curve.best(budget) == [first]:
                alone.setdefault(first, []).append(budget)
    return "; ".join(_lead(curve, name, held, alone.get(name, [])) for name, held in best.items())


def _lead(curve: BudgetCurve, name: str, held: Sequence[int], alone: Sequence[int]) -> str:
    where = _where(held, curve.budgets)
    if list(held) == list(alone):
        return f"{name} leads {where}"
    apart = f"significantly {_where(alone, curve.budgets)}" if alone else "though not significantly"
    return f"{name} has the {_best(curve.facts)} {curve.facts.title} {where}, {apart}"


def _where(held: Sequence[int], budgets: Sequence[int]) -> str:
    """Return the budgets of a lead, in words.

    >>> _where([10, 20], [10, 20]), _where([20, 40], [10, 20, 40]), _where([10], [10, 20])
    ('at every budget', 'from 20 crops on', 'with 10 crops')
    """
    if len(held) == len(budgets):
        return "at every budget"
    if list(held) == list(budgets[-len(held) :]):
        return f"from {held[0]:,} crops on"
    if len(held) > 1 and list(held) == list(budgets[: len(held)]):
        return f"up to {held[-1]:,} crops"
    return f"with {listed([f'{each:,}' for each in held])} crops"


def _alike(curve: BudgetCurve, budget: int) -> list[list[str]]:
    """Return runs of neighbouring entries of which no two differ significantly, the best first."""
    groups: list[list[str]] = []
    ranked = [line for line in curve.lines if budget in line.at and line.at[budget].rank]
    for line in ranked:
        if groups and not any(curve.is_told(budget, line.entry, other) for other in groups[-1]):
            groups[-1].append(line.entry)
        else:
            groups.append([line.entry])
    return groups


def _power(table: Table) -> str:
    """Return the smallest difference that the test can typically show."""
    visible, facts = table.ranking.visible, table.facts[table.protocol.primary]
    if visible is None:
        return ""
    unit = " points" if facts.unit == "%" else f" {facts.unit}".rstrip()
    units = plural(table.ranking.units or 0, table.dataset.unit)
    return f"{units} tell differences above {plain(visible, facts)}{unit} of {facts.title} apart."


def _best(facts: MetricFacts) -> str:
    return "highest" if facts.higher_is_better else "lowest"


def _value(figure: Figure, facts: MetricFacts) -> str:
    return f"{plain(figure.value, facts)} {facts.unit}".rstrip()


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does; of many, the first ones and the number of the others.

    >>> listed(["a"]), listed(["a", "b", "c"]), listed(list("abcdefg"))
    ('a', 'a, b and c', 'a, b, c and 4 more')
    """
    shown = list(names) if len(names) <= NAMED else [*names[: NAMED - 1]]
    left = len(names) - len(shown)
    shown += [f"{left} more"] if left else []
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
