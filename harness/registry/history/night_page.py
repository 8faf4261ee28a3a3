"""The page of a history: a small line of bars for every figure, as a pure function of its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import tabulate as tabulating

from harness.board.standing.costs import cost_text
from harness.board.standing.figures import UNKNOWN, plain, plural
from harness.board.writing.markdown import escape, link
from harness.errors import RequestError
from harness.records.files import write_text
from harness.registry.history.judging import QUALITY, WINDOW, FigureVerdict, judge
from harness.registry.history.line import FOLDER, HISTORY_COSTS, HistoryLine
from harness.registry.history.line_chain import (
    broken,
    chain,
    history_files,
    line_text,
    read_history,
)
from harness.registry.history.nights import cost_reader

PAGE = f"{FOLDER}/README.md"

BARS = "▁▂▃▄▅▆▇█"
NO_VALUE = "·"
NARROWEST = 0.1
"""A line of bars spans at least this share of its middle, so that small noise looks small."""

_HEAD = f"""# Night by night

Generated from the files beside it by `harness history build`: do not edit this page.

Bars go from the least to the greatest value of a row's last {WINDOW} nights, over 10 % of its
middle or more; {NO_VALUE} is a night without a value. What a verdict means is told in
[docs/nightly.md](../../docs/nightly.md).
"""

_HEADINGS = ("Entry", "Figure", "Nights", "Last", "Verdict")


def history_page(history: Mapping[str, Sequence[HistoryLine]]) -> str:
    """Make the page.

    Args:
        history: path of each file below the published folder -> its lines.
    """
    verdicts = judge(line for lines in history.values() for line in lines)
    tables = groupby(verdicts, key=lambda verdict: verdict.series.table)
    sections = [_section(list(group)) for _, group in tables]
    return "\n".join([_HEAD, *sections, _files(history)])


def build(folder: Path) -> list[Path]:
    """Write the page if it is not yet what the files give.

    Args:
        folder: the published tables, mostly `leaderboards`.

    Returns:
        The files written; none if there is no history.

    Raises:
        RequestError: a file is not a history.
    """
    history = read_history(folder)
    if not history or _holds(folder / PAGE, text := history_page(history)):
        return []
    write_text(folder / PAGE, text)
    return [folder / PAGE]


def check_history(folder: Path) -> list[str]:
    """Name every line that was edited or misplaced, and a page that is not what the files give.

    The hash that each line holds of the one before finds edits of all but the last line; the page
    holds the last one's.

    Args:
        folder: the published tables.

    Raises:
        RequestError: a file is not text.
    """
    names = [path.relative_to(folder).as_posix() for path in history_files(folder)]
    complaints = [line for name in names for line in broken(folder, name)]
    return complaints or differences(folder)


def differences(folder: Path) -> list[str]:
    """Say that the page is not what the files give; nothing if it is, or if there is none."""
    try:
        history = read_history(folder)
    except RequestError:
        return []  # Its lines are complained of by themselves.
    if not history or _holds(folder / PAGE, history_page(history)):
        return []
    state = "is not what its files give" if (folder / PAGE).is_file() else "missing"
    return [f"{PAGE}: {state}; `harness history build` writes it"]


def sparkline(values: Sequence[float | None]) -> str:
    """Return bars of eight heights, one a night.

    >>> sparkline([1.0, 2.0, None, 3.0]), sparkline([100.0, 100.4])
    ('▁▅·█', '▄▅')
    """
    known = [value for value in values if value is not None]
    if not known:
        return NO_VALUE * len(values)
    least, greatest = min(known), max(known)
    middle = (least + greatest) / 2
    span = max(greatest - least, NARROWEST * abs(middle))
    shares = (
        None if value is None else (value - middle) / span + 0.5 if span else 0.5
        for value in values
    )
    top = len(BARS) - 1
    return "".join(
        NO_VALUE if share is None else BARS[min(int(share * len(BARS)), top)] for share in shares
    )


def figure_text(verdict: FigureVerdict, value: float | None, *, unit: bool = True) -> str:
    """Return a figure's value in the unit that people read."""
    if value is None:
        return UNKNOWN
    if verdict.figure == QUALITY:
        facts = verdict.series.last.metric
        return f"{plain(value, facts)} {facts.unit if unit else ''}".rstrip()
    cost = HISTORY_COSTS[verdict.figure]
    return f"{cost_text(value, cost)} {cost.label() if unit else ''}".rstrip()


def figure_title(verdict: FigureVerdict) -> str:
    """Return a figure's name for people."""
    if verdict.figure == QUALITY:
        return verdict.series.last.metric.title
    return HISTORY_COSTS[verdict.figure].title


def verdict_words(verdict: FigureVerdict) -> str:
    """Return the answer of a verdict, with the last step and the reason."""
    finding, said = verdict.finding, [verdict.answer]
    if change := finding.change:
        way = "better" if change.better else "worse"
        levels = (figure_text(verdict, each, unit=False) for each in (change.before, change.after))
        by = "" if change.relative is None else f" ({change.relative:+.1%})"
        said.append(f"{way} since {change.since}: {' to '.join(levels)}{by}")
    return "; ".join([*said, finding.why] if finding.why else said)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _section(verdicts: Sequence[FigureVerdict]) -> str:
    first = verdicts[0]
    suite, profile, dataset, environment = first.series.table
    nights = sorted({night for verdict in verdicts for night in verdict.series.nights})[-WINDOW:]
    period = f"{plural(len(nights), 'night')} from {nights[0]} to {nights[-1]}"
    heading = escape(f"{suite}, {dataset}, {profile} profile ({environment[:8] or 'unknown'})")
    table = tabulating.tabulate(
        [_row(verdict, nights) for verdict in verdicts],
        headers=_HEADINGS,
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["left", "left", "left", "right", "left"],
    )
    return f"## {heading}\n\n{escape(f'{period}; {first.series.last.machine}')}\n\n{table}\n"


def _row(verdict: FigureVerdict, nights: Sequence[str]) -> list[str]:
    series = verdict.series
    values = (
        series.qualities()
        if verdict.figure == QUALITY
        else series.values(cost_reader(verdict.figure))
    )
    return [
        escape(", ".join(filter(None, (series.entry, series.recipe)))),
        escape(figure_title(verdict)),
        sparkline([values.get(night) for night in nights]),
        escape(figure_text(verdict, verdict.finding.value)),
        escape(verdict_words(verdict)),
    ]


def _files(history: Mapping[str, Sequence[HistoryLine]]) -> str:
    """Every file with the hash of its last line, which no later line holds yet."""
    lines = []
    for name, held in sorted(history.items()):
        below = name.removeprefix(f"{FOLDER}/")
        head = chain([line_text(line) for line in held[-1:]])
        lines.append(f"- {link(below, below)}: {plural(len(held), 'line')}, the last {head[:12]}")
    return "## Files\n\n" + "\n".join(lines)


def figures(verdicts: Iterable[FigureVerdict]) -> list[list[str]]:
    """Return rows for a terminal: entry, figure, value, verdict."""
    return [
        [
            "/".join(verdict.series.table[:3]),
            verdict.series.entry,
            figure_title(verdict),
            figure_text(verdict, verdict.finding.value),
            verdict_words(verdict),
        ]
        for verdict in verdicts
    ]
