"""A dataset as its lists tell it, nothing decoded yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.datasets import Dataset, DatasetFold
from harness.config.tables import Profile
from harness.data.corpus import MODEL_COLUMNS, TRIAL_COLUMNS, Corpus
from harness.data.item_names import alike_names
from harness.data.split import SPLITS
from harness.data.table_digest import table_digest
from harness.datasets.lengths import Need
from harness.datasets.lock import DatasetLock
from harness.errors import ConfigError
from harness.records.documents import digest
from harness.trials.index import TrialIndex, TrialTable, index_trials


@dataclass(frozen=True)
class Listing:
    """A dataset as its lists tell it, nothing decoded yet.

    Attributes:
        name, profile: which dataset.
        config: its table in the benchmark file.
        corpus: its reader.
        folder: where its files lie.
        items: all items with their split, in the corpus's order.
        trial_tables: split -> trial list.
        fold: which fold of a dataset it is; None where it is all of one.
        needs: what is to judge it, as far as that tells how short its sounds may be.
    """

    name: str
    profile: Profile
    config: Dataset
    corpus: Corpus
    folder: Path
    items: pd.DataFrame
    trial_tables: dict[str, TrialTable]
    fold: DatasetFold | None = None
    needs: tuple[Need, ...] = ()

    @property
    def table(self) -> str:
        """The name of its table in the benchmark file: all folds share one."""
        return self.fold.of if self.fold else self.name

    @property
    def key(self) -> str:
        """The dataset's name in the lock."""
        return f"{self.name}/{self.profile}"

    @property
    def pins_itself(self) -> bool:
        """Whether its first use pins it: what others published waits for a check in full."""
        return self.config.published is None

    @cached_property
    def lock(self) -> DatasetLock:
        """What the lists hash to; the content is not known yet."""
        return DatasetLock(
            manifest=table_digest(self.items, ("id", "unit", "label", "seconds", "source")),
            split=table_digest(self.items, ("id", "split")),
            trials={split: _trials_digest(table) for split, table in self.trial_tables.items()},
            content="",
            counts={split: self._counts(split) for split in SPLITS},
        )

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The labels of the training split, sorted: the classifier's rows."""
        return tuple(sorted(set(self.items.loc[self.items["split"] == "train", "label"])))

    @cached_property
    def alike(self) -> list[list[str]]:
        """Units, and labels, that differ in letter case or leading zeros alone, in groups."""
        units, labels = set(self.items["unit"]), set(self.items["label"])
        return alike_names(units) + (alike_names(labels) if labels != units else [])

    def split_mask(self, split: str, left_out: Sequence[str] = ()) -> NDArray[np.bool_]:
        """Tells of each item whether it is in a split and not left out."""
        mask = (self.items["split"] == split) & ~self.items["id"].isin(left_out)
        return mask.to_numpy(bool)

    def split_items(self, split: str, left_out: Sequence[str] = ()) -> pd.DataFrame:
        """One split's items, numbered from 0, without what was left out."""
        return self.items[self.split_mask(split, left_out)].reset_index(drop=True)

    def split_trials(self, split: str, left_out: Sequence[str] = ()) -> TrialIndex:
        """A split's trials as rows of its items.

        Raises:
            ConfigError: the dataset has no trials.
        """
        table = self.trial_tables.get(split)
        if table is None:
            raise ConfigError(
                f"datasets.{self.table}: brings no trials; give `trials = N`, the longest "
                "list wanted, to have pairs of its items compared"
            )
        items = self.split_items(split, left_out)
        return index_trials(table.without(tuple(left_out)), items, self.name)

    def _counts(self, split: str) -> dict[str, int]:
        part = self.items[self.items["split"] == split]
        counts = {"units": int(part["unit"].nunique()), "items": len(part)}
        if split in self.trial_tables:
            target = self.trial_tables[split].trials["target"]
            counts |= {"trials": len(target), "targets": int(target.sum())}
        return counts


def _trials_digest(table: TrialTable) -> str:
    trials = table_digest(table.trials, TRIAL_COLUMNS)
    if table.models is None:
        return trials
    return digest([trials, table_digest(table.models, MODEL_COLUMNS)])
