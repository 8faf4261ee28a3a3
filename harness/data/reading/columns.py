"""From what a layout tells of each utterance to the item table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from harness.data.corpus import COLUMNS
from harness.data.names import clean_name, refuse_repeats
from harness.errors import DataError, nearest

UNKNOWN = ("", "-")
"""How lists write what nobody knows."""

SPEAKER = "speaker"
"""The `label` field's word for telling speakers apart."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One utterance.

    Attributes:
        id, speaker, source, seconds, line, split: as in the item table.
        further: column -> what else is known.
        label: what is told apart, where that is not the speaker.
    """

    id: str
    speaker: str
    source: str
    seconds: float = 0.0
    line: int = 0
    split: str = ""
    further: Mapping[str, str] = field(default_factory=dict)
    label: str | None = None


def item_table(entries: Sequence[Entry]) -> pd.DataFrame:
    """The item table: its own columns, then what else is known, empty where it is not.

    A further column that has the name of one of the table's own is left away.
    """
    table = {
        "id": [entry.id for entry in entries],
        "unit": [entry.speaker for entry in entries],
        "label": [entry.speaker if entry.label is None else entry.label for entry in entries],
        "seconds": [entry.seconds for entry in entries],
        "source": [entry.source for entry in entries],
        "line": [entry.line for entry in entries],
        "split": [entry.split for entry in entries],
    }
    for name in _further(entries):
        table[name] = [known(entry.further.get(name)) for entry in entries]
    return pd.DataFrame(table)


def told_apart(entries: Iterable[Entry], label: str, where: str) -> pd.DataFrame:
    """The item table of utterances in any order: a speaker's side by side, sorted by id.

    Args:
        entries: utterances.
        label: what is told apart: `speaker`, or one of their further columns.
        where: the corpus, for the error.

    Raises:
        DataError: there is no such column, an utterance has nothing in it, or an id comes twice.
    """
    by_speaker = sorted(entries, key=lambda entry: (entry.speaker, entry.id))
    items = item_table(_labelled(by_speaker, label, where))
    refuse_repeats(items, where)
    return items


def known(value: str | None) -> str:
    """A value, empty where a list says that it is unknown."""
    return "" if value is None or clean_name(value) in UNKNOWN else value


def _labelled(entries: Sequence[Entry], label: str, where: str) -> Sequence[Entry]:
    """The utterances with something else than the speaker as what is told apart."""
    if label == SPEAKER:
        return entries
    further = {name for entry in entries for name in entry.further}
    if label not in further:
        raise DataError(f"{where}: no column {label!r} to tell apart; {nearest(label, further)}")
    unknown = [entry.id for entry in entries if not known(entry.further.get(label))]
    if unknown:
        raise DataError(
            f"{where}: the {label} of {len(unknown)} of {len(entries)} utterances is unknown, "
            f"the first {unknown[0]!r}; leave them away, or tell another column apart"
        )
    return [replace(entry, label=entry.further[label]) for entry in entries]


def _further(entries: Sequence[Entry]) -> list[str]:
    names = dict.fromkeys(name for entry in entries for name in entry.further)
    return [name for name in names if name not in COLUMNS]
