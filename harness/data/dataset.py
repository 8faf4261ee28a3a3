"""A dataset ready for use: items, splits and trials as locked, content packed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark, known
from harness.config.schema import Dataset, Profile
from harness.data.corpus import Corpus, HeldOut
from harness.data.locate import Absence, locate
from harness.data.lock import (
    DatasetLock,
    check_dataset,
    hold_dataset,
    pinned_dataset,
    table_digest,
)
from harness.data.pack import Pack, PackRequest, packed
from harness.data.split import SPLITS, assign_split, check_disjoint
from harness.data.trials import Trials, all_pairs, index_trials, without
from harness.errors import ConfigError, CorpusAbsent, DataError
from harness.records.canonical import digest

Advance = Callable[[int], None]

HELD_OUT: tuple[HeldOut, ...] = ("validation", "test")


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
    """

    name: str
    profile: Profile
    config: Dataset
    corpus: Corpus
    folder: Path
    items: pd.DataFrame
    trial_tables: dict[str, pd.DataFrame]

    @property
    def key(self) -> str:
        """The dataset's name in the lock."""
        return f"{self.name}/{self.profile}"

    @cached_property
    def lock(self) -> DatasetLock:
        """What the lists hash to; the content is not known yet."""
        return DatasetLock(
            manifest=table_digest(self.items, ("id", "unit", "label", "seconds", "source")),
            split=table_digest(self.items, ("id", "split")),
            trials={
                split: table_digest(table, ("enrol", "test", "target", "kind"))
                for split, table in self.trial_tables.items()
            },
            content="",
            counts={split: self._counts(split) for split in SPLITS},
        )

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The labels of the training split, sorted: the classifier's rows."""
        return tuple(sorted(set(self.items.loc[self.items["split"] == "train", "label"])))

    def split_mask(self, split: str, left_out: Sequence[str] = ()) -> NDArray[np.bool_]:
        """Tells of each item whether it is in a split and not left out."""
        mask = (self.items["split"] == split) & ~self.items["id"].isin(left_out)
        return mask.to_numpy(bool)

    def split_items(self, split: str, left_out: Sequence[str] = ()) -> pd.DataFrame:
        """One split's items, numbered from 0, without what was left out."""
        return self.items[self.split_mask(split, left_out)].reset_index(drop=True)

    def split_trials(self, split: str, left_out: Sequence[str] = ()) -> Trials:
        """A split's trials as rows of its items.

        Raises:
            ConfigError: the dataset has no trials.
        """
        table = self.trial_tables.get(split)
        if table is None:
            raise ConfigError(
                f"datasets.{self.name}: brings no trials; give `trials = N`, the longest "
                "list wanted, to have pairs of its items compared"
            )
        items = self.split_items(split, left_out)
        return index_trials(without(table, tuple(left_out)), items, self.name)

    def _counts(self, split: str) -> dict[str, int]:
        part = self.items[self.items["split"] == split]
        counts = {"units": int(part["unit"].nunique()), "items": len(part)}
        if split in self.trial_tables:
            target = self.trial_tables[split]["target"]
            counts |= {"trials": len(target), "targets": int(target.sum())}
        return counts


@dataclass(frozen=True)
class Subset:
    """One split of a packed dataset.

    Attributes:
        items: its rows of the item table, numbered from 0.
        rows: where each lies in the pack.
        pack: the dataset's content.
    """

    items: pd.DataFrame
    rows: NDArray[np.int64]
    pack: Pack

    def __len__(self) -> int:
        return len(self.rows)

    def item(self, index: int) -> NDArray[Any]:
        """Content of one item."""
        return self.pack.item(int(self.rows[index]))

    def shape(self, index: int) -> tuple[int, ...]:
        """The shape of one item."""
        return tuple(int(size) for size in self.pack.shapes[self.rows[index]])

    def length(self, index: int) -> int:
        """How many numbers an item holds (samples, for audio)."""
        return self.pack.length(int(self.rows[index]))


@dataclass(frozen=True)
class OpenDataset:
    """A dataset whose content is packed and agrees with the lock."""

    listing: Listing
    pack: Pack
    lock: DatasetLock
    left_out: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels of the training split, sorted: the classifier's rows."""
        return self.listing.classes

    def subset(self, split: str) -> Subset:
        """One split, without what was left out."""
        rows = np.flatnonzero(self.listing.split_mask(split, self.left_out))
        return Subset(self.listing.split_items(split, self.left_out), rows, self.pack)


def find(loaded: LoadedBenchmark, name: str) -> tuple[Corpus, Path] | Absence:
    """A dataset's reader and folder, or where it was looked for in vain."""
    config = known(loaded.benchmark.datasets, name, "dataset")
    where = loaded.where("datasets", name)
    corpus: Corpus = construct(config.adapter, config.fields, where, Dataset.model_fields)
    if not corpus.needs_folder:
        return corpus, loaded.folder
    if not config.path:
        raise ConfigError(f"{where}.path: missing; give the folder that holds the corpus")
    place = locate(name, config, loaded.folder)
    return place if isinstance(place, Absence) else (corpus, place)


