"""A whole freezing: a subset cut by its rule, its list written, declared and pinned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.config.datasets import Dataset
from harness.config.loader import LoadedBenchmark, load
from harness.config.tables import Profile
from harness.data.corpus import Corpus
from harness.data.item_names import read_items
from harness.data.split import SPLITS, check_disjoint
from harness.data.table_digest import table_digest
from harness.datasets.drawing.trial_drawing import draw_trials
from harness.datasets.finding import find_corpus
from harness.datasets.freezing.choice import freeze
from harness.datasets.freezing.declaration import append_table, table_text
from harness.datasets.freezing.rule import SubsetRequest, subset_config
from harness.datasets.inventory import Checked, check_dataset_lists
from harness.datasets.listed import HELD_OUT
from harness.datasets.locate import Absence
from harness.datasets.lock import pinned_dataset
from harness.datasets.subset_list import restrict, write_frozen
from harness.errors import ConfigError, CorpusAbsent, LockError

PROFILES: tuple[Profile, ...] = ("quick", "full")

KEYS = ("of", "frozen", "freeze", "trials", "draw_trials")
"""What a subset's table says itself; the rest it takes over from its corpus."""


@dataclass(frozen=True)
class FrozenSubset:
    """A frozen subset.

    Attributes:
        path: its list.
        written: False where the list lay there already.
        counts: split -> units and items; of a declared one trials and targets too.
        table: its table of the benchmark file.
        declared: whether the file holds that table.
        locked: profile -> what the lock says of it.
    """

    path: Path
    written: bool
    counts: dict[str, dict[str, int]]
    table: str
    declared: bool
    locked: dict[str, str]


def freeze_subset(loaded: LoadedBenchmark, request: SubsetRequest) -> FrozenSubset:
    """Cut a subset, write its list, declare it where it is not declared, and pin its lists.

    Raises:
        ConfigError: the request contradicts the benchmark file, or does not say enough.
        CorpusAbsent: the corpus is not on this machine.
        DataError: the corpus has not enough for it, or another list lies there.
        LockError: another subset of that name is locked.
    """
    config = subset_config(loaded, request)
    is_new = request.name not in loaded.benchmark.datasets
    corpus, folder = _found(loaded, str(config.of) if is_new else request.name)
    whole = read_items(corpus, "full", folder, request.name)
    items = _cut(whole, config, loaded.where("datasets", request.name))
    _check_lock(loaded, request.name, items)
    path = _list_path(loaded, str(config.frozen))
    written = write_frozen(path, items[["id", "split"]].sort_values("id", ignore_index=True))
    table = table_text(request.name, {key: getattr(config, key) for key in KEYS})
    added = is_new and request.declare and append_table(loaded.path, table, loaded.lock_path)
    checked = {} if is_new and not added else _checked(load(loaded.path), request.name, items)
    counts = checked["full"].counts if checked else _counts(items)
    locked: dict[str, str] = {profile: each.lock for profile, each in checked.items()}
    return FrozenSubset(path, written, counts, table, bool(checked), locked)


def _found(loaded: LoadedBenchmark, name: str) -> tuple[Corpus, Path]:
    found = find_corpus(loaded, name)
    if isinstance(found, Absence):
        raise CorpusAbsent(found.message())
    return found


def _list_path(loaded: LoadedBenchmark, frozen: str) -> Path:
    """Where the list lies, beside the file or one below it; else where it is to lie."""
    paths = [folder / frozen for folder in loaded.folders]
    return next((path for path in paths if path.is_file()), paths[0])


def _cut(items: pd.DataFrame, config: Dataset, where: str) -> pd.DataFrame:
    """The items of the subset; that its trials can be drawn is seen to as well."""
    if config.freeze is None:
        raise ConfigError(f"{where}.freeze: missing; it must be given")
    subset = restrict(items, freeze(items, config.freeze, where), where)
    check_disjoint(subset, where)
    if config.draw_trials is not None:
        for split in HELD_OUT:
            draw_trials(subset[subset["split"] == split], config.draw_trials, f"{where}: {split}")
    return subset


def _check_lock(loaded: LoadedBenchmark, name: str, items: pd.DataFrame) -> None:
    pinned = pinned_dataset(loaded.lock_path, f"{name}/full", loaded.base_lock_paths)
    if pinned is not None and pinned[0].split != table_digest(items, ("id", "split")):
        raise LockError(
            f"{name}: another subset of this name is locked in {pinned[1]}; restore its list and "
            "the corpus as they were, or freeze under another name"
        )


def _checked(loaded: LoadedBenchmark, name: str, items: pd.DataFrame) -> dict[Profile, Checked]:
    """Hold the lists against the lock in each profile whose corpus has all of the subset."""
    corpus, folder = _found(loaded, name)
    ids = set(items["id"])
    whole = [each for each in PROFILES if ids <= set(read_items(corpus, each, folder, name)["id"])]
    return {profile: check_dataset_lists(loaded, name, profile) for profile in whole}


def _counts(items: pd.DataFrame) -> dict[str, dict[str, int]]:
    parts = {split: items[items["split"] == split] for split in SPLITS}
    return {
        split: {"units": int(part["unit"].nunique()), "items": len(part)}
        for split, part in parts.items()
    }
