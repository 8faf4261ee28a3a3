"""`harness history`: figures night by night, and whether they got worse."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from harness.board.standing.figures import one_line
from harness.cli import options
from harness.cli.output import complain, give, give_differences, give_json, give_written, say
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.registry.history.judging import FigureVerdict
    from harness.registry.history.line import HistoryLine


def _day(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise RequestError(f"--night {text!r}: write a day as 2026-11-21") from error


Night = Annotated[
    str | None,
    typer.Option("--night", help="The day, as 2026-11-21.", callback=_day),
]


def add(
    runs: options.Runs = options.DEFAULT_RUNS,
    folder: options.Folder = options.PUBLISHED,
    night: Night = None,
    json: options.Json = False,
) -> None:
    """Add a line for each record of a runs folder that has none, and make the page anew.

    Without --night each record counts for the day, UTC, on which it was finished.
    """
    from harness.registry.history.line_chain import add as add_lines
    from harness.registry.history.night_page import build as build_page

    added = add_lines(runs, folder, night)
    build_page(folder)
    if json:
        documents = [{"file": path, **_plain(line)} for path, line in added.lines]
        give_json({"schema": 1, "added": documents, "known": added.known})
    else:
        lines = [f"{path}: {line.night} {line.state}" for path, line in added.lines]
        give("\n".join(lines) or "nothing changed: every record has its line")
        say(f"{len(lines)} added, {added.known} were there")


def show(folder: options.Folder = options.PUBLISHED, json: options.Json = False) -> None:
    """Print every line."""
    history = _history(folder)
    if json:
        files = {path: [_plain(line) for line in lines] for path, lines in history.items()}
        give_json({"schema": 1, "files": files})
        return
    for path, lines in history.items():
        give(path, *(one_line(_said(line)) for line in lines))


def judge_lines(
    folder: options.Folder = options.PUBLISHED, night: Night = None, json: options.Json = False
) -> None:
    """Say of each figure of the last night whether it is ok, regressed, or not known.

    Ends with 1 where one regressed.
    """
    from harness.registry.history.judging import judge
    from harness.registry.history.night_page import figures

    lines = [line for held in _history(folder).values() for line in held]
    verdicts = judge(lines, night)
    if json:
        give_json({"schema": 1, "verdicts": [_document(verdict) for verdict in verdicts]})
    else:
        give(_table(verdicts))
    regressed = [verdict for verdict in verdicts if verdict.answer == "regressed"]
    if regressed:
        complain("\n".join("regressed: " + ", ".join(row) for row in figures(regressed)))
        raise typer.Exit(1)


def board(
    night: Annotated[str, typer.Option("--night", help="The day, as 2026-11-21.", callback=_day)],
    runs: options.Runs = options.DEFAULT_RUNS,
    folder: options.Folder = options.PUBLISHED,
    json: options.Json = False,
) -> None:
    """Write pages of a night's tables beside the night before; print what moved, as Markdown.

    The history has to hold the night's lines: `harness history add` goes before.
    """
    from harness.registry.history.night_board import compare_night, pull_request_text, write_night

    suites = compare_night(runs, folder, night)
    written = write_night(suites, folder)
    if json:
        moved = [
            {**_document(each.verdict), "before": each.before, "told": each.words}
            for suite in suites
            for table in suite.nights
            for each in table.moved
        ]
        give_json({"schema": 1, "written": [str(path) for path in written], "moved": moved})
        return
    give(pull_request_text(suites).rstrip("\n"))
    for path in written:
        say(f"written: {path}")


def build(folder: options.Folder = options.PUBLISHED, json: options.Json = False) -> None:
    """Write the page of the history where it is not yet what the files give."""
    from harness.registry.history.night_page import build as build_page

    give_written(build_page(folder), "nothing changed: the page is what its files give", json=json)


def check(folder: options.Folder = options.PUBLISHED, json: options.Json = False) -> None:
    """Fail where a line was edited, or the page is not what the files give."""
    from harness.registry.history.night_page import check_history

    give_differences(check_history(folder), "the history is as it was written", json=json)


def _history(folder: Path) -> dict[str, list[HistoryLine]]:
    from harness.registry.history.line_chain import read_history

    history = read_history(folder)
    if not history:
        raise RequestError(f"{folder}: holds no history yet; `harness history add` begins one")
    return history


def _plain(line: HistoryLine) -> dict[str, Any]:
    return line.model_dump(mode="json", by_alias=True)


def _said(line: HistoryLine) -> str:
    seed = "" if line.seed is None else f" seed {line.seed}"
    quality = "–" if line.quality is None else f"{line.quality.value:.6g}"
    return f"{line.night}{seed} {line.state} {line.primary} {quality} code {line.code[:12]}"


def _table(verdicts: list[FigureVerdict]) -> Table:
    from harness.registry.history.night_page import figures

    table = Table()
    for title in ("Table", "Entry", "Figure", "Last", "Verdict"):
        table.add_column(title, overflow="fold")
    for row in figures(verdicts):
        table.add_row(*(Text(one_line(cell)) for cell in row))
    return table


def _document(verdict: FigureVerdict) -> dict[str, Any]:
    series, finding = verdict.series, verdict.finding
    suite, profile, dataset, environment = series.table
    change = finding.change
    return {
        "suite": suite,
        "profile": profile,
        "dataset": dataset,
        "environment": environment,
        "machine": series.last.machine,
        "entry": series.entry,
        "recipe": series.recipe,
        "seeds": list(series.seeds),
        "figure": verdict.figure,
        "night": verdict.night,
        "verdict": finding.answer,
        "why": finding.why,
        "value": finding.value,
        "nights": finding.nights,
        "nights_of_other_configurations": series.earlier,
        "direction": None if change is None else "better" if change.better else "worse",
        "step": None
        if change is None
        else {
            "since": change.since,
            "before": change.before,
            "after": change.after,
            "relative": change.relative,
            "p": change.p,
        },
    }
