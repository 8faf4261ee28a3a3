"""Delete files of a runs folder's cache that nothing needs any more."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any, get_args

import psutil
from filelock import Timeout

from harness.config.loader import LoadedBenchmark
from harness.config.recipe_tables import Augment, Noise, Reverb
from harness.config.tables import Profile
from harness.datasets.corpus_folders import Absence, find
from harness.datasets.dataset import pack_folder
from harness.datasets.listing import list_dataset
from harness.datasets.packing.pack_files import FACTS
from harness.errors import HarnessError
from harness.feeding.libraries import Use, library_sources
from harness.records.files import lock
from harness.run.folder import CACHE, is_running, record_tables, size_of
from harness.run.plan.predictions import is_outdated

Tell = Callable[[str], None]
Garbage = dict[str, Any]

PACK = re.compile(r".+-[0-9a-f]{12}")
LIBRARIES: dict[str, Use] = {"noise": "noise", "reverb": "reverb"}
"""Stems of packs of noises and rooms, which recipes name and no dataset does."""

TEMPORARY = ("cache/*/.*.part", "stages/*/.*.part", "*/*/*/*/.*.part")
LEFT = "left by a call that was killed"

SETTLED = 3600
"""Seconds for which a temporary file must have lain still: whoever wrote it is dead, or it would
have its name by then."""


def collect_cache(
    loaded: LoadedBenchmark, runs: Path, *, delete: bool, tell: Tell
) -> list[Garbage]:
    """Find packs that no run of a benchmark opens, outdated predictions and what killed calls left.

    A pack goes if neither the benchmark nor a record names its dataset, or if the dataset has
    another pack now: its lists, its reader or its folder changed. An unfinished pack goes with it
    and else stays, since packing goes on from there. Nothing that is in use goes: no pack while a
    job runs, none that a process packs or has opened. A dataset that is not on this machine keeps
    its packs.

    Args:
        loaded: the benchmark.
        runs: the folder.
        delete: whether to delete what is found.
        tell: receives the reason why a dataset's packs were not looked at.
    """
    cache = runs / CACHE
    packs = _packs(loaded, runs, cache, tell) if cache.is_dir() else ()
    old = "predicted by another version of the program or of torch"
    predictions = sorted((cache / "predictions").glob("*.json"))
    outdated = [(path, old) for path in predictions if is_outdated(path)]
    found = [*packs, *outdated, *_temporary(runs)]
    garbage = [{"path": str(path), "bytes": size_of(path), "why": why} for path, why in found]
    return [each for each in garbage if not delete or _delete(Path(each["path"]), cache)]


def _packs(
    loaded: LoadedBenchmark, runs: Path, cache: Path, tell: Tell
) -> Iterator[tuple[Path, str]]:
    """Yield packs and unfinished packs to which nothing leads, with the reason."""
    if is_running(runs):
        return
    wanted = _Wanted(loaded, runs, cache, tell)
    unused = {
        path: (name, why)
        for path, name in _pack_paths(cache)
        # An unfinished pack goes with the finished one; other files beside it are leavings.
        if (why := wanted.why_not(name) if path.name in (name, f".{name}.part") else LEFT)
    }
    opened = _open_folders(cache) if unused else set()
    for path, (name, why) in unused.items():
        if path.name not in opened and _is_free(cache / name):
            yield path, why


def _pack_paths(cache: Path) -> Iterator[tuple[Path, str]]:
    """Yield packs, unfinished ones and leavings beside them, each with the pack's name."""
    for path in sorted(cache.iterdir()):
        hidden = re.fullmatch(r"\.(.+-[0-9a-f]{12})\..+", path.name)
        if hidden and path.is_dir():
            yield path, hidden[1]
        elif PACK.fullmatch(path.name) and (path / FACTS).is_file():
            yield path, path.name


