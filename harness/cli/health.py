"""`harness health`: what the curves of a training bear out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.cli import options
from harness.cli.output import give, give_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.health.health import Health
    from harness.records.record import Record
    from harness.report.text import Words


def health(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN_OR_LOG",
            help="A run (its place below --runs, or its record), or any log or folder.",
        ),
    ],
    *,
    lang: Annotated[
        str, typer.Option("--lang", help="en, zh-Hans or zh-Hant; zh is zh-Hans.")
    ] = "en",
    runs: options.Runs = options.DEFAULT_RUNS,
    json: options.Json = False,
) -> None:
    """Say what the curves of a run or log bear out: trend, noise, checklist, forecast, advice."""
    from harness.health.health import assess
    from harness.report.text import read_words
    from harness.run.folder import find_series
    from harness.series.reading import read_series

    words, (place, record) = read_words(lang), find_series(runs, run)
    leaky = record is not None and record.is_leaky
    found = [assess(series, leaky=leaky) for series in read_series(place)]
    if json:
        give_json({"schema": 1, "trainings": [_document(each, words) for each in found]})
    else:
        give(*_shown(found, words))


def _document(health: Health, words: Words) -> dict[str, Any]:
    """Return the facts, each finding and advice with its sentence."""
    from harness.health.document import health_document
    from harness.report.health_words import say_advice, say_finding

    document = health_document(health)
    for row, finding in zip(document["findings"], health.findings, strict=True):
        row["sentence"] = say_finding(finding, words)
    for row, advice in zip(document["advice"], health.advice, strict=True):
        row["sentence"] = say_advice(advice, health, words)
    return document


def _shown(found: list[Health], words: Words) -> list[Any]:
    from harness.report.sections.health import health_blocks
    from harness.report.terminal import renderable

    several = len(found) > 1
    return [
        renderable(block)
        for each in found
        for block in health_blocks(each, words, each.source if several else "")
    ]


def health_line(records: Sequence[Record], runs: Path) -> str:
    """Return one line on the health of the trainings of some records; empty if none has a series.

    Args:
        records: of jobs that were run now; those that are not done have none.
        runs: the folder of runs.
    """
    from harness.health.health import assess
    from harness.report.health_words import say_headline
    from harness.report.text import read_words
    from harness.run.folder import training_series
    from harness.series.reading import read_series

    done = [(each, training_series(runs, each)) for each in records if each.state == "done"]
    found = [
        (record.entry, assess(read_series(path)[0], leaky=record.is_leaky))
        for record, path in done
        if path is not None and path.is_file()
    ]
    if not found:
        return ""
    if len(found) == 1:
        return f"health: {say_headline(found[0][1], read_words('en'))}"
    troubled = [entry for entry, health in found if health.signed("worrying")]
    named = f" ({', '.join(dict.fromkeys(troubled))})" if troubled else ""
    return (
        f"health: worrying signs in {len(troubled)} of {len(found)} trainings{named}; "
        "`harness health RUN` says which"
    )
