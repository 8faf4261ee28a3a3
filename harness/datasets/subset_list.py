"""The list of a frozen subset: ids and their split, in a file small enough to publish."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.data.item_names import match_spelling
from harness.data.split import SPLITS
from harness.errors import DataError
from harness.records.files import write_text

COLUMNS = ("id", "split")


def read_frozen(path: Path) -> pd.DataFrame:
    """The list of a subset: `id` and `split`, as they stand.

    Raises:
        DataError: the file is absent, or a line is not an id, a tab and a split; an id comes
            twice.
    """
    header, *lines = _text(path).removesuffix("\n").split("\n")
    if tuple(header.rstrip("\r").split("\t")) != COLUMNS:
        raise DataError(f"{path}: line 1 is not the header 'id<tab>split'")
    seen: dict[str, str] = {}
    for number, line in enumerate(lines, start=2):
        id_, tab, split = line.rstrip("\r").partition("\t")
        if not id_ or not tab or split not in SPLITS:
            raise DataError(
                f"{path}: line {number} is not an id, a tab and one of {', '.join(SPLITS)}"
            )
        if id_ in seen:
            raise DataError(f"{path}: line {number}: {id_!r} stands further up too")
        seen[id_] = split
    if not seen:
        raise DataError(f"{path}: lists no utterance")
    return pd.DataFrame({"id": list(seen), "split": list(seen.values())})


def restrict(items: pd.DataFrame, frozen: pd.DataFrame, name: str) -> pd.DataFrame:
    """The items of a subset with their split, in the corpus's order.

    Raises:
        DataError: the corpus lacks some of them, or puts one into another split.
    """
    ids = match_spelling(frozen["id"], items["id"])
    split = dict(zip(ids, frozen["split"], strict=True))
    lacking = sorted(set(split) - set(items["id"]))
    if lacking:
        raise DataError(
            f"{name}: the corpus lacks {len(lacking):,} of the {len(split):,} ids of the frozen "
            f"list, the first of them {lacking[0]!r}; restore the corpus as it was"
        )
    kept = items[items["id"].isin(split)].reset_index(drop=True)
    given = kept["id"].map(split)
    moved = kept[~kept["split"].isin([""]) & (kept["split"] != given)]
    if len(moved):
        first = moved.iloc[0]
        raise DataError(
            f"{name}: the frozen list has {first['id']!r} in {split[first['id']]}, and the corpus "
            f"in {first['split']} (so it is with {len(moved):,} ids); restore either as it was"
        )
    return kept.assign(split=given)


def write_frozen(path: Path, frozen: pd.DataFrame) -> bool:
    """Write the list of a subset, unless it lies there already.

    Returns:
        True where it was written.

    Raises:
        DataError: another list lies there, which stays as it is, or an id cannot be written.
    """
    text = _spelled(frozen)
    if not path.exists():
        write_text(path, text)
        return True
    if not read_frozen(path).sort_values("id", ignore_index=True).equals(frozen):
        raise DataError(
            f"{path}: holds another subset than this rule gives, and a frozen list stays as it "
            "is; give the new subset another name"
        )
    return False


def _spelled(frozen: pd.DataFrame) -> str:
    text = "".join(f"{id_}\t{split}\n" for id_, split in frozen.itertuples(index=False))
    broken = [id_ for id_ in frozen["id"] if not id_ or {"\t", "\n", "\r"} & set(id_)]
    if broken:
        raise DataError(f"the id {broken[0]!r} holds a tab or a new line; a list cannot name it")
    return "\t".join(COLUMNS) + "\n" + text


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: no such list ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason})") from error