class _Wanted:
    """The packs that runs of a benchmark open.

    Datasets are listed once, and only if packs of that name are there.
    """

    def __init__(self, loaded: LoadedBenchmark, runs: Path, cache: Path, tell: Tell) -> None:
        self._loaded, self._cache, self._tell = loaded, cache, tell
        self._recorded = {f"{name}-{profile}" for name, profile in record_tables(runs)}
        self._datasets: dict[str, tuple[str, Profile]] = {
            f"{name}-{profile}": (name, profile)
            for name in loaded.benchmark.datasets
            for profile in get_args(Profile)
        }
        self._names: dict[str, set[str] | None] = {}

    def why_not(self, name: str) -> str:
        """Return why no run opens a pack; empty if one does, or if that is not known."""
        stem = name.rpartition("-")[0]
        if stem not in self._names:
            self._names[stem] = self._current(stem)
        names = self._names[stem]
        if names is None or name in names:
            return ""
        of = stem if stem in LIBRARIES else f"dataset {self._datasets[stem][0]}" if names else stem
        return f"{of} has another pack now" if names else f"no benchmark or record names {of}"

    def _current(self, stem: str) -> set[str] | None:
        """Return the names of the packs that a stem stands for now; None if they are not known."""
        try:
            if stem in self._datasets:
                return self._of_dataset(*self._datasets[stem])
            if stem in LIBRARIES:
                return set(self._of_library(LIBRARIES[stem]))
        except HarnessError as error:
            self._tell(f"packs of {stem} stay: {error}")
            return None
        return None if stem in self._recorded else set()

    def _of_dataset(self, name: str, profile: Profile) -> set[str] | None:
        config, parts = self._loaded.dataset(name), self._loaded.parts(name)
        if isinstance(find(self._loaded, parts[0]), Absence):
            self._tell(f"packs of {name} stay: it is not on this machine")
            return None
        if not (config.imbalance or config.wrong_labels):
            parts = parts[:1]  # folds share a pack
        listings = (list_dataset(self._loaded, part, profile) for part in parts)
        return {pack_folder(listing, self._cache).name for listing in listings}

    def _of_library(self, use: Use) -> Iterator[str]:
        for source in sorted(_sources(self._loaded, use)):
            augment = (
                Augment(noise=Noise(source=source))
                if use == "noise"
                else Augment(reverb=Reverb(source=source))
            )
            yield library_sources(augment, self._loaded.folder, self._cache)[use].pack_folder.name


def _sources(loaded: LoadedBenchmark, use: Use) -> set[str]:
    """Return the libraries that recipes and overrides name, and the ones that are always there."""
    benchmark = loaded.benchmark
    augments = (recipe.augment for recipe in benchmark.recipes.values())
    named = {part.source for each in augments if each and (part := getattr(each, use))}
    for suite in benchmark.suites.values():
        changed = (override.set.get(f"augment.{use}.source") for override in suite.overrides)
        named |= {source for source in changed if isinstance(source, str)}
    return named | {"embedded" if use == "noise" else "simulated"}


def _temporary(runs: Path) -> Iterator[tuple[Path, str]]:
    """Yield files that were being written when their writer was killed."""
    latest = time.time() - SETTLED
    for path in sorted(path for pattern in TEMPORARY for path in runs.glob(pattern)):
        if path.is_file() and path.stat().st_mtime < latest:
            yield path, LEFT


def _open_folders(cache: Path) -> set[str]:
    """Return the names of folders of the cache of which some process of this user maps files.

    Other runs folders may share the cache, and no lock is held while a pack is read.
    """
    found: set[str] = set()
    top = f"{cache.resolve()}/"
    if not hasattr(psutil.Process, "memory_maps"):
        return found
    for process in psutil.process_iter():
        try:
            maps: Iterable[Any] = process.memory_maps()
        except (psutil.Error, OSError):
            continue  # it ended, or is somebody else's
        for each in maps:
            if each.path.startswith(top):
                found.add(each.path.removeprefix(top).split("/")[0])
    return found


def _is_free(pack: Path) -> bool:
    """Return whether nobody packs it; make no lock if there is none."""
    if not pack.with_name(f"{pack.name}.lock").exists():
        return True
    try:
        with lock(pack).acquire(blocking=False):
            return True
    except Timeout:
        return False


def _delete(path: Path, cache: Path) -> bool:
    """Delete garbage; return False if somebody began to use it meanwhile."""
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return True
    name = path.name if PACK.fullmatch(path.name) else path.name[1:].rpartition(".")[0]
    try:
        with lock(cache / name).acquire(blocking=False):
            gone = path.with_name(f".{name}.old")
            if path != gone:
                rmtree(gone, ignore_errors=True)
                path.replace(gone)  # so that nobody opens a part of it
            rmtree(gone)
    except Timeout:
        return False
    return True
