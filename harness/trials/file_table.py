"""A whole file of trials, scores or speakers as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType

from harness.trials.format_detection import SAMPLE, Header, read_header, tell
from harness.trials.formats import Format
from harness.trials.parsing import Codes, Columns, Floats, Numbering, fast_columns, line_columns
from harness.trials.text_lines import SIZE, Block, Complaints, ScoreFileError, blocks

FURTHER = 100
"""How many of a long block's last lines are looked at beside its first ones."""


@dataclass(frozen=True, eq=False)
class Table:
    """The N lines of a file; row i is line `first` + i.

    Attributes:
        path: the file.
        form: how its lines are written.
        codes: column -> `[N]`, numbers of its names; a label is 0 (nontarget) or 1 (target).
        names: column -> its names in the order of their numbers.
        scores: `[N]`; empty where the layout has none.
        first: the line of the first row: 2 where the file has a header.
    """

    path: Path
    form: Format
    codes: Mapping[str, Codes]
    names: Mapping[str, tuple[str, ...]]
    scores: Floats
    first: int = 1

    def __len__(self) -> int:
        return len(self.codes[next(iter(self.codes))])


def read_table(
    path: Path,
    layouts: tuple[str, ...],
    *,
    known: Mapping[str, Sequence[str]] = MappingProxyType({}),
    size: int = SIZE,
) -> Table:
    """Reads a file whose format is told from its first lines.

    Args:
        path: a plain or gzip text file.
        layouts: the layouts that may be.
        known: column -> the names that it should hold, which then have the first numbers.
        size: bytes read at once.

    Raises:
        ScoreFileError: the file cannot be opened, its format cannot be told, or lines of it cannot
            be read: how many, and the first of them.
    """
    numberings = {column: Numbering.of(names) for column, names in known.items()}
    complaints, parts, lines = Complaints(path), list[Columns](), 0
    stream = blocks(path, size)
    header, stream = _parted(stream, layouts, path)
    first = next(stream)
    form = _told(first, header, layouts, path, known)
    numberings |= _further(form, numberings)
    for block in chain([first], stream):
        part = fast_columns(block, form, numberings)
        if part is None:
            part = line_columns(block, form, numberings, complaints)
        parts.append(part)
        lines += block.lines
    complaints.stop(lines, form.layout)
    columns = Columns.joined(parts)
    names_of = {name: numberings[name].names for name in columns.codes}
    return Table(path, form, columns.codes, names_of, columns.scores, first.first)


def _parted(
    stream: Iterator[Block], layouts: tuple[str, ...], path: Path
) -> tuple[Header | None, Iterator[Block]]:
    """The header of a file, None where it has none, and the blocks of all other lines."""
    first = next(stream)
    line, _, rest = first.text.partition(b"\n")
    header = read_header(line.removesuffix(b"\r"), layouts, path)
    if header is None:
        return None, chain([first], stream)
    left = chain([Block.of(rest, first.first + 1)] if rest else [], stream)
    second = next(left, None)
    if second is None:
        raise ScoreFileError(f"{path}: holds a header and no line below it")
    return header, chain([second], left)


def _told(
    first: Block,
    header: Header | None,
    layouts: tuple[str, ...],
    path: Path,
    names: Mapping[str, Sequence[str]],
) -> Format:
    if header is None:
        return tell(_sample(first), layouts, path, names=names)
    separators = (header.separator,)
    return tell(_sample(first), (header.layout,), path, names=names, separators=separators)


def _further(form: Format, numberings: Mapping[str, Numbering]) -> dict[str, Numbering]:
    """Numberings for the columns of which no name is known."""
    fresh = {name: Numbering() for name in form.columns if name not in numberings}
    return fresh | {"label": Numbering.of(form.labels)}


def _sample(block: Block) -> list[bytes]:
    """The first lines, and the last few, as lists may have all targets before all nontargets."""
    lines = block.text[: 1 << 20].split(b"\n")[:-1] or [block.text]
    last = block.text[-1 << 16 :].split(b"\n")[1:-1] if block.lines > SAMPLE + FURTHER else []
    sample = [*islice(lines, SAMPLE), *last[-FURTHER:]]
    return [line.removesuffix(b"\r") for line in sample]
