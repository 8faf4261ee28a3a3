"""Train, validation and test, disjoint by unit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from harness.config.schema import SplitRule
from harness.data.hash_order import hash_order
from harness.errors import DataError

SPLITS = ("train", "validation", "test")


def assign_split(items: pd.DataFrame, rule: SplitRule, name: str) -> pd.DataFrame:
    """Give every item without a split one, by a seeded rule over units.

    A unit's place depends on its name and the seed alone; when a corpus grows, units that
    were there keep their order.

    Raises:
        DataError: too few units are left to train on.
    """
    open_ = items["split"] == ""
    units = sorted(set(items.loc[open_, "unit"]), key=lambda unit: hash_order(rule.seed, unit))
    test = rule.test or 0
    held_out = test + rule.validation
    if len(units) < held_out + 2:
        raise DataError(
            f"{name}: {len(units)} units, of which the split wants {test} for test and "
            f"{rule.validation} for validation: fewer than 2 are left to train on"
        )
    places = np.array(["train"] * len(units), dtype=object)
    places[:test] = "test"
    places[test:held_out] = "validation"
    given = items["unit"].map(dict(zip(units, places, strict=True)))
    return items.assign(split=items["split"].where(~open_, given))


def check_disjoint(items: pd.DataFrame, name: str) -> None:
    """Refuse a unit that stands in two splits, and a split that is empty.

    Raises:
        DataError: names the units.
    """
    pairs = items[["unit", "split"]].drop_duplicates()
    shared = sorted(pairs.loc[pairs["unit"].duplicated(), "unit"])
    if shared:
        raise DataError(f"{name}: in more than one split: {', '.join(shared[:10])}")
    missing = [split for split in SPLITS if split not in set(pairs["split"])]
    if missing:
        raise DataError(f"{name}: nothing in the split {' and '.join(missing)}")
