"""Changes of a table as entries of a page's change log, and as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.board.standing.figures import UNKNOWN, heading, plain, six_digits
from harness.board.standing.rows import seed_text
from harness.board.standing.table import Table, previous, table_before
from harness.board.versions.table_changes import Changes, changes, rule_texts
from harness.board.versions.value_changes import ALPHA, Shift
from harness.board.writing.grids import ENTRY, Cell, Column, Grid, cell, number_cell
from harness.board.writing.markdown import escape, grid_markdown
from harness.records.record import MetricFacts

TESTED = (
    f"Significant: at {100 * ALPHA:g} %, the entry against its earlier self, paired on the same "
    "test units and Holm-corrected over the entries whose value changed."
)


@dataclass(frozen=True)
class LogEntry:
    """The differences of a table from one earlier table.

    Attributes:
        title: its heading; empty if the reader knows the two tables.
        lines: entries that came, went or changed, in words.
        grids: rules, ranks and values that changed; none of them is empty.
        notes: how the changes of values were tested.
    """

    title: str
    lines: tuple[str, ...]
    grids: tuple[Grid, ...]
    notes: tuple[str, ...]

    @property
    def blocks(self) -> list[str]:
        """The entry without its heading, as blocks of Markdown."""
        blocks = [_list(self.lines)] if self.lines else []
        blocks += [grid_markdown(grid) for grid in self.grids]
        return blocks + ([_list(self.notes)] if self.notes else [])


def log_entries(table: Table, tables: Iterable[Table]) -> list[LogEntry]:
    """Return what is new in a table; empty if nothing is.

    It is compared with the version before, and with itself before its last records took the
    places of older ones. Of the values, the primary metric's are compared.

    Args:
        table: the table.
        tables: the candidates for the version before.
    """
    last, before = previous(table, tables), table_before(table)
    found = [
        (f"Changes since protocol {last.protocol.version}", last) if last else None,
        ("Changes by records that took the places of older ones", before) if before else None,
    ]
    compared = [(title, changes(table, earlier)) for title, earlier in filter(None, found)]
    return [_entry(told, title, [table.protocol.primary]) for title, told in compared if told]


def change_log(entries: Iterable[LogEntry]) -> list[str]:
    """Return entries of a log as blocks of a page of Markdown."""
    return [block for each in entries for block in (f"### {escape(each.title)}", *each.blocks)]


def change_blocks(told: Changes) -> list[str]:
    """Return changes as blocks of Markdown, all metrics among them."""
    return _entry(told).blocks


def _entry(told: Changes, title: str = "", metrics: Sequence[str] | None = None) -> LogEntry:
    """Write changes out; the values are those of some metrics, or of all (None)."""
    shifted = [shift for shift in told.shifts if metrics is None or shift.metric in metrics]
    return LogEntry(
        title,
        tuple(_lines(told)),
        tuple(grid for grid in _grids(told, shifted) if grid.lines),
        tuple(_notes(told, shifted)) if shifted else (),
    )


def changes_document(told: Changes) -> dict[str, Any]:
    """Return changes as plain JSON types; rates are fractions."""
    return {
        "rules": [asdict(rule) for rule in told.rules],
        "came": list(told.came),
        "went": list(told.went),
        "superseded": [
            {"entry": each.entry, "seeds": list(each.seeds)} for each in told.superseded
        ],
        "turns": [asdict(turn) for turn in told.turns],
        "ranks": [asdict(moved) for moved in told.moved],
        "values": [_document(shift) for shift in told.shifts],
    }


def _document(shift: Shift) -> dict[str, Any]:
    return {
        "entry": shift.entry,
        "metric": shift.metric,
        "before": six_digits(shift.before),
        "after": six_digits(shift.after),
        "p": None if shift.p is None else six_digits(shift.p),
        "verdict": shift.verdict,
        "why": shift.why,
    }


def _lines(told: Changes) -> list[str]:
    """Return the changes that are written in words."""
    lines = {
        "New": "; ".join(told.came),
        "No longer there": "; ".join(told.went),
        "Later records": "; ".join(
            f"{each.entry} (seed {', '.join(map(seed_text, each.seeds))})"
            for each in told.superseded
        ),
        "Ranks": _reasons(told),
    }
    entries = [
        f"{turn.entry}: {turn.what} {turn.before or UNKNOWN} → {turn.after or UNKNOWN}"
        for turn in told.turns
    ]
    return [f"{label}: {text}." for label, text in lines.items() if text] + entries


def _reasons(told: Changes) -> str:
    """Say why there are no ranks any more, or why there were none."""
    before, after = told.earlier.ranking.reason, told.later.ranking.reason
    if before == after:
        return ""
    return f"blank now: {after}" if after else f"told now; they were blank: {before}"


def _grids(told: Changes, shifted: Sequence[Shift]) -> Iterator[Grid]:
    """Return the grids of rules, ranks and values that changed."""
    rules = [(cell(rule.name), *map(cell, rule_texts(rule))) for rule in told.rules]
    yield _grid("Rules", ("rule", "before", "after"), rules, numeric=())
    ranks = [
        (cell(each.entry), *(number_cell(rank, str(rank)) for rank in (each.before, each.after)))
        for each in told.moved
    ]
    yield _grid("Ranks", (ENTRY, "rank before", "rank"), ranks, numeric=(1, 2))
    titles = (ENTRY, "metric", "before", "after", "change", "p", "change is")
    facts = told.later.protocol.facts
    values = [_value_cells(shift, facts[shift.metric]) for shift in shifted]
    yield _grid("Values", titles, values, numeric=(2, 3, 4, 5))


def _value_cells(shift: Shift, facts: MetricFacts) -> tuple[Cell, ...]:
    change = shift.after - shift.before
    text = plain(change, facts)
    p = "" if shift.p is None else "under 0.001" if shift.p < 0.001 else f"{shift.p:.3f}"
    return (
        cell(shift.entry),
        cell(heading(facts)),
        number_cell(shift.before, plain(shift.before, facts)),
        number_cell(shift.after, plain(shift.after, facts)),
        number_cell(change, text if text.startswith("-") else f"+{text}"),
        number_cell(shift.p, p),
        cell(shift.verdict),
    )


def _notes(told: Changes, shifted: Sequence[Shift]) -> list[str]:
    """Explain the verdicts, and why there are none."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for shift in shifted:
        if shift.why:
            reasons[shift.why].append(shift.entry)
    notes = [TESTED] if any(shift.p is not None for shift in shifted) else []
    if any(rule.name == "protocol digest" for rule in told.rules):
        notes.append("The protocol changed too, so a change may be its own and not the entry's.")
    named = {why: "; ".join(dict.fromkeys(names)) for why, names in reasons.items()}
    return notes + [f"Not comparable, as {why}: {names}." for why, names in named.items()]


def _grid(
    title: str, titles: Sequence[str], lines: Sequence[Sequence[Cell]], numeric: Sequence[int]
) -> Grid:
    columns = [
        Column(head, tuple(line[i] for line in lines), numeric=i in numeric)
        for i, head in enumerate(titles)
    ]
    return Grid(tuple(columns), title)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)
