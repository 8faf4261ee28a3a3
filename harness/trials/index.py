"""Trial lists of a dataset: by name, and by row of its item table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.errors import DataError

MOST_PAIRED = 6_000
"""The most items whose pairs are all enumerated: 18 million pairs, some 500 MB."""


@dataclass(frozen=True)
class Models:
    """Models that are enrolled by one item or several.

    Attributes:
        names: `[models]`.
        owner: the model each enrolment belongs to, `[enrolments]`.
        item: the item each enrolment is made of, a row of the item table, `[enrolments]`.
    """

    names: NDArray[np.str_]
    owner: NDArray[np.int64]
    item: NDArray[np.int64]

    @property
    def first(self) -> NDArray[np.int64]:
        """One item of each model, `[models]`, which has the model's unit and label."""
        return self.item[np.unique(self.owner, return_index=True)[1]]


@dataclass(frozen=True)
class TrialIndex:
    """Trials as positions in an item table.

    Attributes:
        enrol: rows of the table, or of `models` if there are any, `[trials]`.
        test: rows of the table, `[trials]`.
        target: True if both are of one label, `[trials]`.
        kind: a word for breaking results down, `[trials]`.
        models: the models that are enrolled; None if every item is enrolled by itself.
    """

    enrol: NDArray[np.int64]
    test: NDArray[np.int64]
    target: NDArray[np.bool_]
    kind: NDArray[np.str_]
    models: Models | None = None

    def __len__(self) -> int:
        return len(self.target)

    def enrolled_by(self) -> NDArray[np.int64]:
        """Return an item of each trial's enrolment, `[trials]`."""
        return self.enrol if self.models is None else self.models.first[self.enrol]


@dataclass(frozen=True)
class TrialTable:
    """A trial list by names.

    Attributes:
        trials: with the columns `enrol`, `test`, `target`, `kind`.
        models: with the columns `model`, `item`; None if `enrol` names items.
    """

    trials: pd.DataFrame
    models: pd.DataFrame | None = None

    def without(self, left_out: tuple[str, ...]) -> TrialTable:
        """Return the list without some items.

        A model is enrolled by what is left of its items; one that has lost them all is left out
        with its trials, as is a trial of a removed item.
        """
        models, lost = self.models, set(left_out)
        not_enrolled = lost
        if models is not None:
            kept = models[~models["item"].isin(lost)]
            not_enrolled = set(models["model"]) - set(kept["model"])
            models = kept.reset_index(drop=True)
        gone = self.trials["enrol"].isin(not_enrolled) | self.trials["test"].isin(lost)
        return TrialTable(self.trials[~gone], models)


def all_pairs(items: pd.DataFrame, most: int, seed: int = 0) -> pd.DataFrame:
    """Return every pair of items, or all target pairs and a seeded sample of the others.

    Args:
        items: a split's items.
        most: the longest list wanted; target pairs are kept even beyond it.
        seed: of the choice.

    Returns:
        A trial list in the order of the items.

    Raises:
        DataError: so many items have too many pairs to choose from.
    """
    if len(items) > MOST_PAIRED:
        raise DataError(
            f"{len(items):,} items have {len(items) * (len(items) - 1) // 2:,} pairs; in place of "
            "`trials = N` have a list drawn: draw_trials = { count = N }"
        )
    enrol, test = np.triu_indices(len(items), k=1)
    labels = pd.factorize(items["label"])[0]
    target = labels[enrol] == labels[test]
    keep, others = np.flatnonzero(target), np.flatnonzero(~target)
    wanted = max(0, most - len(keep))
    if len(others) > wanted:
        generator = np.random.Generator(np.random.PCG64(seed))
        others = generator.choice(others, size=wanted, replace=False)
    keep = np.sort(np.concatenate([keep, others]))
    ids = items["id"].to_numpy()
    kind = np.where(target[keep], "target", "nontarget")
    return pd.DataFrame(
        {"enrol": ids[enrol[keep]], "test": ids[test[keep]], "target": target[keep], "kind": kind}
    )


def check_comparable(items: pd.DataFrame, where: str) -> None:
    """Refuse a split whose items cannot make a target and a nontarget trial.

    Args:
        items: the split's items.
        where: dataset and split, for the error.

    Raises:
        DataError: each label has one item alone, or there is one label.
    """
    counts = items["label"].value_counts()
    if len(counts) < 2:
        raise DataError(
            f"{where}: all of its {len(items):,} items are of one label, so no trial is nontarget; "
            "give the split two or more (speakers, where they are told apart)"
        )
    if counts.max() < 2:
        raise DataError(
            f"{where}: its {len(items):,} items are of {len(counts):,} labels, one each, so no "
            "trial is target; verification needs two utterances or more of a speaker. Add some, or "
            "take the trials out where nothing is compared"
        )


def check_sides(table: TrialTable, where: str) -> None:
    """Refuse a trial list without targets, or without nontargets.

    Args:
        table: the list.
        where: dataset and split, for the error.

    Raises:
        DataError: error rates could not be computed from it.
    """
    target = table.trials["target"].to_numpy(bool)
    if target.all() or not target.any():
        lacking = "nontarget" if target.any() else "target"
        raise DataError(
            f"{where}: none of its {len(target):,} trials is {lacking}, and error rates need both; "
            "ask for more trials or another share of targets (`trials`, `draw_trials`), or mend "
            "the corpus's own list"
        )


def index_trials(table: TrialTable, items: pd.DataFrame, name: str) -> TrialIndex:
    """Turn names into rows of a split's items, and of its models if there are any.

    Raises:
        DataError: a name is unknown, a model is of two units, or a side of the list is empty.
    """
    trials = table.trials
    target = trials["target"].to_numpy(bool)
    if target.all() or not target.any():
        raise DataError(f"{name}: trials need targets and nontargets both; {target.sum()} targets")
    known = pd.Index(items["id"])
    models = None if table.models is None else _index_models(table.models, items, known, name)
    enrolled = known if models is None else pd.Index(models.names)
    return TrialIndex(
        _rows(trials["enrol"], enrolled, name, "items" if models is None else "models"),
        _rows(trials["test"], known, name, "items"),
        target,
        trials["kind"].to_numpy(str),
        models,
    )


def _index_models(
    table: pd.DataFrame, items: pd.DataFrame, known: pd.Index[Any], name: str
) -> Models:
    owner, names = pd.factorize(table["model"])
    item = _rows(table["item"], known, f"{name}: enrolment", "items")
    units = pd.DataFrame({"model": owner, "unit": items["unit"].to_numpy()[item]})
    mixed = units.drop_duplicates()["model"].duplicated(keep=False)
    if mixed.any():
        first = names[units.drop_duplicates()["model"][mixed].iloc[0]]
        raise DataError(f"{name}: the model {first} is enrolled by items of several units")
    order = np.argsort(owner, kind="stable")
    return Models(np.asarray(names, dtype=str), owner[order].astype(np.int64), item[order])


def _rows(column: pd.Series[Any], known: pd.Index[Any], name: str, what: str) -> NDArray[np.int64]:
    codes, names = pd.factorize(column)
    places = known.get_indexer(pd.Index(names))
    unknown = sorted(str(each) for each in names[places < 0])
    if unknown:
        raise DataError(f"{name}: trials name unknown {what}: {', '.join(unknown[:10])}")
    return np.asarray(places[codes], dtype=np.int64)
