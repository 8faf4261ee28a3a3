"""What corpora there are, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.loader import LoadedBenchmark
from harness.config.schema import Profile
from harness.data.dataset import (
    Advance,
    Listing,
    damage_report,
    find,
    list_dataset,
    open_dataset,
    pack_folder,
)
from harness.data.locate import Absence
from harness.data.lock import hold_dataset, pinned_dataset, read_lock
from harness.data.pack import PackRequest, packed


@dataclass(frozen=True)
class Checked:
    """One dataset, every file read.

    Attributes:
        name: the dataset.
        items: how many it lists.
        counts: split -> units, items, trials, targets.
        damaged: id, source, line and reason of each item that cannot be used.
        lock: `as locked`, `pinned now`, or why it is not pinned.
        report: the damage for a person; empty where there is none.
        decoded: False where the lists alone were read.
    """

    name: str
    items: int
    counts: dict[str, dict[str, int]]
    damaged: list[dict[str, Any]]
    lock: str
    report: str
    decoded: bool = True


def inventory(loaded: LoadedBenchmark) -> list[dict[str, Any]]:
    """Every dataset of a benchmark: its folder, or where it was looked for."""
    paths = (loaded.lock_path, *loaded.base_lock_paths)
    locked = {key for path in paths for key in read_lock(path).datasets}
    return [_row(loaded, name, sorted(locked)) for name in loaded.benchmark.datasets]


def check_dataset_files(
    loaded: LoadedBenchmark,
    name: str,
    profile: Profile,
    cache: Path,
    packing: Callable[[Listing], Advance],
) -> Checked:
    """Read every file of a dataset anew; pin it where all is well and nothing is pinned yet.

    Raises:
        CorpusAbsent: it is not on this machine.
        DataError: its lists cannot be used.
        LockError: it is not the locked one.
    """
    listing = list_dataset(loaded, name, profile)
    request = PackRequest(
        pack_folder(listing, cache),
        listing.corpus,
        listing.folder,
        listing.items,
        packing(listing),
    )
    pack = packed(request, fresh=True)
    damaged = [_damage(listing, row, why) for row, why in sorted(pack.damaged.items())]
    report = damage_report(listing, pack) if damaged else ""
    pinned = pinned_dataset(loaded.lock_path, listing.key, loaded.base_lock_paths)
    if not damaged:
        open_dataset(loaded, listing, cache)
    before = pinned is not None and bool(pinned[0].content)
    state = "as locked" if before else "not pinned: damaged" if damaged else "pinned now"
    return Checked(name, len(listing.items), listing.lock.counts, damaged, state, report)


def check_dataset_lists(loaded: LoadedBenchmark, name: str, profile: Profile) -> Checked:
    """Hold a dataset's lists against the lock, decoding nothing; pin them where it is silent.

    Raises:
        CorpusAbsent: it is not on this machine.
        DataError: its lists cannot be used.
        LockError: they are not the locked ones.
    """
    listing = list_dataset(loaded, name, profile)
    bases = loaded.base_lock_paths
    pinned_now = hold_dataset(loaded.lock_path, listing.key, listing.lock, bases)
    state = "lists pinned now" if pinned_now else "lists as locked"
    return Checked(name, len(listing.items), listing.lock.counts, [], state, "", decoded=False)


def _damage(listing: Listing, row: int, why: str) -> dict[str, Any]:
    item = listing.items.iloc[row]
    place = {"source": str(listing.folder / str(item["source"])), "line": int(item["line"])}
    return {"id": str(item["id"]), **place, "reason": why}


def _row(loaded: LoadedBenchmark, name: str, locked: list[str]) -> dict[str, Any]:
    config = loaded.benchmark.datasets[name]
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
        "locked": [key.split("/")[1] for key in locked if key.split("/")[0] == name],
        "absence": absence,
    }
