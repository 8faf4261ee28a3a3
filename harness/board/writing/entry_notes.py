"""Footnotes on costs, and on what was particular in how single entries were made."""

from __future__ import annotations

from collections.abc import Callable

from harness.board.evidence import UNSEEN
from harness.board.standing.costs import (
    DISTURBED,
    GIB,
    SHOWN,
    budgets,
    cost_of,
    environments,
    is_disturbed,
    largest_training_batch,
    memory_prediction,
)
from harness.board.standing.figures import plain, plural, significant
from harness.board.standing.rows import CLAIM, DAGGER
from harness.board.standing.table import Table
from harness.board.writing.entry_grids import TRAINING_ACCURACY
from harness.config.recipe_tables import in_parts, items_in_part
from harness.health.training_end import mean_end
from harness.records.costs import Resources
from harness.records.record import Record

MEMORY = {
    "gpu": "gpu: what the allocator reserved on the card",
    "process": "process: main memory of the whole process, which tells nothing of a GPU",
    "predicted": "predicted: not measured",
}
"""Words beside a peak, with their meaning."""

LEARNT = 0.5
"""Below this share of right training decisions, a row says that its training was cut short."""

BY_HEART = 0.9
"""From this share of right training decisions on, a row may have learnt them by heart."""

FAR = 0.1
"""Training accuracy lies far above the test if it does by this much."""


def cost_footnotes(table: Table) -> list[str]:
    """Return every footnote on costs, in a fixed order."""
    over = "seeds and folds" if table.folds else "seeds"
    means = f"Speeds and times are means over {over}; memory is the most of them."
    several = any(len(row.records) > 1 for row in table.rows) and environments(table.rows)
    notes = [means if several else "", _disturbance(table), _memory(table), _predictions(table)]
    return [note for note in [*notes, _largest(table), _macs(table), *_cost_notes(table)] if note]


def _cost_notes(table: Table) -> list[str]:
    """Return the notes that shown quantities declare."""
    rows = [row for row in table.rows if row.is_done]
    return [
        facts.note
        for name, facts in SHOWN.items()
        if facts.note and any(cost_of(row.records, name) is not None for row in rows)
    ]


def _disturbance(table: Table) -> str:
    """Count the times that are not shown because something else ran beside."""
    done = [record.resources for row in table.rows if row.is_done for record in row.records]
    trained = sum(is_disturbed(each.cpu_wait) for each in done)
    measured = sum(is_disturbed(each.measuring_cpu_wait) for each in done)
    left = [f"the training times of {plural(trained, 'record')}"] * bool(trained)
    left += [f"the speeds of {plural(measured, 'record')}"] * bool(measured)
    if not left:
        return ""
    return (
        f"Not shown: {' and '.join(left)}, because something else ran beside (threads waited for a "
        f"processor more than {100 * DISTURBED:g} % of their time)."
    )


def _memory(table: Table) -> str:
    """Explain the words beside a peak."""
    done = [record.resources for row in table.rows if row.is_done for record in row.records]
    used = {each.training_memory.counted for each in done if each.training_memory}
    said = [text for word, text in MEMORY.items() if word in used]
    return f"Memory, {'; '.join(said)}." if said else ""


def _predictions(table: Table) -> str:
    if not any(memory_prediction(row) for row in table.rows):
        return ""
    return (
        "GPU memory that is not marked as measured is predicted: what a GPU's allocator would take "
        "for a training step, told before anything runs, the driver's context not in it. It fits: "
        "the batch that the recipe asks for, within the memory budget and at once, or in parts "
        "whose gradients are added."
    )


def _largest(table: Table) -> str:
    """Name the budget within which the largest batch was sought."""
    if not any(largest_training_batch(row) for row in table.rows):
        return ""
    sizes = " or ".join(f"{significant(size / GIB)} GiB" for size in budgets(table.rows))
    return (
        f"Largest training batch: items of a training step that fit {sizes or 'the budget'} at "
        "once, predicted: the memory budget, without what of the card is not for tensors."
    )


def _macs(table: Table) -> str:
    inputs = sorted({record.resources.macs_input for record in table.records} - {""})
    return f"MACs: multiply-adds of one forward pass of {' or '.join(inputs)}." if inputs else ""


