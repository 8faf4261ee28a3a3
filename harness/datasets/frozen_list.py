"""The list of a frozen subset: its utterances chosen by a rule, written, read and applied."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from harness.config.datasets import FreezeRule
from harness.data.item_names import match_spelling
from harness.data.split import SPLITS, hash_order
from harness.datasets.item_pairs import share_evenly
from harness.errors import DataError
from harness.records.files import write_text

COLUMNS = ("id", "split")

FEWEST = 2
"""Utterances of a speaker who is held out: fewer make no target trial."""


def freeze(items: pd.DataFrame, rule: FreezeRule, name: str) -> pd.DataFrame:
    """Choose exactly as many utterances as a rule asks for, with no speaker in two splits.

    Every chosen speaker gives as many as any other, as far as the corpus allows, so that the
    splits share the count as they share the speakers. Speakers and utterances are taken in the
    order of a seeded hash, whatever the order of the table.

    Args:
        items: all of the corpus; a split that it gives an item stays.
        rule: count of utterances and speakers.
        name: the dataset, for errors.

    Returns:
        `id` and `split` of the chosen utterances, sorted by id.

    Raises:
        DataError: there are too few speakers or utterances, or a speaker is in two splits.
    """
    units = _choose_units(_units(items, rule.seed, name), rule, name)
    _check_count(units, rule, name)
    units = units.assign(share=share_evenly(units["items"].to_numpy(np.int64), rule.count))
    rows = items.loc[items["unit"].isin(units.index), ["id", "unit"]]
    rows = rows.assign(key=[hash_order(rule.seed, str(each)) for each in rows["id"]])
    rows = rows.sort_values(["unit", "key"])
    number = rows.groupby("unit").cumcount()
    rows = rows[number.to_numpy() < rows["unit"].map(units["share"]).to_numpy()]
    frozen = rows.assign(split=rows["unit"].map(units["split"]))[["id", "split"]]
    return frozen.sort_values("id", ignore_index=True)


def _units(items: pd.DataFrame, seed: int, name: str) -> pd.DataFrame:
    """Return every unit's count of items and its split, in the order of their hashes."""
    pairs = items[["unit", "split"]].drop_duplicates()
    shared = sorted(pairs.loc[pairs["unit"].duplicated(), "unit"])
    if shared:
        raise DataError(f"{name}: in more than one split: {', '.join(shared[:10])}")
    units = pairs.set_index("unit").assign(items=items["unit"].value_counts())
    return units.loc[sorted(units.index, key=lambda unit: hash_order(seed, str(unit)))]


def _choose_units(units: pd.DataFrame, rule: FreezeRule, name: str) -> pd.DataFrame:
    """Return the units that are used, each with its split, in the order given."""
    split = units["split"].copy()
    usable = units["items"] >= FEWEST
    for side, wanted in (("test", rule.test), ("validation", rule.validation)):
        own = split == side
        candidates = np.flatnonzero((own if own.any() else split == "") & usable)
        _check_units(len(candidates), wanted, side, name, brings=bool(own.any()))
        split[own] = "unused"
        split.iloc[candidates[:wanted]] = side
    trains = np.flatnonzero(split.isin(["", "train"]))
    _check_units(len(trains), rule.speakers or 2, "train", name, brings=True)
    split.iloc[trains] = "unused"
    split.iloc[trains[: rule.speakers]] = "train"
    return units.assign(split=split)[split != "unused"]


def _check_units(there: int, wanted: int | None, side: str, name: str, *, brings: bool) -> None:
    if wanted is None and not brings:
        raise DataError(
            f"{name}: {side}: the corpus brings none of its own; say how many speakers it gets"
        )
    if there < (wanted or 1):
        key = {"train": "speakers"}.get(side, side)
        enough = "" if side == "train" else f" with {FEWEST} utterances or more"
        raise DataError(
            f"{name}: {key}: {wanted or 1} are asked for, and {there}{enough} are there for {side}"
        )


def _check_count(units: pd.DataFrame, rule: FreezeRule, name: str) -> None:
    there = int(units["items"].sum())
    least = int(units["items"].clip(upper=FEWEST).sum())
    speakers = ", ".join(f"{(units['split'] == split).sum()} {split}" for split in SPLITS)
    if there < rule.count:
        raise DataError(
            f"{name}: count: {rule.count:,} utterances are asked for, and the {len(units):,} "
            f"speakers chosen ({speakers}) have {there:,}; ask for fewer, or for more speakers"
        )
    if least > rule.count:
        raise DataError(
            f"{name}: count: {rule.count:,} utterances are too few for {len(units):,} speakers "
            f"({speakers}), {FEWEST} each; ask for more, or set `speakers` to fewer"
        )


def write_frozen(path: Path, frozen: pd.DataFrame) -> bool:
    """Write the list of a subset, unless it lies there already.

    Returns:
        True if it was written.

    Raises:
        DataError: another list lies there, which stays as it is, or an id cannot be written.
    """
    broken = [id_ for id_ in frozen["id"] if not id_ or {"\t", "\n", "\r"} & set(id_)]
    if broken:
        raise DataError(f"the id {broken[0]!r} holds a tab or a new line; a list cannot name it")
    if not path.exists():
        rows = [COLUMNS, *frozen.itertuples(index=False)]
        write_text(path, "".join(f"{id_}\t{split}\n" for id_, split in rows))
        return True
    if not read_frozen(path).sort_values("id", ignore_index=True).equals(frozen):
        raise DataError(
            f"{path}: holds another subset than this rule gives, and a frozen list stays as it "
            "is; give the new subset another name"
        )
    return False


def read_frozen(path: Path) -> pd.DataFrame:
    """Read the list of a subset: `id` and `split`, as they stand.

    Raises:
        DataError: the file is absent, or a line is not an id, a tab and a split; an id comes
            twice.
    """
    header, *lines = _read_text(path).removesuffix("\n").split("\n")
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


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: no such list ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason})") from error


def restrict(items: pd.DataFrame, frozen: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the items of a subset with their split, in the corpus's order.

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
