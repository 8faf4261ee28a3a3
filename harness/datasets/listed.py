"""From a benchmark's table to items, splits and trials, held against the lock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from harness.config.datasets import Dataset, DatasetFold, SplitRule
from harness.config.loader import LoadedBenchmark
from harness.config.tables import Profile
from harness.data.corpus import Corpus, HeldOut
from harness.data.item_names import match_spelling, read_items
from harness.data.split import assign_split, check_disjoint
from harness.datasets.drawing.trial_drawing import draw_trials
from harness.datasets.finding import find, list_path
from harness.datasets.lengths import Need
from harness.datasets.listing import Listing
from harness.datasets.locate import Absence
from harness.datasets.lock import check_dataset, pinned_dataset
from harness.datasets.published import check_published
from harness.datasets.subset_list import read_frozen, restrict
from harness.errors import ConfigError, CorpusAbsent
from harness.trials.index import TrialTable, all_pairs, check_comparable, check_sides

HELD_OUT: tuple[HeldOut, ...] = ("validation", "test")


def list_dataset(
    loaded: LoadedBenchmark, name: str, profile: Profile, needs: tuple[Need, ...] = ()
) -> Listing:
    """Read a dataset's lists and check them against the lock, decoding nothing.

    Args:
        loaded: the benchmark.
        name: the dataset.
        profile: which of its profiles.
        needs: what is to judge it, as far as that tells how short its sounds may be.

    Raises:
        CorpusAbsent: it is not on this machine.
        ConfigError: it is judged by folds, and none of them is named.
        DataError: its lists cannot be used, or give no target or no nontarget trial.
        LockError: they are not the locked ones.
    """
    if (parts := loaded.parts(name)) != (name,):
        raise ConfigError(f"{name} is judged by folds; name one of {', '.join(parts)}")
    found = find(loaded, name)
    if isinstance(found, Absence):
        raise CorpusAbsent(found.message())
    corpus, folder = found
    config = loaded.dataset(name)
    items = _items(loaded, name, read_items(corpus, profile, folder, name))
    trials = _trials(corpus, config, profile, folder, items, name)
    tables: dict[str, TrialTable] = {
        split: table for split in HELD_OUT if (table := trials(split)) is not None
    }
    fold = loaded.fold(name)
    listing = Listing(name, profile, config, corpus, folder, items, tables, fold, needs)
    pinned = pinned_dataset(loaded.lock_path, listing.key, loaded.base_lock_paths)
    if pinned is not None:
        check_dataset(pinned[0], listing.lock, listing.key, pinned[1])
    elif config.published is not None:
        check_published(config.published, listing.lock.counts, name, str(folder))
    return listing


def _items(loaded: LoadedBenchmark, name: str, items: pd.DataFrame) -> pd.DataFrame:
    """A corpus's items as a dataset takes them: all, split by a rule, or those of its list."""
    config, fold = loaded.dataset(name), loaded.fold(name)
    where = loaded.where("datasets", fold.of if fold else name)
    path = list_path(loaded, config.frozen) if config.frozen else None
    if path is None:
        return _split_items(items, config, where, fold)
    kept = restrict(items, read_frozen(path), where)
    check_disjoint(kept, where)
    return kept


def _split_items(
    items: pd.DataFrame, config: Dataset, where: str, fold: DatasetFold | None
) -> pd.DataFrame:
    given = set(items["split"])
    if "" not in given and config.split is not None:
        raise ConfigError(f"{where}.split: the corpus brings its own split; take this key out")
    if "" in given:
        rule = _split_rule(config, "test" in given, where)
        items = assign_split(items, rule, where, fold.index if fold else None)
    check_disjoint(items, where)
    return items


def _split_rule(config: Dataset, brings_test: bool, where: str) -> SplitRule:
    """The rule for what the corpus leaves open: all of it, or all but its test split."""
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


def _trials(
    corpus: Corpus, config: Dataset, profile: Profile, folder: Path, items: pd.DataFrame, name: str
) -> Callable[[HeldOut], TrialTable | None]:
    """Tells of a split its trial list: the corpus's own, or one that is drawn.

    A frozen subset does not hold all that the corpus's own lists name.
    """

    def of(split: HeldOut) -> TrialTable | None:
        own = None if config.frozen else corpus.trials(profile, folder, split)
        where = f"{name}: {split}"
        if own is not None:
            table = TrialTable(own, corpus.models(profile, folder, split))
            table = _in_names_of(items, table)
        elif config.draw_trials is None and config.trials is None:
            return None
        else:
            table = TrialTable(_drawn(config, items[items["split"] == split], split, where))
        check_sides(table, where)
        return table

    return of


def _drawn(config: Dataset, part: pd.DataFrame, split: HeldOut, where: str) -> pd.DataFrame:
    check_comparable(part, where)
    if config.draw_trials is not None:
        return draw_trials(part, config.draw_trials, split)
    return all_pairs(part, config.trials or 0)


def _in_names_of(items: pd.DataFrame, table: TrialTable) -> TrialTable:
    """A trial list whose items, and models, are called what their own lists call them."""
    trials, models, ids = table.trials, table.models, items["id"]
    if models is not None:
        models = models.assign(item=match_spelling(models["item"], ids))
    enrolled = ids if models is None else models["model"]
    enrol, test = match_spelling(trials["enrol"], enrolled), match_spelling(trials["test"], ids)
    return TrialTable(trials.assign(enrol=enrol, test=test), models)
