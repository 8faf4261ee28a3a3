"""What was run, on what, under which rules and where, with its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.board.standing.figures import UNKNOWN, plain
from harness.records.record import Metric, MetricFacts
from harness.report.recorded import say_again
from harness.report.run import Run
from harness.report.run_facts import facts, numbered
from harness.report.section import Block, Facts, Paragraph, ReportTable, Section
from harness.report.text import Words


def section(runs: Sequence[Run], words: Words) -> Section:
    """Say what each run was, with every metric of its record."""
    blocks: list[Block] = [Paragraph(lead(run, words)) for run in runs if run.record]
    leaky = {run.record.dataset.leaks for run in runs if run.record and run.record.is_leaky}
    blocks += [Paragraph(words("head.leaky", honest=name)) for name in sorted(leaky)]
    if logs := [run.name for run in runs if run.record is None]:
        blocks.append(Paragraph(words("head.lead_log", name=words("page.and").join(logs))))
    blocks += [Paragraph(text) for run in runs if (text := lacking(run, words, runs))]
    brackets = dict.fromkeys(text for run in runs if (text := _brackets(run, words)))
    blocks += [Paragraph(text, quiet=True) for text in brackets]
    blocks += metric_table(runs, words)
    told = [facts(run, words) for run in runs]
    longest = sorted(told, key=len, reverse=True)
    names = list(dict.fromkeys(name for each in longest for name, text in each.items() if text))
    shared = [name for name in names if len({each.get(name) for each in told}) == 1]
    differing = [name for name in names if name not in shared]
    if differing:
        head = (words("head.what"), *(run.name for run in runs))
        rows = [(words(f"head.{n}"), *(each.get(n) or UNKNOWN for each in told)) for n in differing]
        blocks.append(ReportTable(head, tuple(rows)))
        blocks += [Paragraph(words("head.shared") + words("page.colon"))] * bool(shared)
    if shared:
        blocks.append(Facts(tuple((words(f"head.{name}"), told[0][name]) for name in shared)))
    return Section("head", words("head.title"), tuple(blocks))


def lead(run: Run, words: Words) -> str:
    """Return the result of a run of ours in a sentence, with its interval, or why it has none."""
    record = run.record
    if record is None:
        raise TypeError(f"{run.name} has no record")
    if record.state != "done":
        state = words(f"states.{record.state}")
        reason = say_again(record.reason or "?", words)
        return words("head.lead_failed", name=run.name, state=state, reason=reason)
    primary = record.protocol.primary
    facts, metric = record.protocol.facts[primary], record.metrics[primary]
    return words(
        "head.lead",
        name=run.name,
        data=record.dataset.name,
        metric=metric_title(primary, record.protocol.facts, words),
        result=metric_text(metric, facts),
    )


def lacking(run: Run, words: Words, runs: Sequence[Run]) -> str:
    """Return why a run of ours has no sections on its test; empty if it has them."""
    if run.record is None or run.record.state != "done" or not run.lacking:
        return ""
    told = words("head.lacking", reason=say_again(run.lacking, words))
    return f"{run.name}{words('page.colon')}{told}" if len(runs) > 1 else told


def _brackets(run: Run, words: Words) -> str:
    """Return what the brackets behind a run's figures are; empty if it has no interval."""
    record = run.record
    if record is None or not any(metric.low is not None for metric in record.metrics.values()):
        return ""
    units = record.dataset.counts.get("test", {}).get("units", 0)
    return words("head.brackets", units=numbered(units, record.dataset.unit, words))


def metric_table(runs: Sequence[Run], words: Words) -> list[ReportTable]:
    """Return the table of every metric of the runs' records, the primary one first."""
    own = [(run.name, run.record) for run in runs if run.record is not None and run.record.metrics]
    told: dict[str, MetricFacts] = {}
    for _, record in own:
        told |= record.protocol.facts
    held_names = dict.fromkeys([*told, *(name for _, record in own for name in record.metrics)])
    names = words.in_order("metrics", held_names)
    rows = []
    for name in names:
        held = [record.metrics.get(name) for _, record in own]
        if any(held):
            cells = [metric_text(each, told.get(name)) if each else UNKNOWN for each in held]
            note = words.get(f"metric_notes.{name}")
            rows.append((metric_title(name, told, words), *cells, note))
    if not rows:
        return []
    values = [name for name, _ in own] if len(own) > 1 else [words("head.value")]
    head = (words("head.metric"), *values, words("head.meaning"))
    numeric = frozenset(range(1, len(own) + 1))
    return [ReportTable(head, tuple(rows), words("head.metrics"), numeric, noted=True)]


def metric_title(name: str, facts: Mapping[str, MetricFacts], words: Words) -> str:
    """Return a metric's name in the language, else as its facts have it, else as the record has."""
    return words.get(f"metrics.{name}", facts[name].title if name in facts else name)


def metric_text(metric: Metric, facts: MetricFacts | None) -> str:
    """Return a metric with its interval, as `5.31 % (4.62-6.07)`."""
    unit = "%" if metric.unit == "%" else ""
    shown = facts or MetricFacts(
        title="", unit=unit, higher_is_better=False, decimals=3 - bool(unit)
    )
    text = f"{plain(metric.value, shown)} {shown.unit}".rstrip()
    if metric.low is None or metric.high is None:
        return text
    return f"{text} ({plain(metric.low, shown)}–{plain(metric.high, shown)})"