def list_dataset(loaded: LoadedBenchmark, name: str, profile: Profile) -> Listing:
    """Read a dataset's lists and check them against the lock, decoding nothing.

    Raises:
        CorpusAbsent: it is not on this machine.
        DataError: its lists cannot be used.
        LockError: they are not the locked ones.
    """
    found = find(loaded, name)
    if isinstance(found, Absence):
        raise CorpusAbsent(found.message())
    corpus, folder = found
    config = loaded.benchmark.datasets[name]
    items = _split_items(corpus.items(profile, folder), config, loaded.where("datasets", name))
    tables = {split: _trials(corpus, config, profile, items, split) for split in HELD_OUT}
    kept: dict[str, pd.DataFrame] = {
        split: table for split, table in tables.items() if table is not None
    }
    listing = Listing(name, profile, config, corpus, folder, items, kept)
    pinned = pinned_dataset(loaded.lock_path, listing.key, loaded.base_lock_paths)
    if pinned is not None:
        check_dataset(pinned[0], listing.lock, listing.key, pinned[1])
    return listing


def open_dataset(
    loaded: LoadedBenchmark,
    listing: Listing,
    cache: Path,
    *,
    leave_out_damaged: bool = False,
    keep_damaged_pack: bool = False,
    advance: Advance = lambda _: None,
) -> OpenDataset:
    """Pack a dataset (once) and hold it against the lock.

    Args:
        loaded: the benchmark the listing came from.
        listing: the dataset's lists.
        cache: where packs lie.
        leave_out_damaged: go on without files that cannot be used.
        keep_damaged_pack: use a pack with damaged items as it is, instead of reading the corpus
            once more in the hope that it was mended.
        advance: told how many items were decoded since the last call.

    Raises:
        DataError: damaged files, all named, unless they are to be left out.
        LockError: the content is not the locked one.
    """
    pack = packed(
        PackRequest(
            pack_folder(listing, cache), listing.corpus, listing.folder, listing.items, advance
        ),
        keep_damaged=keep_damaged_pack,
    )
    if pack.damaged and not leave_out_damaged:
        raise DataError(damage_report(listing, pack))
    left_out = tuple(listing.items["id"].iloc[sorted(pack.damaged)])
    found = listing.lock.model_copy(update={"content": "" if left_out else pack.content})
    if not left_out:
        hold_dataset(loaded.lock_path, listing.key, found, loaded.base_lock_paths)
    pinned = pinned_dataset(loaded.lock_path, listing.key, loaded.base_lock_paths)
    return OpenDataset(listing, pack, pinned[0] if pinned else found, left_out)


def pack_folder(listing: Listing, cache: Path) -> Path:
    """Where a dataset's pack lies: another manifest, reader or corpus has another folder."""
    made_from = {
        "manifest": listing.lock.manifest,
        "adapter": listing.config.adapter,
        "fields": listing.config.fields,
        "version": listing.corpus.version,
        "folder": str(listing.folder.resolve()) if listing.corpus.needs_folder else "",
    }
    return cache / f"{listing.name}-{listing.profile}-{digest(made_from)[:12]}"


def damage_report(listing: Listing, pack: Pack) -> str:
    """Every file that cannot be used, with its line, and the mend."""
    lines = [f"{listing.name}: {len(pack.damaged)} of {len(pack)} items cannot be used:"]
    for row, why in sorted(pack.damaged.items()):
        item = listing.items.iloc[row]
        where = f" (line {item['line']})" if item["line"] else ""
        lines.append(f"  {listing.folder / str(item['source'])}{where}: {why}")
    lines.append("Mend or replace them, or run with --leave-out-damaged.")
    return "\n".join(lines)


def _split_items(items: pd.DataFrame, config: Dataset, where: str) -> pd.DataFrame:
    brings_split = not (items["split"] == "").any()
    if brings_split and config.split is not None:
        raise ConfigError(f"{where}.split: the corpus brings its own split; take this key out")
    if not brings_split:
        if config.split is None:
            raise ConfigError(
                f"{where}: brings no split; give one, as in "
                "split = { seed = 0, validation = 10, test = 20 }"
            )
        items = assign_split(items, config.split, where)
    check_disjoint(items, where)
    return items


def _trials(
    corpus: Corpus, config: Dataset, profile: Profile, items: pd.DataFrame, split: HeldOut
) -> pd.DataFrame | None:
    own = corpus.trials(profile, split)
    if own is not None or config.trials is None:
        return own
    return all_pairs(items[items["split"] == split], config.trials)
