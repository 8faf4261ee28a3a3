"""The text around a table: its heading and head, and the footnotes; all of it is generated."""

from __future__ import annotations

import statistics
from collections import Counter
from functools import lru_cache
from typing import Any

from harness.board.standing.costs import environments
from harness.board.standing.figures import plain, plural
from harness.board.standing.rows import LEAKY, seed_text
from harness.board.standing.table import Table
from harness.board.writing.entry_notes import cost_footnotes, point_text, row_footnotes
from harness.metrics.seed_spread import SeedSpread
from harness.records.documents import canonical_json
from harness.records.record import MetricFacts, Record

TRUST = {
    "claimed": "figures taken from elsewhere, not checked here",
    "rescored": "scores made elsewhere, metrics computed from them",
    "measured": "run and measured by the harness; where published, signed by a listed key",
    "reproduced": "measured, and made again by somebody else",
    LEAKY: "copies of one picture are trained on and tested, on purpose, to show what it is worth",
}


def title(table: Table) -> str:
    """Return the table's heading: dataset, profile, protocol version, one of several budgets."""
    at = f", {table.budget:,} crops" if table.is_point else ""
    return f"{data_title(table)}{at}"


def data_title(table: Table) -> str:
    """Return what the tables of all budgets share of their headings."""
    dataset, protocol = table.dataset, table.protocol
    synthetic = " (synthetic)" if dataset.synthetic else ""
    name = dataset.title or dataset.name
    return f"{name}{synthetic}, {protocol.profile} profile, protocol {protocol.version}"


def head(table: Table) -> list[tuple[str, str]]:
    """Return the head's lines, each a label and its text."""
    lines = [
        ("Data", _data(table)),
        ("Test", _test(table)),
        ("Protocol", _protocol(table)),
        ("Training", _training(table)),
        ("Speed and memory", _machine(table)),
    ]
    return [(label, text) for label, text in lines if text]


def _data(table: Table) -> str:
    dataset = table.dataset
    kind = "synthetic; " if dataset.synthetic else ""
    state = "lock" if dataset.pinned else "unpinned"
    return f"{kind}{dataset.name}, licence {dataset.licence}, {state} {dataset.lock[:12]}"


def _test(table: Table) -> str:
    """Return the test counts, and the unit that was resampled for the intervals."""
    unit, counts = table.dataset.unit, table.dataset.counts.get("test", {})
    nouns = {"units": unit, "items": "item", "trials": "trial", "targets": "target trial"}
    said = [plural(counts[key], noun) for key, noun in nouns.items() if key in counts]
    said += [plural(counts[key], key) for key in sorted(counts.keys() - nouns.keys())]
    said += [f"in {table.folds} folds"] if table.folds else []
    how = f"leave {unit}s out one at a time" if table.folds else f"resample {unit}s"
    return f"{', '.join(said) or 'counts not recorded'}; intervals {how}"


def _protocol(table: Table) -> str:
    protocol = table.protocol
    parameters = [f"{key} {_value(value)}" for key, value in sorted(protocol.parameters.items())]
    return ", ".join([f"version {protocol.version}", f"digest {protocol.digest[:12]}", *parameters])


def _training(table: Table) -> str:
    """Return the tracks, and each recipe's length and batch."""
    trained = [record for record in table.records if record.recipe is not None]
    tracks = sorted({record.track for record in trained})
    recipes = sorted({_recipe(record) for record in trained})
    point = [point_text(table)] if table.budget else []
    said = [f"{' and '.join(tracks)} track", *recipes, *point]
    return "; ".join(said) if trained else ""


def _recipe(record: Record) -> str:
    recipe = record.recipe or {}
    said = [f"{_value(recipe[key])} {key}" for key in ("steps", "epochs") if recipe.get(key)]
    said += [f"batch {_value(recipe['batch'])}"] if "batch" in recipe else []
    precision = recipe.get("precision", "32-true")
    said += [f"in {precision}"] if precision != "32-true" else []
    return f"recipe {record.recipe_name or 'without a name'}: {', '.join(said) or 'length unknown'}"


def _machine(table: Table) -> str:
    where = environments(table.rows)
    if len(where) > 1:
        return f"measured in {len(where)} environments, so each has a table of its own below"
    return "".join(where.values())