def row_footnotes(table: Table, *, brief: bool = False) -> list[str]:
    """Return every footnote on single entries, in a fixed order.

    Args:
        table: the table.
        brief: only those without which its numbers would be misread.
    """
    said = {note: _each(table, say) for note, say in NOTES.items()}
    found = {note: note.format(entries) for note, entries in said.items() if entries}
    own = [] if brief else _own_notes(table)
    if brief:
        found.pop(SEARCHES, None)
    before = [text for note, text in found.items() if note not in LAST]
    after = [text for note, text in found.items() if note in LAST]
    general = (
        _pin_note(table),
        _unlearnt(table),
        _still_learning(table),
        _by_heart(table),
        _stated(table),
        _unseen(table),
    )
    return [*filter(None, general), *before, *own, *after]


def _pin_note(table: Table) -> str:
    if all(record.dataset.pinned for record in table.records):
        return ""
    return (
        f"Unpinned: {table.dataset.name} agrees with its published counts, but no content of it is "
        "in the lock yet; its first owner pins it with `harness data check --full`."
    )


def _unlearnt(table: Table) -> str:
    """Name the entries that did not even learn their training data."""
    named = zip(table.rows, table.labels, strict=True)
    found = [(name, row.figure(TRAINING_ACCURACY)) for row, name in named]
    low = [(name, figure) for name, figure in found if figure and figure.value < LEARNT]
    if not low:
        return ""
    said = "; ".join(f"{name} ({100 * figure.value:.1f} %)" for name, figure in low)
    return (
        f"{_length(table)}: {said} had fewer than {100 * LEARNT:.0f} % of training decisions right "
        "when training ended; such a row tells of the length of the run more than of the entry."
    )


def _length(table: Table) -> str:
    """Return what a table's length of training is: a point of a curve if it is one budget."""
    return f"{point_text(table)[0].upper()}{point_text(table)[1:]}" if table.budget else "Cut short"


def point_text(table: Table) -> str:
    """Return the place of a table on the curve over budgets; of a single one, the first."""
    cropped = any((record.recipe or {}).get("crop_seconds") for record in table.records)
    crops = f"after {table.budget:,} {'crops' if cropped else 'items'}"
    if not table.is_point or table.budget == table.budgets[0]:
        return f"the first point of a curve over budgets, {crops}"
    if table.is_endpoint:
        return f"the last of {len(table.budgets)} points of the curve over budgets, {crops}"
    place = table.budgets.index(table.budget or 0) + 1
    return f"point {place} of {len(table.budgets)} of the curve over budgets, {crops}"


def _still_learning(table: Table) -> str:
    """Name the entries whose training accuracy or validation was still getting better."""
    primary = table.protocol.primary
    facts = table.facts[primary]
    told = []
    for name, row in zip(table.labels, table.rows, strict=True):
        end, said = mean_end(row.ends), []
        if rise := end.rise:
            before, after = (100 * each for each in rise)
            said.append(f"training accuracy {before:.1f} to {after:.1f} % over its last fifth")
        if gain := end.gain(primary, higher_is_better=facts.higher_is_better):
            first, last = gain
            unit = f" {facts.unit}".rstrip()
            said.append(
                f"{facts.title} on validation {plain(first, facts)} to {plain(last, facts)}{unit} "
                "over its later half"
            )
        if said:
            told.append(f"{name} ({', '.join(said)})")
    return f"Still rising when training ended: {'; '.join(told)}." if told else ""


def _by_heart(table: Table) -> str:
    """Name the entries whose training accuracy lies far above what the test shows."""
    primary = table.protocol.primary
    facts = table.facts[primary]
    if facts.unit != "%":
        return ""
    told = []
    for name, row in zip(table.labels, table.rows, strict=True):
        learnt, figure = row.figure(TRAINING_ACCURACY), row.figure(primary)
        if not learnt or not figure or learnt.value < BY_HEART:
            continue
        right = figure.value if facts.higher_is_better else 1 - figure.value
        if learnt.value - right >= FAR:
            shown = f"{100 * learnt.value:.1f} %, {facts.title} {plain(figure.value, facts)} %"
            told.append(f"{name} ({shown})")
    if not told:
        return ""
    return (
        f"Training accuracy far above the test: {'; '.join(told)}; what they learnt of their "
        "training data does not carry over as far."
    )


