"""Telling a file's format from its first lines, and from the names that it should hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.trials.complaints import ScoreFileError, quoted
from harness.trials.formats import (
    DIGITS,
    LABELS,
    SCORE_LAYOUTS,
    SEPARATORS,
    SIGNS,
    TRIAL_LAYOUTS,
    WORDS,
    Format,
)
from harness.trials.headers import is_quoted

SAMPLE = 1000
"""How many lines are looked at."""

Names = Mapping[str, Collection[str]]

_DECIMAL_COMMA = re.compile(rb";[+-]?\d+,\d+(;|$)")

_LABEL_NUMBERS = {value.encode() for value in (*DIGITS, *SIGNS)}


@dataclass(frozen=True)
class _Fit:
    """A format that half of the sample or more fits, and those lines, as fields by column."""

    form: Format
    rows: list[dict[str, bytes]]

    def column(self, name: str) -> list[bytes]:
        return [row[name] for row in self.rows if name in row]

    def known(self, names: Names) -> int:
        """How many lines hold names that are known, in every column where some are."""
        columns = [column for column in self.form.columns if column in names]
        return sum(
            all(row[column].decode("utf-8") in names[column] for column in columns)
            for row in self.rows
        )

    @property
    def has_fractions(self) -> bool:
        values = set(self.column("score"))
        return not values <= _LABEL_NUMBERS and not all(value.isdigit() for value in values)


def tell(
    lines: Sequence[bytes],
    layouts: tuple[str, ...],
    path: Path,
    *,
    names: Names,
    separators: Sequence[str] = SEPARATORS,
) -> Format:
    """Tells the format of a file.

    A format is possible where at least half of the lines fit it. Of several, the one that holds
    the known names is taken, then one whose scores are not all whole numbers (names may be), then
    the one that more lines fit.

    Args:
        lines: the first lines, without their newline.
        layouts: the layouts that may be; a single one was asked for by name.
        path: the file, for the error.
        names: the names that are known, by column; empty where none are.
        separators: those that are tried.

    Raises:
        ScoreFileError: no format fits, several do, or scores look like labels.
    """
    fits = _fits(lines, layouts, separators)
    if not fits:
        raise ScoreFileError(_no_format(lines, layouts, path))
    rules: list[Callable[[_Fit], int]] = [lambda fit: fit.has_fractions, lambda fit: len(fit.rows)]
    if names:
        sets = {column: frozenset(known) for column, known in names.items()}
        rules.insert(0, lambda fit: fit.known(sets))
    for rule in rules:
        best = max(rule(fit) for fit in fits)
        fits = [fit for fit in fits if rule(fit) == best]
    _check_single(fits, path)
    if len(layouts) > 1:
        _check_scores(fits[0], path)
    return fits[0].form


def _fits(
    lines: Sequence[bytes], layouts: tuple[str, ...], separators: Sequence[str] = SEPARATORS
) -> list[_Fit]:
    """Every format of the first separator that gives any; of one layout, the likeliest labels."""
    for separator in separators:
        forms = (
            Format(layout, separator, quoted=is_quoted(lines, separator)) for layout in layouts
        )
        fits = [_fit(lines, form) for form in forms]
        likely = [fit for fit in fits if 2 * len(fit.rows) >= len(lines)]
        if likely:
            return likely
    return []


def _fit(lines: Sequence[bytes], form: Format) -> _Fit:
    if "label" in form.columns:
        place, count = form.columns.index("label"), len(form.columns)
        parted = (form.fields(line) for line in lines)
        form = replace(form, labels=_labels(row[place] for row in parted if len(row) == count))
    return _Fit(form, _rows(lines, form))


def _labels(values: Iterable[bytes]) -> tuple[str, str]:
    """How most of a column's values write labels."""
    counts = Counter(value.decode("utf-8", errors="replace") for value in values)
    return max(LABELS, key=lambda pair: sum(counts[label] for label in pair))


def _rows(lines: Sequence[bytes], form: Format) -> list[dict[str, bytes]]:
    parted = (form.fields(line) for line in lines)
    return [dict(zip(form.columns, row, strict=True)) for row in parted if form.fits(row)]


def _check_single(fits: list[_Fit], path: Path) -> None:
    layouts = [repr(fit.form.layout) for fit in fits]
    if len(layouts) > 1:
        raise ScoreFileError(
            f"{path}: its columns can be read as {' or as '.join(layouts)} (told from the first "
            f"{len(fits[0].rows)} lines); say which by giving the layout"
        )


def _check_scores(fit: _Fit, path: Path) -> None:
    scores = set(fit.column("score"))
    for low, high in (DIGITS, SIGNS):
        if scores and scores <= {low.encode(), high.encode()}:
            raise ScoreFileError(
                f"{path}: its scores are all {low} or {high}, like the labels of a trial list; "
                f"give the file of scores, or the layout {fit.form.layout!r} where these are scores"
            )


def _no_format(lines: Sequence[bytes], layouts: tuple[str, ...], path: Path) -> str:
    others = tuple(name for name in (*TRIAL_LAYOUTS, *SCORE_LAYOUTS) if name not in layouts)
    found = sorted({repr(fit.form.layout) for fit in _fits(lines, others)})
    hint = f"; it reads as {' or '.join(found)}" if found else ""
    if any(_DECIMAL_COMMA.search(line) for line in lines[:10]):
        hint += "; write decimal points, not commas"
    if b"\r" in lines[0]:
        hint += "; its lines end in \\r alone, as those of old Macs; save it with ends of today"
    return (
        f"{path}: line 1 ({quoted(lines[0])}) and most after it are of none of the layouts "
        f"{', '.join(map(repr, layouts))} (labels {' and '.join(DIGITS)}, {' and '.join(WORDS)} or "
        f"another usual pair; parted by spaces, tabs, commas or semicolons){hint}"
    )
