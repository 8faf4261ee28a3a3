"""The test in parts: by duration, gender, session, genre, and by whatever the corpus tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.board.record_paths import slug
from harness.board.standing.figures import UNKNOWN, plain
from harness.records.details_schema import Breakdown, Details, Group, GroupMetric
from harness.records.record import MetricFacts, Record
from harness.report.drawing import PANEL, drawing, drawn_name, look, svg
from harness.report.run import Run
from harness.report.section import Block, Paragraph, ReportPicture, ReportTable, Section
from harness.report.text import ENGLISH, Words, read_words
from harness.trials.det_plot import legend_below

Held = Mapping[str, tuple[Record, Details]]
"""Name of a run -> its record and its details."""

CLASSES = "class"
"""The breakdown that the section on classes shows, where the scores are here."""

ROW = 0.26
"""Inches of a group in a picture."""


def section(runs: Sequence[Run], words: Words) -> Section | None:
    """Show every breakdown of the runs' tests, by their primary metric."""
    held = held_details(runs)
    found = {
        name: each for _, details in held.values() for name, each in details.breakdowns.items()
    }
    blocks: list[Block] = []
    has_classes = any(run.scores is not None for run in runs)
    for name, each in found.items():
        if name != CLASSES or not has_classes:
            blocks += breakdown(name, each, held, words)
    if not blocks:
        return None
    unit = next(iter(held.values()))[0].dataset.unit
    lead = [words("conditions.lead", unit=words.get(f"units.{unit}", unit))]
    if any(group.against for each in found.values() for group in each.groups):
        lead.append(words("conditions.against"))
    # Pictures first: they stand beside one another, and the tables below have their numbers.
    blocks.sort(key=lambda block: not isinstance(block, ReportPicture))
    groups = tuple(group.name for each in found.values() for group in each.groups)
    told = Paragraph(words("page.space").join(lead), quiet=True)
    return Section("conditions", words("conditions.title"), (told, *blocks), groups)


def held_details(runs: Sequence[Run]) -> Held:
    """Return the runs that have details of their test, with these."""
    return {
        run.name: (run.record, run.details)
        for run in runs
        if run.record is not None and run.record.metrics and run.details is not None
    }


def breakdown(
    name: str, found: Breakdown, held: Held, words: Words, *, inches: float = PANEL[0]
) -> list[ReportTable | ReportPicture]:
    """Return the table of a breakdown, and its picture if two groups have a metric.

    Args:
        name: of the breakdown.
        found: one of the runs' breakdowns of that name.
        held: as `held_details`.
        words: of the page's language.
        inches: width of the picture.
    """
    columns = {
        run: {group.name: group for group in details.breakdowns[name].groups}
        for run, (_, details) in held.items()
        if name in details.breakdowns
    }
    groups = {group: each for column in columns.values() for group, each in column.items()}
    facts = {run: held[run][0].protocol.facts[held[run][0].protocol.primary] for run in columns}
    primary = {run: held[run][0].protocol.primary for run in columns}
    shown = next(iter(facts.values()))
    title = words.get(f"conditions.by_{name}") or found.title
    metric = words.get(f"metrics.{next(iter(primary.values()))}", shown.title)
    caption = words("conditions.caption", what=title, metric=metric)
    caption += f" ({shown.unit})" if shown.unit else ""
    unit = next(iter(held.values()))[0].dataset.unit
    with_units = any(group.units != group.items for group in groups.values())
    own = list(columns) if len(columns) > 1 else [metric]
    head = [title, *own, *([words.get(f"units.{unit}", unit)] * with_units)]
    head.append(words("conditions.items"))
    with_trials = any(group.trials is not None for group in groups.values())
    head += [words(f"conditions.{each}") for each in ("trials", "targets")] * with_trials
    rows = [
        (
            group_name(group, words),
            *(
                _cell(column.get(group), primary[run], facts[run])
                for run, column in columns.items()
            ),
            *_counts(each, with_units=with_units, with_trials=with_trials),
        )
        for group, each in groups.items()
    ]
    numeric = frozenset(range(1, len(head)))
    blocks: list[ReportTable | ReportPicture] = [
        ReportTable(tuple(head), tuple(rows), caption, numeric)
    ]
    if picture := _draw(columns, primary, facts, list(groups), inches):
        alt = words("conditions.alt", what=title, metric=metric)
        blocks.append(ReportPicture(f"condition-{slug(name)}", picture, alt, alt, width=0.33))
    return blocks


def group_name(name: str, words: Words) -> str:
    """Return a group's name in the language; names of the corpus stay as they are."""
    value = name.removeprefix("both ")
    named = name if value == name else words("conditions.both", value=value)
    return words.get(f"groups.{name}", named)


def _counts(group: Group, *, with_units: bool, with_trials: bool) -> list[str]:
    counts = [*([group.units] * with_units), group.items]
    if with_trials:
        counts += [group.trials or 0, group.targets or 0]
    return [f"{count:,}" for count in counts]


def _cell(group: Group | None, metric: str, facts: MetricFacts) -> str:
    found = group.metrics.get(metric) if group else None
    if found is None:
        return UNKNOWN
    if found.low is None or found.high is None:
        return plain(found.value, facts)
    return f"{plain(found.value, facts)} ({plain(found.low, facts)}–{plain(found.high, facts)})"


def _ends(metric: GroupMetric) -> tuple[float, float]:
    """Return the interval; of a metric without one its value twice."""
    if metric.low is None or metric.high is None:
        return metric.value, metric.value
    return metric.low, metric.high


def _draw(
    columns: Mapping[str, Mapping[str, Group]],
    primary: Mapping[str, str],
    facts: Mapping[str, MetricFacts],
    groups: Sequence[str],
    inches: float,
) -> bytes | None:
    """Draw each group's metric with its interval; None if no group has one."""
    told: dict[str, dict[str, GroupMetric]] = {}
    for run, column in columns.items():
        told[run] = {
            name: metric
            for name in groups
            if name in column and (metric := column[name].metrics.get(primary[run])) is not None
        }
    drawn = [name for name in groups if any(name in own for own in told.values())]
    if len(drawn) < 2:
        return None
    with drawing(inches, 0.9 + ROW * len(drawn) * (1 + 0.4 * (len(told) - 1))) as figure:
        axes = figure.add_subplot()
        for place, (run, own) in enumerate(told.items()):
            scale = 100 if facts[run].unit == "%" else 1
            shift = (place - (len(told) - 1) / 2) * 0.7 / len(told)
            at = [drawn.index(name) + shift for name in own]
            ends = [_ends(metric) for metric in own.values()]
            style = look(place) | {"linestyle": "none", "label": drawn_name(run, place)}
            axes.hlines(at, *zip(*((a * scale, b * scale) for a, b in ends), strict=True),
                        color=style["color"], linewidth=1.4)  # fmt: skip
            axes.plot([metric.value * scale for metric in own.values()], at, **style)
        english = [group_name(name, read_words(ENGLISH)) for name in drawn]
        axes.set_yticks(range(len(drawn)), [drawn_name(name, i) for i, name in enumerate(english)])
        axes.set_ylim(len(drawn) - 0.5, -0.5)
        axes.grid(axis="x", color="0.9", linewidth=0.6)
        shown = next(iter(facts.values()))
        axes.set_xlabel(f"{shown.title} ({shown.unit})" if shown.unit else shown.title)
        if len(told) > 1:
            legend_below(figure, 8)
        return svg(figure)
