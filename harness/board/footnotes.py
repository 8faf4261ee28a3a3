"""A table's footnotes: what a reader must know to read its numbers rightly, all generated."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable

from harness.board.environments import DISTURBED, disturbed, environments
from harness.board.labels import DAGGER, labels
from harness.board.numbers import counted, plain
from harness.board.rows import Row
from harness.board.table import Table
from harness.metrics.seeds import SeedSpread
from harness.records.record import Memory, MetricFacts, Record

TRAINING_ACCURACY = "training_accuracy"
"""The metric that the training loop leaves, whatever the task."""

LEARNT = 0.5
"""Below this share of right training decisions, a row says that its training was cut short."""

TRUST = {
    "claimed": "figures taken from elsewhere, not checked here",
    "rescored": "scores made elsewhere, metrics computed here",
    "measured": "run and measured here by the harness",
    "reproduced": "run here, and again by somebody else",
}


def footnotes(table: Table) -> list[str]:
    """Every footnote of a table, in a fixed order."""
    general = [_folds(table), _ranks(table), _visible(table), _brackets(table), _seeds(table)]
    cost = [_costs(table), _disturbed(table), _memory(table), _macs(table)]
    rows = [_unpinned(table), _unlearnt(table), _left_out(table), _batches(table), _looks(table)]
    rows += [_searched(table), _elsewhere(table), *_notes(table)]
    ends = [_trust(table), _superseded(table), _unshown(table)]
    return [note for note in general + cost + rows + ends if note]


def brief_footnotes(table: Table) -> list[str]:
    """The footnotes without which the numbers of a narrow table would be misread."""
    general = [_folds(table), _ranks(table), _visible(table), _brackets(table), _seeds(table)]
    rows = [_unpinned(table), _unlearnt(table), _left_out(table), _batches(table), _looks(table)]
    notes = [*general, *rows, _elsewhere(table), _superseded(table)]
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
    trained = [row for row in table.rows if not row.first.is_baseline]
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


def _costs(table: Table) -> str:
    where = environments(table.rows)
    if any(len(row.records) > 1 for row in table.rows) and where:
        over = "seeds and folds" if table.folds else "seeds"
        return f"Speeds and times are means over {over}; memory is the most of them."
    return ""


def _disturbed(table: Table) -> str:
    """How many times are not shown because something else ran beside."""
    done = [record.resources for row in table.rows if row.done for record in row.records]
    trained = sum(disturbed(each.cpu_wait) for each in done)
    measured = sum(disturbed(each.measuring_cpu_wait) for each in done)
    left = [
        text
        for text, count in (
            (f"the training times of {counted(trained, 'record')}", trained),
            (f"the speeds of {counted(measured, 'record')}", measured),
        )
        if count
    ]
    if not left:
        return ""
    return (
        f"Not shown: {' and '.join(left)}, because something else ran beside (threads waited for a "
        f"processor more than {100 * DISTURBED:g} % of their time)."
    )


def _memory(table: Table) -> str:
    """What the words beside a peak mean."""
    words = {
        "gpu": "gpu: reserved on the card",
        "process": "process: the whole process in main memory",
        "predicted": "predicted: not measured",
    }
    used = {memory.counted for memory in _memories(table)}
    said = [text for word, text in words.items() if word in used]
    return f"Memory, {'; '.join(said)}." if said else ""


def _memories(table: Table) -> Iterable[Memory]:
    done = [record for row in table.rows if row.done for record in row.records]
    return (r.resources.training_memory for r in done if r.resources.training_memory)


def _macs(table: Table) -> str:
    inputs = sorted({record.resources.macs_input for record in table.records} - {""})
    return f"MACs: multiply-adds of one forward pass of {' or '.join(inputs)}." if inputs else ""


def _unpinned(table: Table) -> str:
    if all(record.dataset.pinned for record in table.records):
        return ""
    return (
        f"Unpinned: {table.dataset.name} agrees with its published counts, but no content of it is "
        "in the lock yet; its first owner pins it with `harness data check --full`."
    )


def _unlearnt(table: Table) -> str:
    """Entries that did not even learn what they were trained on."""
    named = zip(table.rows, labels(table.rows), strict=True)
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
    parts = held.micro_batches or 1
    if held.batch_asked == held.batch_used and parts == 1:
        return ""
    used = held.batch_used
    split = f" = {parts} x {math.ceil(used / parts)}" if parts > 1 and used else ""
    if held.batch_asked == used:
        return f"{used}{split}"
    return f"{held.batch_asked or 'unknown'} asked, {used or 'unknown'} used{split}"


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


def _notes(table: Table) -> list[str]:
    named = list(zip(table.rows, labels(table.rows), strict=True))
    noted = [(name, note) for row, name in named for r in row.records for note in r.notes]
    return [f"On {name}: {note}" for name, note in dict.fromkeys(noted)]


def _each(table: Table, say: Callable[[Record], str]) -> str:
    """What is to be said of single entries, in the order of the rows."""
    named = list(zip(table.rows, labels(table.rows), strict=True))
    return "; ".join(f"{name} ({said})" for row, name in named if (said := _over_seeds(row, say)))


def _over_seeds(row: Row, say: Callable[[Record], str]) -> str:
    return " / ".join(dict.fromkeys(said for record in row.records if (said := say(record))))


def _trust(table: Table) -> str:
    used = {row.first.trust for row in table.rows if row.done}
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
    return f"Recorded, not shown: {', '.join(sorted(recorded))}." if recorded else ""