def _value(value: Any) -> str:
    """Return a parameter as people write it: integers without a point, text without quotes."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return canonical_json(value)
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


@lru_cache(maxsize=2)
def footnotes(table: Table) -> list[str]:
    """Return every footnote of a table, in a fixed order."""
    ends = [_trust(table), *_passed_over(table), _unshown(table)]
    notes = [*_general(table), *cost_footnotes(table), *row_footnotes(table), *ends]
    return [note for note in notes if note]


def folded_footnotes(table: Table) -> list[str]:
    """Return the footnotes but those on single entries that nobody should miss."""
    shown = set(row_footnotes(table, brief=True))
    return [note for note in footnotes(table) if note not in shown]


def brief_footnotes(table: Table) -> list[str]:
    """Return the footnotes without which the numbers of a narrow table would be misread."""
    notes = [*_general(table), *row_footnotes(table, brief=True), *_passed_over(table)]
    return [note for note in notes if note]


def _general(table: Table) -> list[str]:
    ranks = [_ranks(table), _apart(table), _visible(table)]
    return [_folds(table), *ranks, _brackets(table), _seeds(table)]


def _folds(table: Table) -> str:
    """Say how a dataset without a test split of its own is judged."""
    if table.folds is None:
        return ""
    units, unit = table.dataset.counts.get("test", {}).get("units"), table.dataset.unit
    over = plural(units, unit) if units else f"{unit}s"
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


def _apart(table: Table) -> str:
    """Name the entries that are left out of ranking by themselves."""
    named = zip(table.labels, table.ranking.apart, strict=False)
    said = "; ".join(f"{name} ({why})" for name, why in named if why)
    return f"Left out of ranking, and of the others' ranks: {said}." if said else ""


def _visible(table: Table) -> str:
    """Name the smallest difference that this table could have seen."""
    visible, facts = table.ranking.visible, table.facts[table.protocol.primary]
    if visible is None:
        return ""
    unit = " points" if facts.unit == "%" else f" {facts.unit}".rstrip()
    seeds = ", the spread of seeds in it" if table.ranking.spread else ""
    return (
        f"With {plural(table.ranking.units or 0, table.dataset.unit)}, two entries must typically "
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
    """Give the spread over seeds, pooled if entries have few."""
    primary, spread = table.protocol.primary, table.ranking.spread
    facts = table.facts[primary]
    trained = [row for row in table.rows if not row.first.is_baseline and not row.is_claimed]
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
        f"({plural(spread.freedom, 'degree')} of freedom), and entries with one seed borrow it."
    )


def _at(typical: float, spread: SeedSpread, facts: MetricFacts) -> str:
    """Name the value at which a pooled spread is given, if it depends on the value."""
    if spread.scale == "plain":
        return ""
    return f" at the median {facts.title} of {plain(typical, facts)}, pooled as logits"


def _trust(table: Table) -> str:
    used = {row.shown_trust for row in table.rows if row.is_done}
    said = [f"{word}: {text}" for word, text in TRUST.items() if word in used]
    return f"Trust, {'; '.join(said)}." if said else ""


def _passed_over(table: Table) -> list[str]:
    return [_older_records(table), _weaker_records(table)]


def _older_records(table: Table) -> str:
    if not table.superseded:
        return ""
    be = "is" if table.superseded == 1 else "are"
    older = plural(table.superseded, "older record")
    return f"There {be} {older} of the same entries and seeds; only the latest is shown."


def _weaker_records(table: Table) -> str:
    """Name the entries of which records are passed over, and what those were trusted as."""
    told = Counter(
        f"{each.record.entry} (seed {seed_text(each.record.seed)}, {each.record.trust})"
        for each in table.weaker
    )
    named = "; ".join(f"{plural(count, 'record')} of {what}" for what, count in told.items())
    return f"Passed over, as there is more evidence for their entries: {named}." if told else ""


def _unshown(table: Table) -> str:
    """Name metrics that cannot be shown, as they have no facts."""
    recorded = {name for record in table.records for name in record.metrics} - set(table.facts)
    said = ", ".join(sorted(recorded))
    return f"In the records, with no column here: {said}." if recorded else ""
