"""A dataset ready for use: lists as locked, content packed, unusable items named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.loader import LoadedBenchmark
from harness.datasets.lengths import too_short
from harness.datasets.listing import Listing
from harness.datasets.lock import DatasetLock, check_can_pin, dataset_pin, hold_dataset
from harness.datasets.packing.making import ensure_pack
from harness.datasets.packing.pack import Pack, note_summary
from harness.datasets.packing.pack_request import (
    Advance,
    MessageCallback,
    PackRequest,
    ignore_count,
    ignore_message,
)
from harness.datasets.subset import Subset
from harness.errors import DataError
from harness.records.documents import digest

KEPT_FIRST = ("test", "validation", "train")
"""The copy in the first of these splits is kept, those in the others are not used."""


@dataclass(frozen=True)
class OpenDataset:
    """A dataset whose content is packed and agrees with the lock.

    Attributes:
        pinned: False if the lock has no entry of it yet, and a check in full is to make it.
    """

    listing: Listing
    pack: Pack
    lock: DatasetLock
    left_out: tuple[str, ...] = ()
    pinned: bool = True

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels of the training split, sorted: the classifier's rows."""
        return self.listing.classes

    def subset(self, split: str) -> Subset:
        """Return one split, without the items that were left out."""
        rows = np.flatnonzero(self.listing.split_mask(split, self.left_out))
        items = self.listing.split_items(split, self.left_out)
        return Subset(items, rows, rows + 1, self.pack)

    def training(self) -> Subset:
        """Return the training split, its short utterances joined if the benchmark asks for it."""
        seconds = self.listing.config.join_seconds
        subset = self.subset("train")
        return subset if seconds is None else subset.join(seconds)


def open_dataset(
    loaded: LoadedBenchmark,
    listing: Listing,
    cache: Path,
    *,
    leave_out_damaged: bool = False,
    keep_damaged_pack: bool = False,
    pin: bool = False,
    advance: Advance = ignore_count,
    tell: MessageCallback = ignore_message,
) -> OpenDataset:
    """Pack a dataset (once) and check it against the lock.

    Args:
        loaded: the benchmark the listing came from.
        listing: the dataset's lists.
        cache: folder of all packs.
        leave_out_damaged: go on without files that cannot be used, be they damaged or too short.
        keep_damaged_pack: use a pack as it lies, damaged items and all, without checking if its
            files changed or were mended since.
        pin: pin it even if it is to wait for a check in full.
        advance: receives the count of items that were decoded since the last call.
        tell: receives messages for a person who waits.

    Raises:
        DataError: files that cannot be used, all named, unless they are to be left out; too little
            disk.
        LockError: the content is not the locked one.
        PathError: it is to be pinned, and the lock cannot be written.
    """
    path, key, bases = loaded.lock_path, listing.key, loaded.base_lock_paths
    request = pack_request(listing, cache, advance, tell)
    pinned = dataset_pin(path, key, bases)
    pins = pin or listing.pins_itself or pinned is not None
    if pins and not leave_out_damaged:
        check_can_pin(path, key, bases)
    pack = usable_content(ensure_pack(request, trusted=keep_damaged_pack), listing)
    if pack.notes:
        mend = f"`harness data check {listing.name}` names them"
        tell(f"{listing.name}: {note_summary(pack, listing.items)}; {mend}")
    unusable = unusable_items(pack, listing)
    if unusable and not leave_out_damaged:
        raise DataError(damage_report(listing, unusable))
    left_out = tuple(listing.items["id"].iloc[sorted(unusable)])
    found = listing.lock.model_copy(update={"content": "" if pack.damaged else pack.content})
    if pins and not pack.damaged:
        hold_dataset(path, key, found, bases)
        pinned = dataset_pin(path, key, bases)
    lock = pinned[0] if pinned else found
    return OpenDataset(listing, pack, lock, left_out, pinned=pins)


def pack_request(
    listing: Listing,
    cache: Path,
    advance: Advance,
    tell: MessageCallback = ignore_message,
    workers: int | None = None,
) -> PackRequest:
    """Return the request for a dataset's pack."""
    folder, items = pack_folder(listing, cache), listing.items
    source = listing.folder
    return PackRequest(folder, listing.corpus, source, items, advance, workers, tell, listing.name)


