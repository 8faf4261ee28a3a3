"""By what rules and on which data a table was made, one by one, so that they can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.board.standing.numbers import UNKNOWN
from harness.board.standing.table import Table
from harness.records.documents import canonical_json

DIGITS = 12
"""Of a digest, as a table's head shows it."""


@dataclass(frozen=True)
class Rule:
    """A rule that is not what it was; None where there was none, or is none."""

    name: str
    before: Any
    after: Any


def changed_rules(earlier: Table, later: Table) -> tuple[Rule, ...]:
    """The rules in which two tables differ: the protocol's, then the data's."""
    before, after = rules(earlier), rules(later)
    names = list(dict.fromkeys([*after, *before]))
    found = [Rule(name, before.get(name), after.get(name)) for name in names]
    return tuple(rule for rule in found if rule.before != rule.after)


def rules(table: Table) -> dict[str, Any]:
    """Every rule of a table by its name."""
    protocol, data = table.protocol, table.dataset
    facts = {
        f"metric {name}: {key.replace('_', ' ')}": value
        for name, each in sorted(protocol.facts.items())
        for key, value in each.model_dump().items()
    }
    counts = {
        f"{split} {kind}": number
        for split, kinds in sorted(data.counts.items())
        for kind, number in sorted(kinds.items())
    }
    return {
        "suite": protocol.suite,
        "protocol version": protocol.version,
        "protocol digest": protocol.digest,
        "task": protocol.task,
        "primary metric": protocol.primary,
        **{f"parameter {key}": value for key, value in sorted(protocol.parameters.items())},
        **facts,
        "data lock": data.lock,
        "data pinned": data.pinned,
        "licence": data.licence,
        "unit resampled": data.unit,
        "folds": table.folds,
        **counts,
    }


def shown(rule: Rule) -> tuple[str, str]:
    """What a rule was and what it is, as people read it."""
    short = rule.name in ("protocol digest", "data lock")
    before, after = _text(rule.before), _text(rule.after)
    return (before[:DIGITS], after[:DIGITS]) if short else (before, after)


def _text(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    whole = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if whole else canonical_json(value)
