"""A whole file of trials, scores or speakers as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType

from harness.scorefiles.blocks import SIZE, Block, blocks
from harness.scorefiles.columns import Codes, Columns, Floats, Numbering
from harness.scorefiles.complaints import Complaints
from harness.scorefiles.fast import fast_columns
from harness.scorefiles.formats import Format
from harness.scorefiles.lines import line_columns
from harness.scorefiles.telling import SAMPLE, tell


@dataclass(frozen=True, eq=False)
class Table:
    """The N lines of a file; row i is line i + 1.

    Attributes:
        path: the file.
        form: how its lines are written.
        codes: column -> `[N]`, numbers of its names; a label is 0 (nontarget) or 1 (target).
        names: column -> its names in the order of their numbers.
        scores: `[N]`; empty where the layout has none.
    """

    path: Path
    form: Format
    codes: Mapping[str, Codes]
    names: Mapping[str, tuple[str, ...]]
    scores: Floats

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
    first = next(stream)
    form = tell(_sample(first), layouts, path, names=known)
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
    return Table(path, form, columns.codes, names_of, columns.scores)


def _further(form: Format, numberings: Mapping[str, Numbering]) -> dict[str, Numbering]:
    """Numberings for the columns of which no name is known."""
    fresh = {name: Numbering() for name in form.columns if name not in numberings}
    return fresh | {"label": Numbering.of(form.labels)}


def _sample(block: Block) -> list[bytes]:
    lines = block.text[: 1 << 20].split(b"\n")[:-1] or [block.text]
    return [line.removesuffix(b"\r") for line in islice(lines, SAMPLE)]