def pack_folder(listing: Listing, cache: Path) -> Path:
    """Return the folder of a dataset's pack: it changes with manifest, reader and corpus.

    All folds of a dataset share it, unless their training parts are thinned out or mislabelled.
    """
    made_from = {
        "manifest": listing.lock.manifest,
        "adapter": listing.config.adapter,
        "fields": listing.config.fields,
        "version": listing.corpus.version,
        "folder": str(listing.folder.resolve()) if listing.corpus.needs_folder else "",
    }
    return cache / f"{listing.table}-{listing.profile}-{digest(made_from)[:12]}"


def unusable_items(pack: Pack, listing: Listing) -> dict[int, str]:
    """Return row -> reason for items that are damaged, or too short for a network or baseline."""
    sound = listing.corpus.kind == "audio"
    short = too_short(np.diff(pack.offsets), listing.needs) if sound else {}
    return {**short, **pack.damaged}


def damage_report(listing: Listing, unusable: Mapping[int, str]) -> str:
    """Name every file that cannot be used, with its line, and the mend."""
    lines = [f"{listing.name}: {len(unusable)} of {len(listing.items)} items cannot be used:"]
    for row, why in sorted(unusable.items()):
        item = listing.items.iloc[row]
        where = f" (line {item['line']})" if item["line"] else ""
        lines.append(f"  {listing.folder / str(item['source'])}{where}: {why}")
    lines.append("Mend or replace them, or run with --leave-out-damaged.")
    return "\n".join(lines)


def usable_content(pack: Pack, listing: Listing) -> Pack:
    """Return a dataset's pack with the same sound in two splits counted as damage of one of them.

    A system would else be tested on sound that it was trained on.
    """
    if listing.corpus.kind != "audio":
        return pack
    return replace(pack, damaged={**copies_across_splits(pack, listing.items), **pack.damaged})


def copies_across_splits(pack: Pack, items: pd.DataFrame) -> dict[int, str]:
    """Return row -> reason for copies that must not be used beside their originals.

    These are copies in training of held-out items, and copies in validation of test items.

    Args:
        pack: of sounds.
        items: the item table, with each item's split.
    """
    ids, splits = items["id"].tolist(), items["split"].tolist()
    found = {}
    for rows in duplicates(pack):
        kept = min(rows, key=lambda row: KEPT_FIRST.index(splits[row]))
        for row in rows:
            if splits[row] != splits[kept]:
                found[row] = f"same audio as {ids[kept]} of {splits[kept]}"
    return found


def copies_within_splits(pack: Pack, items: pd.DataFrame) -> list[list[str]]:
    """Return ids of the items of one split that hold the same numbers, in groups."""
    groups = []
    for rows in duplicates(pack):
        for _, part in items.iloc[rows].groupby("split", sort=False):
            if len(part) > 1:
                groups.append(part["id"].tolist())
    return groups


def duplicates(pack: Pack) -> list[list[int]]:
    """Return rows of the items that hold the same numbers, in groups, without unreadable items.

    Args:
        pack: of sounds; pictures may well be equal.
    """
    read = np.ones(len(pack.hashes), bool)
    read[[row for row in pack.damaged if row < len(read)]] = False
    usable = np.flatnonzero(read)
    # Numbers sort far faster than bytes do: the few whose beginnings are equal are compared whole.
    alike = usable[_repeats(pack.hashes[usable, :8], "u8")[0]]
    several, group = _repeats(pack.hashes[alike], "V32")
    rows = pd.Series(alike[several]).groupby(group[several]).agg(list)
    return sorted(rows.tolist())


def _repeats(hashes: NDArray[np.uint8], dtype: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return places of the hashes that come several times, and a number shared by equal ones."""
    keys = np.ascontiguousarray(hashes).view(dtype).ravel()
    _, group, count = np.unique(keys, return_inverse=True, return_counts=True)
    return np.flatnonzero(count[group] > 1), group
