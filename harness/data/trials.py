"""Trial lists: which two items are compared, and whether they are of one label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.errors import DataError


@dataclass(frozen=True)
class Trials:
    """Trials as positions in an item table.

    Attributes:
        enrol, test: rows of the table, `[trials]`.
        target: True where both are of one label, `[trials]`.
        kind: a word for breaking results down, `[trials]`.
    """

    enrol: NDArray[np.int64]
    test: NDArray[np.int64]
    target: NDArray[np.bool_]
    kind: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.target)


def all_pairs(items: pd.DataFrame, most: int, seed: int = 0) -> pd.DataFrame:
    """Every pair of items, or all target pairs and a seeded choice of the others.

    Args:
        items: a split's items.
        most: the longest list wanted; target pairs are kept even beyond it.
        seed: of the choice.

    Returns:
        A trial list in the order of the items.
    """
    enrol, test = np.triu_indices(len(items), k=1)
    labels = pd.factorize(items["label"])[0]
    target = labels[enrol] == labels[test]
    keep = _choice(target, most, seed)
    ids = items["id"].to_numpy()
    kind = np.where(target[keep], "target", "nontarget")
    return pd.DataFrame(
        {"enrol": ids[enrol[keep]], "test": ids[test[keep]], "target": target[keep], "kind": kind}
    )


def index_trials(table: pd.DataFrame, items: pd.DataFrame, name: str) -> Trials:
    """Turn ids into rows of a split's items.

    Raises:
        DataError: an id is unknown, or a side of the list is empty.
    """
    rows = pd.Series(np.arange(len(items)), index=items["id"])
    unknown = sorted((set(table["enrol"]) | set(table["test"])) - set(rows.index))
    if unknown:
        raise DataError(f"{name}: trials name unknown items: {', '.join(unknown[:10])}")
    target = table["target"].to_numpy(bool)
    if target.all() or not target.any():
        raise DataError(f"{name}: trials need targets and nontargets both; {target.sum()} targets")
    return Trials(
        rows[table["enrol"]].to_numpy(),
        rows[table["test"]].to_numpy(),
        target,
        table["kind"].to_numpy(str),
    )


def without(table: pd.DataFrame, left_out: tuple[str, ...]) -> pd.DataFrame:
    """The trials that name none of the items left out."""
    gone = table["enrol"].isin(left_out) | table["test"].isin(left_out)
    return table[~gone]


def _choice(target: NDArray[np.bool_], most: int, seed: int) -> NDArray[np.int64]:
    targets, others = np.flatnonzero(target), np.flatnonzero(~target)
    wanted = max(0, most - len(targets))
    if len(others) > wanted:
        generator = np.random.Generator(np.random.PCG64(seed))
        others = generator.choice(others, size=wanted, replace=False)
    return np.sort(np.concatenate([targets, others]))
