"""Train, validation and test, disjoint by unit."""

from __future__ import annotations

import hashlib

import pandas as pd

from harness.config.datasets import SplitRule
from harness.errors import DataError
from harness.metrics.k_folds import unit_folds
from harness.metrics.validation import MetricError

SPLITS = ("train", "validation", "test")


def hash_order(seed: int, name: str) -> str:
    """Return the text that a name is sorted by: sha256(seed:name), in hexadecimal."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def assign_split(
    items: pd.DataFrame, rule: SplitRule, name: str, fold: int | None = None
) -> pd.DataFrame:
    """Give every item without a split one, by a seeded rule over units.

    A unit's place depends on its name and the seed alone; when a corpus grows, units that
    were there keep their order. With folds, one fold is the test, and validation comes first in the
    order of the rest.

    Args:
        items: the item table.
        rule: how many units go where.
        name: how errors name the dataset.
        fold: which of the rule's folds is tested, from 1.

    Raises:
        DataError: too few units are left to train on, or are in a fold.
    """
    open_ = items["split"] == ""
    units = sorted(set(items.loc[open_, "unit"]), key=lambda unit: hash_order(rule.seed, unit))
    if fold is None:
        tested = units[: rule.test or 0]
    else:
        try:
            dealt = unit_folds(units, rule.folds or 0, seed=rule.seed)
        except MetricError as error:
            raise DataError(f"{name}.split.folds: {error}") from error
        tested = [unit for unit in units if dealt[unit] == fold - 1]
    rest = [unit for unit in units if unit not in set(tested)]
    if len(rest) < rule.validation + 2:
        raise DataError(
            f"{name}: {len(units)} units, of which the split wants {len(tested)} for test and "
            f"{rule.validation} for validation: fewer than 2 are left to train on"
        )
    places = dict.fromkeys(tested, "test") | dict.fromkeys(rest[: rule.validation], "validation")
    given = items["unit"].map({unit: places.get(unit, "train") for unit in units})
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
