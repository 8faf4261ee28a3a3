"""The table of what an export costs: figures on test, size and latency, beside the run's."""

from __future__ import annotations

from collections.abc import Iterator

from harness.board.standing.figures import (
    UNKNOWN,
    Figure,
    heading,
    interval,
    plain,
    plural,
    with_interval,
)
from harness.records.record import Metric, MetricFacts
from harness.use.after_export import AfterExport

MIB = 2**20


def page(found: AfterExport) -> str:
    """Return what each file of an export costs as Markdown."""
    data = found.run.dataset
    synthetic = " (synthetic)" if data.synthetic else ""
    return "\n".join(
        [
            f"# {found.run.entry} on {data.title}{synthetic}, after export",
            "",
            *table(found),
            "",
            f"{made_on(found)} {READING}",
            "",
        ]
    )


READING = (
    "All are judged on the same test trials, thresholds found anew on validation. In brackets "
    "95 %; that of a difference is paired, over units left out of both. Latency: median of one "
    "item alone on one thread, five seconds of sound or a picture; "
    f"{UNKNOWN} where something else ran beside."
)
"""How a table is to be read, whatever is in it."""


def made_on(found: AfterExport) -> str:
    """Return the test and the machine of a table, in a sentence."""
    counts, unit = found.run.dataset.counts["test"], found.run.dataset.unit
    trials = f", {counts['trials']:,} trials" if "trials" in counts else ""
    with_ = ", ".join(f"{name} {version}" for name, version in found.libraries.items())
    units = plural(counts.get("units", 0), unit)
    return f"Test: {units}{trials}. {found.made[:10]}, {found.processor}, {with_}."


def table(found: AfterExport) -> Iterator[str]:
    """Yield the lines of the Markdown table: the run, then each file."""
    record, judged = found.run, found.files
    protocol = record.protocol
    names = [cost.metric for cost in judged[0].costs if cost.metric in protocol.facts]
    names.sort(key=lambda name: (name != protocol.primary, protocol.facts[name].order))
    heads = ["network"]
    for name in names:
        heads += [heading(protocol.facts[name]), "difference"]
    yield f"| {' | '.join([*heads, 'MiB', 'latency ms'])} |"
    yield f"|{'---|' * (len(heads) + 2)}"
    first = [f"PyTorch ({record.recipe_name})"]
    for name in names:
        first += [_figure(record.metrics[name], protocol.facts[name]), ""]
    size = record.resources.checkpoint_bytes
    first += [f"{size / MIB:.1f}" if size else UNKNOWN]
    yield f"| {' | '.join([*first, judged[0].file.milliseconds[1]])} |"
    for each in judged:
        costs, cells = {cost.metric: cost for cost in each.costs}, [f"`{each.file.name}`"]
        for name in names:
            facts = protocol.facts[name]
            cells += [_figure(each.metrics[name], facts), difference(costs[name].difference, facts)]
        cells += [f"{each.file.bytes / MIB:.1f}", each.file.milliseconds[0]]
        yield f"| {' | '.join(cells)} |"


def difference(metric: Metric, facts: MetricFacts) -> str:
    """Return a difference with its sign and interval.

    >>> eer = MetricFacts(title="EER", unit="%", higher_is_better=False)
    >>> difference(Metric(value=0.001, low=-0.002, high=0.004, unit="%"), eer)
    '+0.10 (-0.20 to 0.40)'
    """
    text = plain(metric.value, facts)
    signed = text if text.startswith("-") else f"+{text}"
    between = interval(Figure(metric.value, metric.low, metric.high, None, 1), facts, " to ")
    return f"{signed} ({between})" if between else signed


def _figure(metric: Metric, facts: MetricFacts) -> str:
    return with_interval(Figure(metric.value, metric.low, metric.high, None, 1), facts)
