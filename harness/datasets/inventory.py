"""The catalogue of datasets, and the check of one against its files and the lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness.config.loader import LoadedBenchmark
from harness.config.tables import Profile
from harness.data.corpus import SAMPLE_RATE
from harness.data.split import SPLITS
from harness.datasets.class_counts import class_facts
from harness.datasets.corpus_folders import Absence, find
from harness.datasets.dataset import (
    copies_within_splits,
    damage_report,
    open_dataset,
    pack_request,
    unusable_items,
    usable_content,
)
from harness.datasets.lengths import every_need
from harness.datasets.listing import Listing, list_dataset
from harness.datasets.lock import check_can_pin, dataset_pin, hold_dataset, read_lock
from harness.datasets.packing.making import ensure_pack
from harness.datasets.packing.pack import Pack
from harness.datasets.packing.pack_request import Advance, MessageCallback, ignore_message
from harness.datasets.picture_quality import PictureCheck, check_pictures, missing_classes

SECONDS_AN_HOUR = 3600


@dataclass(frozen=True)
class DatasetCheck:
    """The result of checking one dataset.

    Attributes:
        name: the dataset.
        items: count of items in its lists.
        counts: split -> units, items, trials, targets.
        damaged: id, source, line and reason of each item that cannot be used: damaged, or too
            short for a suite that has the dataset.
        lock: `as locked`, `pinned now`, or the reason why it is not pinned.
        report: the damage for a person; empty if there is none.
        decoded: False if the lists alone were read.
        hours: split -> hours of sound; empty for pictures.
        size: bytes of the pack's numbers.
        duplicates: ids of the items of one split that are the same sound, in groups.
        alike: units, and labels, that differ in letter case or leading zeros alone, in groups.
        notes: id, source, line and note of each item that was read with a note.
        pictures: scores of pictures, and near-duplicates across splits; None of sounds.
        missing: split -> classes that it has no picture of; empty of sounds.
    """

    name: str
    items: int
    counts: dict[str, dict[str, int]]
    damaged: list[dict[str, Any]]
    lock: str
    report: str
    decoded: bool = True
    hours: dict[str, float] = field(default_factory=dict)
    size: int = 0
    duplicates: list[list[str]] = field(default_factory=list)
    alike: list[list[str]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    pictures: PictureCheck | None = None
    missing: dict[str, list[str]] = field(default_factory=dict)
    classes: dict[str, Any] = field(default_factory=dict)


def inventory(loaded: LoadedBenchmark) -> list[dict[str, Any]]:
    """Return a row for every dataset of a benchmark, with its folder or why it is absent."""
    paths = (loaded.lock_path, *loaded.base_lock_paths)
    locked = {key for path in paths for key in read_lock(path).datasets}
    return [_row(loaded, name, sorted(locked)) for name in loaded.benchmark.datasets]


def absences(loaded: LoadedBenchmark) -> list[Absence]:
    """Return the datasets of a benchmark that are not on this machine."""
    found = (find(loaded, name) for name in loaded.benchmark.datasets)
    return [each for each in found if isinstance(each, Absence)]


def check_dataset_files(
    loaded: LoadedBenchmark,
    name: str,
    profile: Profile,
    cache: Path,
    packing: Callable[[Listing], Advance],
    *,
    full: bool = False,
    tell: MessageCallback = ignore_message,
    workers: int | None = None,
) -> DatasetCheck:
    """Check every file of a dataset against its pack, and the pack against the lock.

    A missing pack is made; files that changed since they were packed are read again. If no file
    is damaged and nothing is pinned yet, the dataset is pinned.

    Args:
        loaded: the benchmark.
        name: the dataset.
        profile: one of its profiles.
        cache: folder of all packs.
        packing: returns the callback for decoded items.
        full: read every file again, even if its size and time of change are the same.
        tell: receives messages for a person who waits.
        workers: processes that decode; None takes one a core.

    Raises:
        CorpusAbsent: it is not on this machine.
        DataError: its lists cannot be used, or the disk has too little room.
        LockError: it is not the locked one.
        PathError: it is to be pinned, and the lock cannot be written.
    """
    listing = list_dataset(loaded, name, profile, every_need(loaded, name))
    request = pack_request(listing, cache, packing(listing), tell, workers)
    pinned = dataset_pin(loaded.lock_path, listing.key, loaded.base_lock_paths)
    if full or listing.pins_itself or pinned:
        check_can_pin(loaded.lock_path, listing.key, loaded.base_lock_paths)
    pack = usable_content(ensure_pack(request, fresh=full), listing)
    state = "as locked" if pinned and pinned[0].content else "not pinned: damaged"
    if not pack.damaged:
        opened = open_dataset(
            loaded, listing, cache, leave_out_damaged=True, keep_damaged_pack=True, pin=full
        )
        if state != "as locked":
            state = "pinned now" if opened.pinned else "unpinned"
    unusable = unusable_items(pack, listing)
    sound, picture = (listing.corpus.kind == kind for kind in ("audio", "image"))
    return DatasetCheck(
        name,
        len(listing.items),
        listing.lock.counts,
        [_place(listing, row) | {"reason": why} for row, why in sorted(unusable.items())],
        state,
        damage_report(listing, unusable) if unusable else "",
        hours=_hours(listing, pack) if sound else {},
        size=pack.values.nbytes,
        duplicates=copies_within_splits(pack, listing.items) if sound else [],
        alike=listing.alike,
        notes=[_place(listing, row) | {"note": note} for row, note in sorted(pack.notes.items())],
        pictures=check_pictures(listing, pack) if picture else None,
        missing=missing_classes(listing) if picture else {},
        classes=class_facts(listing),
    )


def check_dataset_lists(loaded: LoadedBenchmark, name: str, profile: Profile) -> DatasetCheck:
    """Check a dataset's lists against the lock, decoding nothing; pin them if it has no entry.

    A corpus with published counts waits for a check in full.

    Raises:
        CorpusAbsent: it is not on this machine.
        DataError: its lists cannot be used.
        LockError: they are not the locked ones.
    """
    listing = list_dataset(loaded, name, profile)
    bases = loaded.base_lock_paths
    if listing.pins_itself or dataset_pin(loaded.lock_path, listing.key, bases):
        pinned_now = hold_dataset(loaded.lock_path, listing.key, listing.lock, bases)
        state = "lists pinned now" if pinned_now else "lists as locked"
    else:
        state = "unpinned"
    return DatasetCheck(
        name,
        len(listing.items),
        listing.lock.counts,
        [],
        state,
        "",
        decoded=False,
        alike=listing.alike,
        classes=class_facts(listing),
    )


def _hours(listing: Listing, pack: Pack) -> dict[str, float]:
    hours = np.diff(pack.offsets) / (SAMPLE_RATE * SECONDS_AN_HOUR)
    return {split: float(hours[listing.split_mask(split)].sum()) for split in SPLITS}


def _place(listing: Listing, row: int) -> dict[str, Any]:
    item = listing.items.iloc[row]
    source = str(listing.folder / str(item["source"]))
    return {"id": str(item["id"]), "source": source, "line": int(item["line"])}


def _row(loaded: LoadedBenchmark, name: str, locked: list[str]) -> dict[str, Any]:
    config, parts = loaded.dataset(name), loaded.parts(name)
    found = find(loaded, name)
    absence = found.message() if isinstance(found, Absence) else ""
    folder = "" if isinstance(found, Absence) else str(found[1])
    embedded = not isinstance(found, Absence) and not found[0].needs_folder
    return {
        "name": name,
        "title": config.title,
        "licence": config.licence,
        "synthetic": config.synthetic,
        "source": config.source,
        "embedded": embedded,
        "folder": "" if embedded else folder,
        "folds": len(parts) if len(parts) > 1 else None,
        "locked": [
            profile
            for profile in sorted({key.split("/")[1] for key in locked})
            if all(f"{part}/{profile}" in locked for part in parts)
        ],
        "absence": absence,
    }
