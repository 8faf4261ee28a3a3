"""Detection of a file's format from its header, its first lines and the names it should hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    split_quoted,
)
from harness.trials.text_lines import ScoreFileError, quote

_DECIMAL_COMMA = re.compile(rb";[+-]?\d+,\d+(;|$)")

_LABEL_NUMBERS = {value.encode() for value in (*DIGITS, *SIGNS)}

_LACKING = {
    "score": "is that of trials without scores; give the file with a column `LLR` or `score`",
    "label": "is that of trials without labels; give their key, with a column `targettype` or "
    "`label`",
}


def read_header(line: bytes, layouts: Sequence[str], path: Path) -> tuple[str, str] | None:
    """Read a file's first line as one that names the columns.

    Args:
        line: the first line.
        layouts: the layouts that may be; a single one was asked for by name.
        path: the file, for errors.

    Returns:
        The layout, with `SKIPPED` for columns that are not needed, and the separator; None if the
        line names no columns.

    Raises:
        ScoreFileError: it names a column twice, lacks one that is needed, or names others than the
            layout that was asked for.

    >>> read_header(b"modelid,segmentid,side,LLR", ("enrol test score",), Path("scores"))
    ('enrol test - score', ',')
    """
    possible = {name for layout in layouts for name in layout.split()}
    keys = {"utterance", "speaker"} if "speaker" in possible else {"enrol", "test"}
    for separator in SEPARATORS:
        columns = [_column(word, possible) for word in split_quoted(line, separator)]
        if keys <= set(columns):
            _check_columns(columns, layouts, f"{path}: its header ({quote(line)})")
            return " ".join(columns), separator
    return None


def _column(word: bytes, possible: Collection[str]) -> str:
    title = word.decode("utf-8", errors="replace").lower().lstrip("#")
    title = "score" if title.endswith("_score") else title
    names = (name for name, words in HEADER_WORDS.items() if title in words.split())
    return next((name for name in names if name in possible), SKIPPED)


def _check_columns(columns: Sequence[str], layouts: Sequence[str], where: str) -> None:
    names = [name for name in columns if name != SKIPPED]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ScoreFileError(f"{where} names the {twice} twice; leave one of the columns away")
    lacking = min((set(layout.split()) - set(names) for layout in layouts), key=len)
    if lacking:
        raise ScoreFileError(f"{where} {_LACKING[min(lacking)]}")
    if len(layouts) == 1 and layouts[0] not in SPEAKER_LAYOUTS and names != layouts[0].split():
        raise ScoreFileError(
            f"{where} names the columns {' '.join(names)!r}, and the layout {layouts[0]!r} was "
            "asked for; leave the layout away"
        )


@dataclass(frozen=True)
class _Fit:
    """A format that half of the sample or more fits, and those lines, as fields by column."""

    form: Format
    rows: list[dict[str, bytes]]

    def rank(self, names: Mapping[str, Collection[str]]) -> tuple[int, bool, int]:
        """Return the rows of known names, whether scores have fractions, and the rows that fit."""
        columns = [column for column in self.form.columns if column in names]
        known = sum(
            all(row[column].decode("utf-8") in names[column] for column in columns)
            for row in self.rows
            if columns
        )
        scores = self.scores()
        fractions = not scores <= _LABEL_NUMBERS and not all(score.isdigit() for score in scores)
        return known, fractions, len(self.rows)

    def scores(self) -> set[bytes]:
        return {row["score"] for row in self.rows if "score" in row}


def detect_format(
    lines: Sequence[bytes],
    layouts: tuple[str, ...],
    path: Path,
    *,
    names: Mapping[str, Collection[str]],
    separators: Sequence[str] = SEPARATORS,
) -> Format:
    """Detect the format of a file.

    A format is possible if at least half of the lines fit it. Of several, the one that holds the
    known names is taken, then one whose scores are not all whole numbers (names may be), then the
    one that more lines fit.

    Args:
        lines: the first lines, without their newline.
        layouts: the layouts that may be; a single one was asked for by name.
        path: the file, for the error.
        names: the names that are known, by column; empty if none are.
        separators: those that are tried.

    Raises:
        ScoreFileError: no format fits, several do, or scores look like labels.
    """
    fits = _fits(lines, layouts, separators)
    if not fits:
        raise ScoreFileError(_no_format(lines, layouts, path))
    sets = {column: frozenset(known) for column, known in names.items()}
    ranks = [fit.rank(sets) for fit in fits]
    best = [fit for fit, rank in zip(fits, ranks, strict=True) if rank == max(ranks)]
    if len(best) > 1:
        raise ScoreFileError(
            f"{path}: its columns can be read as "
            f"{' or as '.join(repr(fit.form.layout) for fit in best)} (told from the first "
            f"{len(best[0].rows)} lines); say which by giving the layout"
        )
    form, scores = best[0].form, best[0].scores()
    for low, high in (DIGITS, SIGNS) if scores and len(layouts) > 1 else ():
        if scores <= {low.encode(), high.encode()}:
            raise ScoreFileError(
                f"{path}: its scores are all {low} or {high}, like the labels of a trial list; "
                f"give the file of scores, or the layout {form.layout!r} where these are scores"
            )
    return form


def _fits(
    lines: Sequence[bytes], layouts: tuple[str, ...], separators: Sequence[str] = SEPARATORS
) -> list[_Fit]:
    """Return every format of the first separator that gives any, with the likeliest labels."""
    for separator in separators:
        quoted = _is_quoted(lines, separator)
        fits = [_fit(lines, Format(layout, separator, quoted=quoted)) for layout in layouts]
        likely = [fit for fit in fits if 2 * len(fit.rows) >= len(lines)]
        if likely:
            return likely
    return []


def _is_quoted(lines: Sequence[bytes], separator: str) -> bool:
    """Return whether quotes in some lines stand around whole fields, and nowhere else."""
    sign = r"[ \t]+" if separator == " " else re.escape(separator)
    inner = r"[^\s\"]*" if separator == " " else r'(?:[^"]|"")*'
    outer = r'[^"\s]*' if separator == " " else rf'[^"{separator}]*'
    field = rf' *"{inner}" *|{outer}'
    line = re.compile(rf"(?:{field})(?:{sign}(?:{field}))*".encode())
    with_quotes = [each for each in lines if b'"' in each]
    return bool(with_quotes) and all(line.fullmatch(each) for each in with_quotes)


def _fit(lines: Sequence[bytes], form: Format) -> _Fit:
    rows = [form.fields(line) for line in lines]
    if "label" in form.columns:
        place, count = form.columns.index("label"), len(form.columns)
        form = replace(form, labels=_likeliest_labels(r[place] for r in rows if len(r) == count))
    return _Fit(form, [dict(zip(form.columns, row, strict=True)) for row in rows if form.fits(row)])


def _likeliest_labels(values: Iterable[bytes]) -> tuple[str, str]:
    counts = Counter(value.decode("utf-8", errors="replace") for value in values)
    return max(LABELS, key=lambda pair: sum(counts[label] for label in pair))


def _no_format(lines: Sequence[bytes], layouts: tuple[str, ...], path: Path) -> str:
    others = tuple(name for name in (*TRIAL_LAYOUTS, *SCORE_LAYOUTS) if name not in layouts)
    found = sorted({repr(fit.form.layout) for fit in _fits(lines, others)})
    hint = f"; it reads as {' or '.join(found)}" if found else ""
    if any(_DECIMAL_COMMA.search(line) for line in lines[:10]):
        hint += "; write decimal points, not commas"
    if b"\r" in lines[0]:
        hint += "; its lines end in \\r alone, as those of old Macs; save it with ends of today"
    return (
        f"{path}: line 1 ({quote(lines[0])}) and most after it are of none of the layouts "
        f"{', '.join(map(repr, layouts))} (labels {' and '.join(DIGITS)}, {' and '.join(WORDS)} or "
        f"another usual pair; parted by spaces, tabs, commas or semicolons){hint}"
    )
