"""Lists of the turns of dialogues: tab-separated files, one for all splits or one for each."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.data.reading.text_lists import read_text
from harness.errors import DataError, nearest

Column = int | str
"""A column by its place from 0, or by its name in the first line."""

SPLITS = {
    "train": "train",
    "dev": "validation",
    "valid": "validation",
    "val": "validation",
    "validation": "validation",
    "test": "test",
}
"""Names of splits in corpora -> ours."""

FILES = ("train.tsv", "dev.tsv", "test.tsv")
"""A file a split, as thuiar's MIntRec and UMC publish them."""

WORD = re.compile(r"\w+(?:['’]\w+)?|[?!]")


@dataclass(frozen=True)
class TurnColumns:
    """Where a list says what of a turn.

    Attributes:
        id: columns that make its name together, joined by `_`.
        label: its dialogue act.
        words: its text; None if the list has none.
        dialogue: the dialogue that it is of; `id` for its name up to the last `_`, None if that
            is not told.
        split: None for a file a split.
    """

    id: tuple[Column, ...]
    label: Column
    words: Column | None
    dialogue: Column | None
    split: Column | None


@dataclass(frozen=True)
class DialogueTurn:
    """One turn; `source` is its file, `line` its line there, from 1."""

    id: str
    label: str
    words: str
    dialogue: str
    split: str
    source: str
    line: int


def tokens(text: str) -> list[str]:
    """Return the words of a turn, lower case; question and exclamation marks are words.

    >>> tokens("Yes, that's it?")
    ['yes', "that's", 'it', '?']
    """
    return WORD.findall(text.lower())


def read_turns(folder: Path, file: str, columns: TurnColumns) -> list[DialogueTurn]:
    """Read the turns of a corpus, those of a dialogue together.

    Args:
        folder: the corpus's.
        file: the one list below it; empty for `FILES`.
        columns: of every list.

    Raises:
        DataError: a list is absent, lacks a column, or has a line that cannot be used.
    """
    turns: list[DialogueTurn] = []
    for name in (file,) if file else FILES:
        turns += _read(folder / name, name, columns, "" if file else name.removesuffix(".tsv"))
    first = {turn.dialogue: place for place, turn in reversed(list(enumerate(turns)))}
    return sorted(turns, key=lambda turn: first[turn.dialogue])


def _read(path: Path, name: str, columns: TurnColumns, split: str) -> Iterator[DialogueTurn]:
    rows = csv.reader(read_text(path).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    head = next(rows, [])
    places = [_place(each, head, path) for each in columns.id]
    label = _place(columns.label, head, path)
    words = None if columns.words is None else _place(columns.words, head, path)
    told = None if columns.dialogue in (None, "id") else _place(columns.dialogue, head, path)
    own = None if split or columns.split is None else _place(columns.split, head, path)
    needed = 1 + max(place for place in (*places, label, words, told, own) if place is not None)
    for line, row in enumerate(rows, start=2):
        if not row:
            continue
        where = f"{path}: line {line}"
        if len(row) < needed:
            raise DataError(f"{where}: has {len(row)} columns, {needed} are wanted")
        key = "_".join(row[place] for place in places)
        dialogue = key if told is None else row[told]
        if columns.dialogue == "id":
            dialogue = key.rpartition("_")[0] or key
        given = split or ("" if own is None else row[own])
        if given not in SPLITS:
            raise DataError(f"{where}: unknown split {given!r}; {nearest(given, SPLITS)}")
        text = "" if words is None else row[words]
        yield DialogueTurn(key, row[label], text, dialogue, SPLITS[given], name, line)


def _place(column: Column | None, head: Sequence[str], path: Path) -> int:
    """Return the place of a column."""
    if isinstance(column, int):
        if not 0 <= column < len(head):
            raise DataError(f"{path}: no column {column}; its first line has {len(head)}")
        return column
    name = str(column)
    if name not in head:
        raise DataError(f"{path}: no column {name!r}; {nearest(name, head)}")
    return head.index(name)
