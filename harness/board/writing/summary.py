"""What a table, or a curve, says in two sentences: who leads, and what could have been seen."""

from __future__ import annotations

from collections.abc import Sequence

from harness.board.standing.curve import TablesCurve
from harness.board.standing.figures import Figure, plain, plural
from harness.board.standing.table import Table
from harness.board.writing.axis_words import AxisWords, axis_words
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


def curve_summary(curve: TablesCurve) -> str:
    """Return who leads at which level, who cannot be told apart at the largest, and the power."""
    last, words = curve.levels[-1], axis_words(curve)
    at = words.at.format(f"{last:,}")
    trained = {line.entry for line in curve.lines if not line.is_baseline}
    alike = [group for group in _alike(curve, last) if len(set(group) & trained) > 1 and group[1:]]
    said = [_leads(curve, words)]
    said += [f"{at} {listed(group)} cannot be told apart" for group in alike]
    power = _power(curve.endpoint)
    if power:
        # A level at the end would run into the number that follows.
        power = f"{power[:-1]} {at}." if curve.is_over_datasets else f"{_capital(at)} {power}"
    return f"{'; '.join(filter(None, said))}. {power}".strip()


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _leads(curve: TablesCurve, words: AxisWords) -> str:
    """Name the best entry at each level, and where it is significantly better than all others."""
    best: dict[str, list[float]] = {}
    alone: dict[str, list[float]] = {}
    for level in curve.levels:
        first = curve.first(level)
        if first is not None:
            best.setdefault(first, []).append(level)
            if curve.best(level) == [first]:
                alone.setdefault(first, []).append(level)
    told = ((name, held, alone.get(name, [])) for name, held in best.items())
    return "; ".join(_lead(curve, name, held, apart, words) for name, held, apart in told)


def _lead(
    curve: TablesCurve, name: str, held: Sequence[float], alone: Sequence[float], words: AxisWords
) -> str:
    where = _where(held, curve.levels, words)
    if list(held) == list(alone):
        return f"{name} leads {where}"
    apart = "though not significantly"
    if alone:
        apart = f"significantly {_where(alone, curve.levels, words)}"
    return f"{name} has the {_best(curve.facts)} {curve.facts.title} {where}, {apart}"


def _where(held: Sequence[float], levels: Sequence[float], words: AxisWords) -> str:
    """Return the levels of a lead, in words.

    >>> from harness.board.writing.axis_words import OF_BUDGETS
    >>> _where([10, 20], [10, 20], OF_BUDGETS), _where([20, 40], [10, 20, 40], OF_BUDGETS)
    ('at every budget', 'from 20 crops on')
    >>> _where([10, 40], [10, 20, 40], OF_BUDGETS)
    'with 10 and 40 crops'
    """
    if len(held) == len(levels):
        return words.every
    if len(held) > 1 and list(held) == list(levels[-len(held) :]):
        return words.onwards.format(f"{held[0]:,}")
    if len(held) > 1 and list(held) == list(levels[: len(held)]):
        return words.up_to.format(f"{held[-1]:,}")
    return words.at.format(listed([f"{each:,}" for each in held]))


def _alike(curve: TablesCurve, level: float) -> list[list[str]]:
    """Return runs of neighbouring entries of which no two differ significantly, the best first."""
    groups: list[list[str]] = []
    ranked = [line for line in curve.lines if level in line.at and line.at[level].rank]
    for line in ranked:
        if groups and not any(curve.is_told(level, line.entry, other) for other in groups[-1]):
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
