"""Train, validation and test, disjoint by unit."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from harness.config.schema import SplitRule
from harness.errors import DataError

SPLITS = ("train", "validation", "test")


def assign_split(items: pd.DataFrame, rule: SplitRule, name: str) -> pd.DataFrame:
    """Fill the `split` column by a seeded rule over units.

    A unit's place depends on its name and the seed alone; when a corpus grows, units that
    were there keep their order.

    Raises:
        DataError: too few units are left to train on.
    """
    units = sorted(set(items["unit"]), key=lambda unit: _order(rule.seed, unit))
    held_out = rule.test + rule.validation
    if len(units) < held_out + 2:
        raise DataError(
            f"{name}: {len(units)} units, of which the split wants {rule.test} for test and "
            f"{rule.validation} for validation: fewer than 2 are left to train on"
        )
    places = np.array(["train"] * len(units), dtype=object)
    places[: rule.test] = "test"
    places[rule.test : held_out] = "validation"
    return items.assign(split=items["unit"].map(dict(zip(units, places, strict=True))))


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


def _order(seed: int, unit: str) -> str:
    return hashlib.sha256(f"{seed}:{unit}".encode()).hexdigest()
