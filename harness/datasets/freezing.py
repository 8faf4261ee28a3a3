"""Freezes a subset: cut by its rule, its list written, declared and pinned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.config.datasets import Dataset
from harness.config.loader import LoadedBenchmark, load
from harness.config.tables import Profile
from harness.data.item_names import read_items
from harness.data.split import check_disjoint
from harness.data.table_digest import table_digest
from harness.datasets.corpus_folders import find_corpus, list_path, require
from harness.datasets.freeze_request import SubsetRequest, append_table, subset_config, table_text
from harness.datasets.frozen_list import freeze, restrict, write_frozen
from harness.datasets.inventory import DatasetCheck, check_dataset_lists
from harness.datasets.listing import HELD_OUT, split_counts
from harness.datasets.lock import dataset_pin
from harness.datasets.trial_drawing import draw_trials
from harness.errors import ConfigError, LockError

PROFILES: tuple[Profile, ...] = ("quick", "full")

KEYS = ("of", "frozen", "freeze", "trials", "draw_trials")
"""Keys that a subset's table has itself; the others are taken from its corpus."""


@dataclass(frozen=True)
class FrozenSubset:
    """A frozen subset.

    Attributes:
        path: its list.
        written: False if the list lay there already.
        counts: split -> units and items; of a declared one trials and targets too.
        table: its table of the benchmark file.
        declared: True if the file holds that table.
        locked: profile -> state in the lock.
    """

    path: Path
    written: bool
    counts: dict[str, dict[str, int]]
    table: str
    declared: bool
    locked: dict[str, str]


def freeze_subset(loaded: LoadedBenchmark, request: SubsetRequest) -> FrozenSubset:
    """Cut a subset, write its list, declare it if it is not declared, and pin its lists.

    Raises:
        ConfigError: the request contradicts the benchmark file, or does not say enough.
        CorpusAbsent: the corpus is not on this machine.
        DataError: the corpus has not enough for it, or another list lies there.
        LockError: another subset of that name is locked.
    """
    config = subset_config(loaded, request)
    is_new = request.name not in loaded.benchmark.datasets
    corpus, folder = require(find_corpus(loaded, str(config.of) if is_new else request.name))
    whole = read_items(corpus, "full", folder, request.name)
    items = _cut(whole, config, loaded.where("datasets", request.name))
    _check_lock(loaded, request.name, items)
    frozen = str(config.frozen)
    path = list_path(loaded, frozen) or loaded.folders[0] / frozen
    written = write_frozen(path, items[["id", "split"]].sort_values("id", ignore_index=True))
    table = table_text(request.name, {key: getattr(config, key) for key in KEYS})
    added = is_new and request.declare and append_table(loaded.path, table, loaded.lock_path)
    checked = {} if is_new and not added else _check_lists(load(loaded.path), request.name, items)
    counts = checked["full"].counts if checked else split_counts(items)
    locked: dict[str, str] = {profile: each.lock for profile, each in checked.items()}
    return FrozenSubset(path, written, counts, table, bool(checked), locked)


def _cut(items: pd.DataFrame, config: Dataset, where: str) -> pd.DataFrame:
    """Return the items of the subset, after checking that its trials can be drawn."""
    if config.freeze is None:
        raise ConfigError(f"{where}.freeze: missing; it must be given")
    subset = restrict(items, freeze(items, config.freeze, where), where)
    check_disjoint(subset, where)
    if config.draw_trials is not None:
        for split in HELD_OUT:
            draw_trials(subset[subset["split"] == split], config.draw_trials, f"{where}: {split}")
    return subset


def _check_lock(loaded: LoadedBenchmark, name: str, items: pd.DataFrame) -> None:
    pinned = dataset_pin(loaded.lock_path, f"{name}/full", loaded.base_lock_paths)
    if pinned is not None and pinned[0].split != table_digest(items, ("id", "split")):
        raise LockError(
            f"{name}: another subset of this name is locked in {pinned[1]}; restore its list and "
            "the corpus as they were, or freeze under another name"
        )


def _check_lists(
    loaded: LoadedBenchmark, name: str, items: pd.DataFrame
) -> dict[Profile, DatasetCheck]:
    """Check the lists against the lock in each profile whose corpus has all of the subset."""
    corpus, folder = require(find_corpus(loaded, name))
    ids = set(items["id"])
    whole = [each for each in PROFILES if ids <= set(read_items(corpus, each, folder, name)["id"])]
    return {profile: check_dataset_lists(loaded, name, profile) for profile in whole}