def _stated(table: Table) -> str:
    """Name the entries that ran elsewhere, by nobody who signed it, and tell costs all the same."""
    named = [
        (name, any(record.resources != Resources() for record in row.records))
        for row, name in zip(table.rows, table.labels, strict=True)
        if row.is_done and row.trust == "rescored" and row.first.submission is None
    ]
    if not any(has_costs for _, has_costs in named):
        return ""
    compared = sum(row.is_compared for row in table.rows)
    names = "; ".join(name for name, has_costs in named if has_costs)
    of = "all entries" if len(named) == compared else names
    return f"Not signed, so that memory, speed and time are as whoever brought them says: {of}."


def _unseen(table: Table) -> str:
    """Name the entries that a signature alone carries."""
    named = zip(table.rows, table.labels, strict=True)
    names = "; ".join(name for row, name in named if row.flag)
    flag = f"{UNSEEN[0].upper()}{UNSEEN[1:]}"
    return f"{flag}, as licence or size forbid it: {names}." if names else ""


def _own_notes(table: Table) -> list[str]:
    named = zip(table.rows, table.labels, strict=True)
    noted = [(name, note) for row, name in named for r in row.records for note in r.notes]
    return [f"On {name}: {note}" for name, note in dict.fromkeys(noted)]


def _each(table: Table, say: Callable[[Record], str]) -> str:
    """Apply a note to single entries, in the order of the rows; empty if it is for none."""
    each = [" / ".join(filter(None, dict.fromkeys(map(say, row.records)))) for row in table.rows]
    named = zip(each, table.labels, strict=True)
    return "; ".join(f"{name} ({said})" for said, name in named if said)


def _batch(record: Record) -> str:
    held = record.resources
    asked, used, parts = held.batch_asked, held.batch_used, held.micro_batches or 1
    if asked == used and parts == 1:
        return ""
    if used is None:
        return f"{asked or 'unknown'} asked, unknown used"
    part = items_in_part(used, parts)
    norm = ", batch normalisation over all" * record.joins_batch_norm
    if asked == used:
        return f"{in_parts(used, part)}{norm}"
    return f"{asked or 'unknown'} asked, {in_parts(used, part, 'used')}{norm}"


def _left_out(record: Record) -> str:
    return plural(len(record.dataset.left_out), "damaged item") if record.dataset.left_out else ""


def _provenance(record: Record) -> str:
    """Return the provenance of an entry made elsewhere, as its submitter states it."""
    given = record.submission
    if record.trust == "claimed" and "evaluate" in record.stages:
        return LACKING
    by = given.submitter and f"by {given.submitter}" if given else ""
    told = (given.system, by, given.source) if given else ()
    return ", ".join(text for text in told if text) or "source not told"


LACKING = "neither its scores nor a signature that counts lie beside its record"

SEARCHES = "Configurations tried before the one shown: {}."
RESCORED = "Computed elsewhere, judged here: {}."
CLAIMED = f"{CLAIM} Claimed, not checked here, so in no rank and on no front: {{}}."
LAST = (RESCORED, CLAIMED)
"""Notes that come after the entries' own."""

NOTES: dict[str, Callable[[Record], str]] = {
    f"{DAGGER} Left out on request: {{}}.": _left_out,
    "Batch: {}.": _batch,
    "The test set was scored more than once by {}.": lambda record: (
        f"{record.test_looks} times" * (record.test_looks > 1)
    ),
    SEARCHES: lambda record: f"{record.searched} tried" * (record.searched > 1),
    "Weights made elsewhere: {}.": lambda record: (
        f"trained on: {', '.join(record.trained_on or ['not told'])}"
        * (record.track == "checkpoint")
    ),
    RESCORED: lambda record: (
        _provenance(record) * (record.trust == "rescored" and record.submission is not None)
    ),
    CLAIMED: lambda record: _provenance(record) * (record.trust == "claimed"),
}
"""Each note with its entries left open, and what it says of a record; empty of most."""
