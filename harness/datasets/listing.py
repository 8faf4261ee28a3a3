"""A dataset's lists: items, splits and trials, validated against the lock, nothing decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.datasets import Dataset, DatasetFold, Published, SplitRule
from harness.config.loader import LoadedBenchmark
from harness.config.tables import Profile
from harness.data.corpus import MODEL_COLUMNS, TRIAL_COLUMNS, Corpus, HeldOut
from harness.data.item_names import alike_names, match_spelling, read_items
from harness.data.split import SPLITS, assign_split, check_disjoint
from harness.data.table_digest import table_digest
from harness.data.training_labels import mislabel, thin_out
from harness.datasets.corpus_folders import find, list_path, require
from harness.datasets.frozen_list import read_frozen, restrict
from harness.datasets.leak import copied, deal_copies
from harness.datasets.lengths import Need
from harness.datasets.lock import DatasetLock, check_dataset, dataset_pin
from harness.datasets.ranked_pairs import GRADE, draw_ranked_pairs
from harness.datasets.trial_drawing import draw_trials
from harness.errors import ConfigError, DataError
from harness.records.documents import digest
from harness.trials.index import (
    TrialIndex,
    TrialTable,
    all_pairs,
    check_comparable,
    check_sides,
    index_trials,
)

HELD_OUT: tuple[HeldOut, ...] = ("validation", "test")


@dataclass(frozen=True)
class Listing:
    """A dataset's lists; nothing is decoded yet.

    Attributes:
        name, profile: of the dataset.
        config: its table in the benchmark file.
        corpus: its reader.
        folder: of its files.
        items: all items with their split, in the corpus's order.
        trial_tables: split -> trial list.
        fold: of a dataset that is judged by folds; None if it is all of one.
        needs: inputs of the networks that judge it; they limit how short its sounds may be.
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
        """Name of its table in the benchmark file: all folds share one."""
        return self.fold.of if self.fold else self.name

    @property
    def key(self) -> str:
        """The dataset's name in the lock."""
        return f"{self.name}/{self.profile}"

    @property
    def pins_itself(self) -> bool:
        """True if its first use pins it; a published corpus waits for a check in full."""
        return self.config.published is None

    @cached_property
    def lock(self) -> DatasetLock:
        """Hashes and counts of the lists; the content is not known yet."""
        graded = (GRADE,) if GRADE in self.items else ()
        return DatasetLock(
            manifest=table_digest(
                self.items, ("id", "unit", "label", "seconds", "source", *graded)
            ),
            split=table_digest(self.items, ("id", "split")),
            trials={split: _trials_digest(table) for split, table in self.trial_tables.items()},
            content="",
            counts=self._counts(),
        )

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Labels of the training split, sorted: the classifier's rows."""
        return tuple(sorted(set(self.items.loc[self.items["split"] == "train", "label"])))

    @cached_property
    def alike(self) -> list[list[str]]:
        """Units, and labels, that differ in letter case or leading zeros alone, in groups."""
        units, labels = set(self.items["unit"]), set(self.items["label"])
        return alike_names(units) + (alike_names(labels) if labels != units else [])

    def split_mask(self, split: str, left_out: Sequence[str] = ()) -> NDArray[np.bool_]:
        """Tell of each item if it is in a split and not left out."""
        mask = (self.items["split"] == split) & ~self.items["id"].isin(left_out)
        return mask.to_numpy(bool)

    def split_items(self, split: str, left_out: Sequence[str] = ()) -> pd.DataFrame:
        """Return one split's items, numbered from 0, without those left out."""
        return self.items[self.split_mask(split, left_out)].reset_index(drop=True)

    def split_trials(self, split: str, left_out: Sequence[str] = ()) -> TrialIndex:
        """Return a split's trials as rows of its items.

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

    def _counts(self) -> dict[str, dict[str, int]]:
        counts = split_counts(self.items)
        for split, table in self.trial_tables.items():
            target = table.trials["target"]
            ranked = self.config.rank_pairs is not None
            listed = {"trials": len(target), "targets": int(target.sum())}
            counts[split] |= {"pair": len(target)} if ranked else listed
        return counts


def split_counts(items: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count the units and the items of each split."""
    parts = {split: items[items["split"] == split] for split in SPLITS}
    return {
        split: {"units": int(part["unit"].nunique()), "items": len(part)}
        for split, part in parts.items()
    }


def _trials_digest(table: TrialTable) -> str:
    trials = table_digest(table.trials, TRIAL_COLUMNS)
    if table.models is None:
        return trials
    return digest([trials, table_digest(table.models, MODEL_COLUMNS)])


