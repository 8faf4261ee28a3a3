"""Files of trials, scores or speakers as tables of columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from harness.trials.format_detection import detect_format, read_header
from harness.trials.formats import SEPARATORS, Format
from harness.trials.parsing import Codes, Columns, Floats, Numbering, parse_fast, parse_lines
from harness.trials.text_lines import (
    BLOCK_BYTES,
    LineBlock,
    LineErrors,
    Lines,
    ScoreFileError,
    list_examples,
    read_blocks,
)

SAMPLE = 1000
"""The first lines of a file from which its format is detected."""

FURTHER = 100
"""The last lines of a long block from which it is detected besides."""


@dataclass(frozen=True, eq=False)
class FileTable:
    """The N lines of a file.

    Attributes:
        path: the file.
        form: the format of its lines.
        codes: column -> `[N]`, numbers of its names; a label is 0 (nontarget) or 1 (target).
        names: column -> its names in the order of their numbers.
        scores: `[N]`; empty if the layout has none.
        lines: `[N]`, the line of each row, counted from 1.
    """

    path: Path
    form: Format
    codes: Mapping[str, Codes]
    names: Mapping[str, tuple[str, ...]]
    scores: Floats
    lines: Lines

    def __len__(self) -> int:
        return len(self.lines)

    def describe(self, row: int) -> str:
        """Return the line of a row and the names it compares, for an error."""
        keys = [name for name in ("enrol", "test", "utterance") if name in self.codes]
        names = " ".join(self.names[name][self.codes[name][row]] for name in keys)
        return f"line {self.lines[row]} ({names})"

    def describe_repeats(self, places: NDArray[np.intp], firsts: NDArray[np.intp]) -> str:
        """Return examples of rows that repeat others, for an error."""
        pairs = zip(places.tolist(), firsts.tolist(), strict=True)
        examples = (f"{self.describe(place)} as line {self.lines[first]}" for place, first in pairs)
        return list_examples(examples, len(places))


def read_table(
    path: Path,
    layouts: tuple[str, ...],
    *,
    known: Mapping[str, Sequence[str]] = MappingProxyType({}),
    size: int = BLOCK_BYTES,
) -> FileTable:
    """Read a file, whose format is detected from its header and first lines.

    Args:
        path: a plain or gzip text file.
        layouts: the layouts that may be.
        known: column -> the names that it should hold, which then have the first numbers.
        size: bytes read at once.

    Raises:
        ScoreFileError: the file cannot be opened, its format cannot be detected, or lines of it
            cannot be read: how many, and the first of them.
    """
    blocks = read_blocks(path, size)
    first = next(blocks)
    separators: Sequence[str] = SEPARATORS
    if header := read_header(first.text.partition(b"\n")[0].removesuffix(b"\r"), layouts, path):
        layouts, separators = (header[0],), (header[1],)
        below = first.text.partition(b"\n")[2]
        try:
            first = LineBlock.starting_at(2, below) if below else next(blocks)
        except StopIteration:
            raise ScoreFileError(f"{path}: holds a header and no line below it") from None
        del below  # as large as a block
    form = detect_format(_sample(first), layouts, path, names=known, separators=separators)
    return parse_table(chain([first], blocks), form, path, known=known)


def _sample(block: LineBlock) -> list[bytes]:
    """Return the first lines, and the last: lists may have all targets before all nontargets."""
    lines = block.text[: 1 << 20].split(b"\n")[:-1] or [block.text]
    is_long = len(block.numbers) > SAMPLE + FURTHER
    last = block.text[-1 << 16 :].split(b"\n")[1:-1] if is_long else []
    return [line.removesuffix(b"\r") for line in [*lines[:SAMPLE], *last[-FURTHER:]]]


def parse_table(
    blocks: Iterable[LineBlock],
    form: Format,
    path: Path,
    *,
    known: Mapping[str, Sequence[str]] = MappingProxyType({}),
    skip_blank: bool = False,
) -> FileTable:
    """Parse the blocks of a file whose format is known.

    Args:
        blocks: the lines.
        form: their format.
        path: the file, for errors.
        known: column -> the names that it should hold, which then have the first numbers.
        skip_blank: whether blank lines are left out; else they are errors.

    Raises:
        ScoreFileError: the file cannot be opened, or lines of it cannot be read.
    """
    numberings = {name: Numbering(known.get(name, ())) for name in form.columns}
    numberings["label"] = Numbering(form.labels)
    errors = LineErrors(path)
    parts = [_parse(block, form, numberings, errors, skip_blank=skip_blank) for block in blocks]
    lines = _join([numbers for _, numbers in parts])
    errors.check(len(lines), form.layout)
    columns = {name: np.concatenate([part[name] for part, _ in parts]) for name in parts[0][0]}
    scores = columns.pop("score", np.empty(0))
    names = {name: tuple(numberings[name]) for name in columns}
    return FileTable(path, form, columns, names, scores, lines)


def _parse(
    block: LineBlock,
    form: Format,
    numberings: Mapping[str, Numbering],
    errors: LineErrors,
    *,
    skip_blank: bool,
) -> tuple[Columns, Lines]:
    """Return the columns of a block, and the number of each line."""
    columns = parse_fast(block, form, numberings)
    if columns is None and skip_blank:
        block = block.without_blank_lines()
        columns = parse_fast(block, form, numberings)
    if columns is None:
        columns = parse_lines(block, form, numberings, errors)
    return columns, block.numbers


def _join(parts: Sequence[Lines]) -> Lines:
    if all(isinstance(part, range) for part in parts):
        return range(parts[0][0], parts[-1][-1] + 1)
    return np.concatenate([np.asarray(part, dtype=np.int32) for part in parts])
