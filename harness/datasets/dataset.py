"""A dataset ready for use: items, splits and trials as locked, content packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.config.loader import LoadedBenchmark
from harness.datasets.lengths import too_short
from harness.datasets.listing import Listing
from harness.datasets.lock import DatasetLock, check_can_pin, hold_dataset, pinned_dataset
from harness.datasets.pack import Pack, PackRequest, Tell, packed, silent
from harness.datasets.packing.content import noted
from harness.datasets.packing.duplicates import without_copies
from harness.datasets.packing.request import Advance
from harness.datasets.subset import Subset
from harness.errors import DataError
from harness.records.documents import digest


@dataclass(frozen=True)
class OpenDataset:
    """A dataset whose content is packed and agrees with the lock.

    Attributes:
        pinned: False where the lock has no entry of it yet, and a check in full is to make it.
    """

    listing: Listing
    pack: Pack
    lock: DatasetLock
    left_out: tuple[str, ...] = ()
    pinned: bool = True

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels of the training split, sorted: the classifier's rows."""
        return self.listing.classes

    def subset(self, split: str) -> Subset:
        """One split, without what was left out."""
        rows = np.flatnonzero(self.listing.split_mask(split, self.left_out))
        items = self.listing.split_items(split, self.left_out)
        return Subset(items, rows, rows + 1, self.pack)

    def training(self) -> Subset:
        """The training split as it is trained on: short utterances joined where that is asked."""
        seconds = self.listing.config.join_seconds
        subset = self.subset("train")
        return subset if seconds is None else subset.joined(seconds)


def open_dataset(
    loaded: LoadedBenchmark,
    listing: Listing,
    cache: Path,
    *,
    leave_out_damaged: bool = False,
    keep_damaged_pack: bool = False,
    pin: bool = False,
    advance: Advance = lambda _: None,
    tell: Tell = silent,
) -> OpenDataset:
    """Pack a dataset (once) and hold it against the lock.

    Args:
        loaded: the benchmark the listing came from.
        listing: the dataset's lists.
        cache: where packs lie.
        leave_out_damaged: go on without files that cannot be used, be they damaged or too short.
        keep_damaged_pack: use a pack as it lies, damaged items and all, instead of looking whether
            its files changed or were mended since.
        pin: pin it even where it is to wait for a check in full.
        advance: told how many items were decoded since the last call.
        tell: told what a person who waits wants to know.

    Raises:
        DataError: files that cannot be used, all named, unless they are to be left out; too little
            disk.
        LockError: the content is not the locked one.
        PathError: it is to be pinned, and the lock cannot be written.
    """
    request = pack_request(listing, cache, advance, tell)
    pinned = pinned_dataset(loaded.lock_path, listing.key, loaded.base_lock_paths)
    pins = pin or listing.pins_itself or pinned is not None
    if pins and not leave_out_damaged:
        check_can_pin(loaded.lock_path, listing.key, loaded.base_lock_paths)
    pack = usable_content(packed(request, trusted=keep_damaged_pack), listing)
    if pack.notes:
        mend = f"`harness data check {listing.name}` names them"
        tell(f"{listing.name}: {noted(pack, listing.items)}; {mend}")
    unusable = unusable_items(pack, listing)
    if unusable and not leave_out_damaged:
        raise DataError(damage_report(listing, unusable))
    left_out = tuple(listing.items["id"].iloc[sorted(unusable)])
    found = listing.lock.model_copy(update={"content": "" if pack.damaged else pack.content})
    if pins and not pack.damaged:
        hold_dataset(loaded.lock_path, listing.key, found, loaded.base_lock_paths)
        pinned = pinned_dataset(loaded.lock_path, listing.key, loaded.base_lock_paths)
    lock = pinned[0] if pinned else found
    return OpenDataset(listing, pack, lock, left_out, pinned=pins)


def pack_request(
    listing: Listing,
    cache: Path,
    advance: Advance,
    tell: Tell = silent,
    workers: int | None = None,
) -> PackRequest:
    """What is to be packed of a dataset."""
    return PackRequest(
        pack_folder(listing, cache),
        listing.corpus,
        listing.folder,
        listing.items,
        advance,
        workers,
        tell,
        listing.name,
    )


def usable_content(pack: Pack, listing: Listing) -> Pack:
    """A dataset's pack in which the same sound in two splits is damage of the one not tested."""
    sound = listing.corpus.kind == "audio"
    return without_copies(pack, listing.items) if sound else pack


def pack_folder(listing: Listing, cache: Path) -> Path:
    """Where a dataset's pack lies: another manifest, reader or corpus has another folder.

    All folds of a dataset share it.
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
    """Rows of the items that cannot be used -> why: damaged, or too short for what judges them."""
    sound = listing.corpus.kind == "audio"
    short = too_short(np.diff(pack.offsets), listing.needs) if sound else {}
    return {**short, **pack.damaged}


def damage_report(listing: Listing, unusable: Mapping[int, str]) -> str:
    """Every file that cannot be used, with its line, and the mend."""
    lines = [f"{listing.name}: {len(unusable)} of {len(listing.items)} items cannot be used:"]
    for row, why in sorted(unusable.items()):
        item = listing.items.iloc[row]
        where = f" (line {item['line']})" if item["line"] else ""
        lines.append(f"  {listing.folder / str(item['source'])}{where}: {why}")
    lines.append("Mend or replace them, or run with --leave-out-damaged.")
    return "\n".join(lines)