def list_dataset(
    loaded: LoadedBenchmark, name: str, profile: Profile, needs: tuple[Need, ...] = ()
) -> Listing:
    """Read a dataset's lists and check them against the lock, decoding nothing.

    Args:
        loaded: the benchmark.
        name: the dataset.
        profile: one of its profiles.
        needs: inputs of the networks that judge it; they limit how short its sounds may be.

    Raises:
        CorpusAbsent: it is not on this machine.
        ConfigError: it is judged by folds, and none of them is named.
        DataError: its lists cannot be used, or give no target or no nontarget trial.
        LockError: they are not the locked ones.
    """
    if (parts := loaded.parts(name)) != (name,):
        raise ConfigError(f"{name} is judged by folds; name one of {', '.join(parts)}")
    corpus, folder = require(find(loaded, name))
    config = loaded.dataset(name)
    if config.leak is not None:
        corpus = copied(corpus, config.leak, loaded.where("datasets", name))
    items = _split_items(loaded, name, read_items(corpus, profile, folder, name))
    tables: dict[str, TrialTable] = {}
    for split in HELD_OUT:
        # A frozen subset does not hold all that the corpus's own lists name.
        own = None if config.frozen else corpus.trials(profile, folder, split)
        if own is not None:
            table = _rename_items(TrialTable(own, corpus.models(profile, folder, split)), items)
        elif config.draw_trials is None and config.trials is None and config.rank_pairs is None:
            continue
        else:
            table = TrialTable(_pair_items(config, items, split, name))
        check_sides(table, f"{name}: {split}")
        tables[split] = table
    fold = loaded.fold(name)
    listing = Listing(name, profile, config, corpus, folder, items, tables, fold, needs)
    pinned = dataset_pin(loaded.lock_path, listing.key, loaded.base_lock_paths)
    if pinned is not None:
        check_dataset(pinned[0], listing.lock, listing.key, pinned[1])
    elif config.published is not None:
        _check_published(config.published, listing)
    return listing


def _split_items(loaded: LoadedBenchmark, name: str, items: pd.DataFrame) -> pd.DataFrame:
    """Return all of a corpus's items split by a rule, or those of a frozen list."""
    config, fold = loaded.dataset(name), loaded.fold(name)
    where = loaded.where("datasets", fold.of if fold else name)
    path = list_path(loaded, config.frozen) if config.frozen else None
    given = set(items["split"])
    if path is not None:
        items = restrict(items, read_frozen(path), where)
    elif "" in given:
        rule = _split_rule(config, "test" in given, where)
        items = assign_split(items, rule, where, fold.index if fold else None)
    elif config.split is not None:
        raise ConfigError(f"{where}.split: the corpus brings its own split; take this key out")
    check_disjoint(items, where)
    seed = config.split.seed if config.split else 0
    if config.imbalance is not None:
        items = thin_out(items, config.imbalance, seed, where)
    if config.wrong_labels:
        items = mislabel(items, config.wrong_labels, seed, where)
    # The named exception to rule 1 of docs/design.md: no check comes after it.
    return items if config.leak is None else deal_copies(items, config.leak)


def _split_rule(config: Dataset, brings_test: bool, where: str) -> SplitRule:
    """Return the rule for the items whose split the corpus leaves open."""
    rule = config.split
    example = f"split = {{ seed = 0, validation = 10{'' if brings_test else ', test = 20'} }}"
    if rule is None:
        brings = "brings its test split alone" if brings_test else "brings no split"
        raise ConfigError(f"{where}: {brings}; give the rest one, as in {example}")
    for key in ("test", "folds"):
        if brings_test and getattr(rule, key) is not None:
            own = "the corpus brings its own test split"
            raise ConfigError(f"{where}.split.{key}: {own}; {example}")
    if not brings_test and rule.test is None and rule.folds is None:
        raise ConfigError(
            f"{where}.split.test: missing; say how many units are for test, or in how many folds "
            "each is tested once"
        )
    return rule


def _pair_items(config: Dataset, items: pd.DataFrame, split: HeldOut, name: str) -> pd.DataFrame:
    """Return a trial list drawn by the dataset's rule, or of all pairs."""
    part = items[items["split"] == split]
    if config.rank_pairs is not None:
        return draw_ranked_pairs(part, config.rank_pairs, f"{name}: {split}")
    check_comparable(part, f"{name}: {split}")
    if config.draw_trials is not None:
        return draw_trials(part, config.draw_trials, split)
    return all_pairs(part, config.trials or 0)


def _rename_items(table: TrialTable, items: pd.DataFrame) -> TrialTable:
    """Spell the items, and models, of a trial list as their own lists do."""
    trials, models, ids = table.trials, table.models, items["id"]
    if models is not None:
        models = models.assign(item=match_spelling(models["item"], ids))
    enrolled = ids if models is None else models["model"]
    enrol, test = match_spelling(trials["enrol"], enrolled), match_spelling(trials["test"], ids)
    return TrialTable(trials.assign(enrol=enrol, test=test), models)


def _check_published(published: Published, listing: Listing) -> None:
    """Compare published counts with those of the lists.

    Raises:
        DataError: names every count that differs.
    """
    counts = listing.lock.counts
    wrong = []
    for splits, numbers in published.counts.items():
        for kind, number in numbers.items():
            found = sum(counts.get(split, {}).get(kind, 0) for split in splits.split("+"))
            if found != number:
                wrong.append(f"  {splits}: {number:,} {kind} are published, {found:,} are here")
    if wrong:
        lines = "\n".join(wrong)
        raise DataError(
            f"{listing.name}: {listing.folder} is not the published corpus ({published.source}):\n"
            f"{lines}\nUnpack its archives again (`harness data prepare --archive` checks their "
            "md5), or, if this is meant to be another corpus, give it a dataset of its own."
        )
