"""Which speakers and utterances of a corpus make a fixed subset."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.config.datasets import FreezeRule
from harness.data.split import SPLITS, hash_order
from harness.datasets.drawing.levelling import levelled
from harness.errors import DataError

FEWEST = 2
"""Utterances of a speaker who is held out: fewer make no target trial."""


def freeze(items: pd.DataFrame, rule: FreezeRule, name: str) -> pd.DataFrame:
    """Choose exactly as many utterances as a rule asks for, whole speakers apart.

    Every chosen speaker gives as many as any other, as far as the corpus allows, so that the
    splits share the count as they share the speakers. Speakers and utterances are taken in the
    order of a seeded hash, whatever the order of the table.

    Args:
        items: all of the corpus; a split that it gives an item stays.
        rule: how many utterances and speakers.
        name: the dataset, for errors.

    Returns:
        `id` and `split` of those chosen, sorted by id.

    Raises:
        DataError: there are too few speakers or utterances, or a speaker is in two splits.
    """
    units = _chosen(_units(items, rule.seed, name), rule, name)
    _check_count(units, rule, name)
    shares = levelled(units["items"].to_numpy(np.int64), rule.count)
    units = units.assign(share=shares)
    rows = items.loc[items["unit"].isin(units.index), ["id", "unit"]]
    rows = rows.assign(key=[hash_order(rule.seed, str(each)) for each in rows["id"]])
    rows = rows.sort_values(["unit", "key"])
    number = rows.groupby("unit").cumcount()
    rows = rows[number.to_numpy() < rows["unit"].map(units["share"]).to_numpy()]
    frozen = rows.assign(split=rows["unit"].map(units["split"]))[["id", "split"]]
    return frozen.sort_values("id", ignore_index=True)


def _units(items: pd.DataFrame, seed: int, name: str) -> pd.DataFrame:
    """Every unit's number of items and its split, in the order of their hashes."""
    pairs = items[["unit", "split"]].drop_duplicates()
    shared = sorted(pairs.loc[pairs["unit"].duplicated(), "unit"])
    if shared:
        raise DataError(f"{name}: in more than one split: {', '.join(shared[:10])}")
    units = pairs.set_index("unit").assign(items=items["unit"].value_counts())
    return units.loc[sorted(units.index, key=lambda unit: hash_order(seed, str(unit)))]


def _chosen(units: pd.DataFrame, rule: FreezeRule, name: str) -> pd.DataFrame:
    """The units that are used, each with its split, in the order given."""
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
