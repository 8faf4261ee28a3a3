"""Names of speakers, utterances and labels: one spelling for names that look the same."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import Corpus
from harness.errors import DataError

NAMED = ("id", "unit", "label")
"""Columns of the item table that must not be blank."""

_AS_LISTED = frozenset({"source", "line", "seconds", "split"})

_IGNORABLE = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    r"\U000e0000-\U000e0fff"
)
"""Control characters that are no blanks, the blank Braille cell, and the code points that Unicode
calls default-ignorable: zero-width blanks and joiners, byte order marks, soft hyphens, variation
selectors.
"""

_UNSEEN = re.compile(f"[{_IGNORABLE}]")
_AROUND = re.compile(rf"\A[\s{_IGNORABLE}]+|[\s{_IGNORABLE}]+\Z")
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def clean_name(name: str) -> str:
    r"""Return a name without unseen characters: the same for all spellings that look the same.

    Blanks around it are gone, those inside are single spaces, zero-width and control characters are
    gone, and accents are composed (Unicode's form C).

    >>> clean_name("  Anna\u00a0 Mari\u200ba ")
    'Anna Maria'
    >>> clean_name("Zoe\u0308") == "Zo\u00eb"
    True
    """
    if _is_plain(name):
        return name
    seen = unicodedata.normalize("NFC", _UNSEEN.sub("", name))
    return " ".join(seen.split())


def strip_name(name: str) -> str:
    """Return a name without blanks and unseen characters around it; its inside stays."""
    return name if _is_plain(name) else _AROUND.sub("", name)


def read_items(corpus: Corpus, profile: Profile, folder: Path, where: str) -> pd.DataFrame:
    """Read a corpus's item table with one spelling for each name.

    Args:
        corpus: the reader.
        profile: which of its profiles.
        folder: the folder of its files.
        where: the dataset, for errors.

    Raises:
        DataError: its lists cannot be used, a name is blank, or two ids look the same.
    """
    items = corpus.items(profile, folder)
    refuse_repeats(items, where)
    spelled = {
        str(column): _one_spelling(items[column])
        for column in items.columns
        if column not in _AS_LISTED
    }
    _refuse_unknown(items, spelled, where)
    merged = spelled["unit"].nunique() < items["unit"].nunique()
    items = items.assign(**spelled)
    if not merged:
        return items
    # A unit that had several spellings is brought together, in the order given.
    order = np.argsort(pd.factorize(items["unit"])[0], kind="stable")
    return items.iloc[order].reset_index(drop=True)


def refuse_repeats(items: pd.DataFrame, where: str) -> None:
    """Refuse an item table in which two ids look the same.

    Raises:
        DataError: names both sources.
    """
    ids = items["id"].reset_index(drop=True)
    keys = ids if _are_plain(ids.tolist()) else ids.map(lambda name: clean_name(str(name)))
    again = keys.duplicated()
    if not again.any():
        return
    key = keys[again].iloc[0]
    alike = items[(keys == key).to_numpy()]
    (one, first), (other, second), *_ = zip(alike["id"], alike["source"], strict=True)
    unseen = "" if one == other else f" (as {other!r}: they differ in blanks or unseen characters)"
    raise DataError(
        f"{where}: {int(again.sum())} utterances have the id of another: {one!r} is both "
        f"{first} and {second}{unseen}; every id must be its own"
    )


def match_spelling(names: pd.Series[Any], known: Iterable[str]) -> pd.Series[Any]:
    """Return the names of one list as another list spells them; unknown names stay.

    Args:
        names: of trials, models or a frozen subset.
        known: ids of items, or names of models.
    """
    codes, distinct = pd.factorize(names)
    spellings = set(known)
    if spellings.issuperset(distinct):
        return names
    by_key = {clean_name(name): name for name in spellings}
    found = [
        name if name in spellings else by_key.get(clean_name(str(name)), name) for name in distinct
    ]
    return pd.Series(np.array(found, dtype=object)[codes], index=names.index)


def alike_names(names: Iterable[str]) -> list[list[str]]:
    """Return names that differ in letter case or leading zeros alone, in groups.

    >>> alike_names(["spk1", "Spk01", "7", "007", "70"])
    [['007', '7'], ['Spk01', 'spk1']]
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        key = _LEADING_ZEROS.sub("", clean_name(name).casefold())
        groups.setdefault(key, []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isprintable() and " " not in name


def _are_plain(names: Iterable[Any]) -> bool:
    """Return true if no name needs a closer look; fast for millions of names."""
    return _is_plain("".join(map(str, names)))


def _one_spelling(column: pd.Series[Any]) -> pd.Series[Any]:
    """Strip the words of a column; several spellings of one word become one.

    A name that is spelled in one way keeps its inside: locks rest on that.
    """
    if pd.api.types.is_numeric_dtype(column) or _are_plain(column.tolist()):
        return column
    codes, distinct = pd.factorize(column, use_na_sentinel=False)
    words = [word for word in distinct if isinstance(word, str)]
    spellings = Counter(map(clean_name, words))
    one = {
        word: key if spellings[key := clean_name(word)] > 1 else strip_name(word) for word in words
    }
    chosen = [one.get(word, word) for word in distinct]
    return pd.Series(np.array(chosen, dtype=object)[codes], index=column.index)


def _refuse_unknown(items: pd.DataFrame, spelled: dict[str, pd.Series[Any]], where: str) -> None:
    for column in NAMED:
        # A reader decides itself if a hyphen alone is a name.
        unknown = spelled[column].isin(("", "-")) & (items[column] != "-")
        if unknown.any():
            first = items[unknown].iloc[0]
            place = f" (line {first['line']})" if first["line"] else ""
            raise DataError(
                f"{where}: the {column} of {int(unknown.sum()):,} of {len(items):,} items is "
                f"{first[column]!r}, which names nobody: the first is {first['source']}{place}; "
                "fill it in, or leave the item away"
            )
