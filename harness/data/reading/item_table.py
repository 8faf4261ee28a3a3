"""The item table of a corpus, made from the utterances that a layout lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

import pandas as pd

from harness.data.corpus import COLUMNS
from harness.data.item_names import clean_name, refuse_repeats
from harness.errors import DataError, nearest

UNKNOWN = ("", "-")
"""Spellings of an unknown value in lists."""

SPEAKER = "speaker"
"""The value of the `label` field for which speakers are the classes."""


@dataclass(frozen=True, slots=True)
class ListedUtterance:
    """One utterance.

    Attributes:
        id, unit, source, seconds, line, split: as in the item table; the unit is the speaker.
        further: column -> further facts.
        label: the class, if that is not the speaker.
    """

    id: str
    unit: str
    source: str
    seconds: float = 0.0
    line: int = 0
    split: str = ""
    further: Mapping[str, str] = field(default_factory=dict)
    label: str | None = None


def item_table(entries: Sequence[ListedUtterance]) -> pd.DataFrame:
    """Return the item table: its own columns, then further ones, empty for unknown values.

    A further column that has the name of one of the table's own is left away.
    """
    names = dict.fromkeys(name for entry in entries for name in entry.further)
    table = {name: list(map(attrgetter(name), entries)) for name in COLUMNS}
    table["label"] = [entry.unit if entry.label is None else entry.label for entry in entries]
    further = {
        name: [value_or_blank(entry.further.get(name)) for entry in entries]
        for name in names
        if name not in COLUMNS
    }
    return pd.DataFrame(table | further)


def sort_by_speaker(entries: Iterable[ListedUtterance], label: str, where: str) -> pd.DataFrame:
    """Return the item table of utterances in any order: by speaker, then by id.

    Args:
        entries: utterances.
        label: the classes: `speaker`, or one of their further columns.
        where: the corpus, for the error.

    Raises:
        DataError: there is no such column, an utterance has nothing in it, or an id comes twice.
    """
    by_speaker = sorted(entries, key=lambda entry: (entry.unit, entry.id))
    items = item_table(_with_label(by_speaker, label, where))
    refuse_repeats(items, where)
    return items


def value_or_blank(value: str | None) -> str:
    """Return a value, empty if a list marks it as unknown."""
    return "" if value is None or clean_name(value) in UNKNOWN else value


def _with_label(
    entries: Sequence[ListedUtterance], label: str, where: str
) -> Sequence[ListedUtterance]:
    if label == SPEAKER:
        return entries
    further = {name for entry in entries for name in entry.further}
    if label not in further:
        raise DataError(f"{where}: no column {label!r} to tell apart; {nearest(label, further)}")
    unknown = [entry.id for entry in entries if not value_or_blank(entry.further.get(label))]
    if unknown:
        raise DataError(
            f"{where}: the {label} of {len(unknown)} of {len(entries)} utterances is unknown, "
            f"the first {unknown[0]!r}; leave them away, or tell another column apart"
        )
    return [replace(entry, label=entry.further[label]) for entry in entries]
