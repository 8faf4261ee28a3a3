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
from harness.registry.history.finding import WINDOW
from harness.registry.history.judging import QUALITY, Verdict, judge
from harness.registry.history.line import FOLDER, HISTORY_COSTS, Line
from harness.registry.history.series import cost_reader
from harness.registry.history.store import chain, line_text, read_history

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


def history_page(history: Mapping[str, Sequence[Line]]) -> str:
    """Make the page.

    Args:
        history: path of each file below the published folder -> its lines.
    """
    verdicts = judge(line for lines in history.values() for line in lines)
    tables = groupby(verdicts, key=lambda verdict: verdict.series.table)
    sections = [_section(list(group)) for _, group in tables]
    return "\n".join([_HEAD, *sections, _files(history)])


def build(folder: Path) -> list[Path]:
    """Write the page where it is not yet what the files give.

    Args:
        folder: the published tables, mostly `leaderboards`.

    Returns:
        The files written; none where there is no history.

    Raises:
        RequestError: a file is not a history.
    """
    history = read_history(folder)
    if not history or _holds(folder / PAGE, text := history_page(history)):
        return []
    write_text(folder / PAGE, text)
    return [folder / PAGE]


def differences(folder: Path) -> list[str]:
    """Say whether the page is what the files give; nothing where it is, or where there is none."""
    try:
        history = read_history(folder)
    except RequestError:
        return []  # Its lines are complained of by themselves.
    if not history or _holds(folder / PAGE, history_page(history)):
        return []
    told = "is not what its files give" if (folder / PAGE).is_file() else "missing"
    return [f"{PAGE}: {told}; `harness history build` writes it"]


def sparkline(values: Sequence[float | None]) -> str:
    """Bars of eight heights.

    >>> sparkline([1.0, 2.0, None, 3.0]), sparkline([100.0, 100.4])
    ('▁▅·█', '▄▅')
    """
    known = [value for value in values if value is not None]
    if not known:
        return NO_VALUE * len(values)
    least, greatest = min(known), max(known)
    middle = (least + greatest) / 2
    span = max(greatest - least, NARROWEST * abs(middle))
    return "".join(NO_VALUE if each is None else _bar(each, middle, span) for each in values)


def shown(verdict: Verdict, value: float | None, *, unit: bool = True) -> str:
    """A figure's value in the unit that people read."""
    if value is None:
        return UNKNOWN
    if verdict.figure == QUALITY:
        facts = verdict.series.last.metric
        return f"{plain(value, facts)} {facts.unit if unit else ''}".rstrip()
    cost = HISTORY_COSTS[verdict.figure]
    return f"{cost_text(value, cost)} {cost.label() if unit else ''}".rstrip()


def figure_title(verdict: Verdict) -> str:
    """A figure's name for people."""
    if verdict.figure == QUALITY:
        return verdict.series.last.metric.title
    return HISTORY_COSTS[verdict.figure].title


def verdict_words(verdict: Verdict) -> str:
    """What came of a figure, with the last step and the reason."""
    finding, said = verdict.finding, [verdict.answer]
    if change := finding.change:
        way = "better" if change.better else "worse"
        levels = (shown(verdict, each, unit=False) for each in (change.before, change.after))
        by = "" if change.relative is None else f" ({change.relative:+.1%})"
        said.append(f"{way} since {change.since}: {' to '.join(levels)}{by}")
    return "; ".join([*said, finding.why] if finding.why else said)


def _bar(value: float, middle: float, span: float) -> str:
    share = (value - middle) / span + 0.5 if span else 0.5
    return BARS[min(int(share * len(BARS)), len(BARS) - 1)]


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _section(verdicts: Sequence[Verdict]) -> str:
    first = verdicts[0]
    suite, profile, dataset, environment = first.series.table
    nights = sorted({night for verdict in verdicts for night in verdict.series.nights})[-WINDOW:]
    said = f"{plural(len(nights), 'night')} from {nights[0]} to {nights[-1]}; {_named(first)}"
    heading = escape(f"{suite}, {dataset}, {profile} profile ({environment[:8] or 'unknown'})")
    table = tabulating.tabulate(
        [_row(verdict, nights) for verdict in verdicts],
        headers=_HEADINGS,
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["left", "left", "left", "right", "left"],
    )
    return f"## {heading}\n\n{escape(said)}\n\n{table}\n"


def _named(verdict: Verdict) -> str:
    return verdict.series.last.machine


def _row(verdict: Verdict, nights: Sequence[str]) -> list[str]:
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
        escape(shown(verdict, verdict.finding.value)),
        escape(verdict_words(verdict)),
    ]


def _files(history: Mapping[str, Sequence[Line]]) -> str:
    """Every file with the hash of its last line, which no later line holds yet."""
    return "## Files\n\n" + "\n".join(_file(name, lines) for name, lines in sorted(history.items()))


def _file(name: str, lines: Sequence[Line]) -> str:
    below = name.removeprefix(f"{FOLDER}/")
    head = chain([line_text(line) for line in lines[-1:]])
    return f"- {link(below, below)}: {plural(len(lines), 'line')}, the last {head[:12]}"


def figures(verdicts: Iterable[Verdict]) -> list[list[str]]:
    """Rows for a terminal: entry, figure, value, verdict."""
    return [
        [
            "/".join(verdict.series.table[:3]),
            verdict.series.entry,
            figure_title(verdict),
            shown(verdict, verdict.finding.value),
            verdict_words(verdict),
        ]
        for verdict in verdicts
    ]
