"""The footnotes on single entries: what was particular in how they were made."""

from __future__ import annotations

from collections.abc import Callable

from harness.board.standing.labels import CLAIM, DAGGER
from harness.board.standing.rows import Row
from harness.board.standing.table import Table
from harness.config.recipe_tables import in_parts, items_in_part
from harness.records.record import Record

TRAINING_ACCURACY = "training_accuracy"
"""The metric that the training loop leaves, whatever the task."""

LEARNT = 0.5
"""Below this share of right training decisions, a row says that its training was cut short."""


def row_footnotes(table: Table, *, brief: bool = False) -> list[str]:
    """Every footnote on single entries, in a fixed order.

    Args:
        table: the table.
        brief: only those without which its numbers would be misread.
    """
    notes = [_unpinned(table), _unlearnt(table), _left_out(table), _batches(table), _looks(table)]
    notes += [_elsewhere(table)] if brief else [_searched(table), _elsewhere(table), *_notes(table)]
    return [note for note in [*notes, _rescored(table), _claimed(table)] if note]


def _unpinned(table: Table) -> str:
    if all(record.dataset.pinned for record in table.records):
        return ""
    return (
        f"Unpinned: {table.dataset.name} agrees with its published counts, but no content of it is "
        "in the lock yet; its first owner pins it with `harness data check --full`."
    )


def _unlearnt(table: Table) -> str:
    """Entries that did not even learn what they were trained on."""
    named = zip(table.rows, table.labels, strict=True)
    found = [(name, row.figure(TRAINING_ACCURACY)) for row, name in named]
    low = [(name, figure) for name, figure in found if figure and figure.value < LEARNT]
    if not low:
        return ""
    said = "; ".join(f"{name} ({100 * figure.value:.1f} %)" for name, figure in low)
    return (
        f"Cut short: {said} had fewer than {100 * LEARNT:.0f} % of training decisions right when "
        "training ended; such a row tells of the length of the run more than of the entry."
    )


def _left_out(table: Table) -> str:
    said = _each(table, lambda record: _damaged(len(record.dataset.left_out)))
    return f"{DAGGER} Left out on request: {said}." if said else ""


def _damaged(number: int) -> str:
    return f"{number:,} damaged {'item' if number == 1 else 'items'}" if number else ""


def _batches(table: Table) -> str:
    said = _each(table, _batch)
    return f"Batch: {said}." if said else ""


def _batch(record: Record) -> str:
    held = record.resources
    asked, used, parts = held.batch_asked, held.batch_used, held.micro_batches or 1
    if asked == used and parts == 1:
        return ""
    if used is None:
        return f"{asked or 'unknown'} asked, unknown used"
    part = items_in_part(used, parts)
    if asked == used:
        return in_parts(used, part)
    return f"{asked or 'unknown'} asked, {in_parts(used, part, 'used')}"


def _looks(table: Table) -> str:
    said = _each(table, lambda record: f"{record.test_looks} times" * (record.test_looks > 1))
    return f"The test set was scored more than once by {said}." if said else ""


def _searched(table: Table) -> str:
    said = _each(table, lambda record: f"{record.searched} tried" * (record.searched > 1))
    return f"Configurations tried before the one shown: {said}." if said else ""


def _elsewhere(table: Table) -> str:
    """What weights made elsewhere were trained on, as far as anybody told."""
    said = _each(table, lambda record: _trained_on(record) * (record.track == "checkpoint"))
    return f"Weights made elsewhere: {said}." if said else ""


def _trained_on(record: Record) -> str:
    return f"trained on: {', '.join(record.trained_on or ['not told'])}"


def _rescored(table: Table) -> str:
    """Who made the scores that were judged here."""
    said = _each(table, lambda record: _given_by(record) * (record.trust == "rescored"))
    return f"Computed elsewhere, judged here: {said}." if said else ""


def _claimed(table: Table) -> str:
    """Who told the figures that were not made here."""
    said = _each(table, lambda record: _given_by(record) * (record.trust == "claimed"))
    if not said:
        return ""
    return f"{CLAIM} Claimed, not checked here, so in no rank and on no front: {said}."


def _given_by(record: Record) -> str:
    """What is known of an entry made elsewhere, as whoever gave it says."""
    given = record.submission
    told = (
        (given.system, given.submitter and f"by {given.submitter}", given.source) if given else ()
    )
    return ", ".join(text for text in told if text) or "source not told"


def _notes(table: Table) -> list[str]:
    named = list(zip(table.rows, table.labels, strict=True))
    noted = [(name, note) for row, name in named for r in row.records for note in r.notes]
    return [f"On {name}: {note}" for name, note in dict.fromkeys(noted)]


def _each(table: Table, say: Callable[[Record], str]) -> str:
    """What is to be said of single entries, in the order of the rows."""
    named = list(zip(table.rows, table.labels, strict=True))
    return "; ".join(f"{name} ({said})" for row, name in named if (said := _over_seeds(row, say)))


def _over_seeds(row: Row, say: Callable[[Record], str]) -> str:
    return " / ".join(dict.fromkeys(said for record in row.records if (said := say(record))))
