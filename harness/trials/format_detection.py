"""Detection of a file's format from its header, its first lines and the names it should hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.trials.formats import (
    DIGITS,
    HEADER_WORDS,
    LABELS,
    SCORE_LAYOUTS,
    SEPARATORS,
    SIGNS,
    SKIPPED,
    SPEAKER_LAYOUTS,
    TRIAL_LAYOUTS,
    WORDS,
    Format,
    unquoted_fields,
)
from harness.trials.text_lines import ScoreFileError, quoted

_LACKING = {
    "score": "is that of trials without scores; give the file with a column `LLR` or `score`",
    "label": "is that of trials without labels; give their key, with a column `targettype` or "
    "`label`",
}


@dataclass(frozen=True)
class Header:
    """What a header line says.

    Attributes:
        layout: the columns in their order, `SKIPPED` for those that are not needed.
        separator: what they are parted by.
    """

    layout: str
    separator: str


def read_header(line: bytes, layouts: Sequence[str], path: Path) -> Header | None:
    """Read a file's first line as one that names the columns; None where it does not.

    Args:
        line: the first line.
        layouts: the layouts that may be; a single one was asked for by name.
        path: the file, for errors.

    Raises:
        ScoreFileError: it names a column twice, lacks one that is needed, or names others than the
            layout that was asked for.

    >>> read_header(b"modelid,segmentid,side,LLR", ("enrol test score",), Path("scores"))
    Header(layout='enrol test - score', separator=',')
    """
    possible = {name for layout in layouts for name in layout.split()}
    keys = {"utterance", "speaker"} if "speaker" in possible else {"enrol", "test"}
    for separator in SEPARATORS:
        columns = [_column(word, possible) for word in unquoted_fields(line, separator)]
        if keys <= set(columns):
            _check_columns(columns, layouts, line, path)
            return Header(" ".join(columns), separator)
    return None


def is_quoted(lines: Sequence[bytes], separator: str) -> bool:
    """Whether quotes in some lines stand around whole fields, and nowhere else."""
    sign = r"[ \t]+" if separator == " " else re.escape(separator)
    inner = r"[^\s\"]*" if separator == " " else r'(?:[^"]|"")*'
    outer = r'[^"\s]*' if separator == " " else rf'[^"{separator}]*'
    field = rf' *"{inner}" *|{outer}'
    line = re.compile(rf"(?:{field})(?:{sign}(?:{field}))*".encode())
    with_quotes = [each for each in lines if b'"' in each]
    return bool(with_quotes) and all(line.fullmatch(each) for each in with_quotes)


def _column(word: bytes, possible: Collection[str]) -> str:
    told = word.decode("utf-8", errors="replace").lower().lstrip("#")
    told = "score" if told.endswith("_score") else told
    named = (name for name, words in HEADER_WORDS.items() if told in words.split())
    return next((name for name in named if name in possible), SKIPPED)


def _check_columns(columns: Sequence[str], layouts: Sequence[str], line: bytes, path: Path) -> None:
    kept = [name for name in columns if name != SKIPPED]
    where = f"{path}: its header ({quoted(line)})"
    if len(set(kept)) < len(kept):
        twice = next(name for name in kept if kept.count(name) > 1)
        raise ScoreFileError(f"{where} names the {twice} twice; leave one of the columns away")
    needed = [set(layout.split()) for layout in layouts]
    lacking = min((each - set(kept) for each in needed), key=len)
    if lacking:
        name = sorted(lacking)[0]
        raise ScoreFileError(f"{where} {_LACKING[name]}")
    asked = layouts[0].split()
    if len(layouts) == 1 and layouts[0] not in SPEAKER_LAYOUTS and kept != asked:
        raise ScoreFileError(
            f"{where} names the columns {' '.join(kept)!r}, and the layout {layouts[0]!r} was "
            "asked for; leave the layout away"
        )


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
