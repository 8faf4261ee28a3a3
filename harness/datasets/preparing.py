"""Making a dataset ready once, so that a run starts at once: unpacked, decoded, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from harness.config.loader import LoadedBenchmark
from harness.config.tables import Profile
from harness.datasets.archives.parts import grouped
from harness.datasets.archives.unpacking import unpack
from harness.datasets.finding import find_folder
from harness.datasets.inventory import Checked, check_dataset_files
from harness.datasets.listing import Listing
from harness.datasets.locate import Absence
from harness.datasets.pack import Tell, silent
from harness.datasets.packing.request import Advance
from harness.errors import ConfigError, CorpusAbsent


def unpack_archives(
    loaded: LoadedBenchmark, name: str, archives: Sequence[Path], tell: Tell = silent
) -> None:
    """Unpack a dataset's archives to where it is looked for first.

    Args:
        loaded: the benchmark.
        name: the dataset.
        archives: files; parts of one archive are known by their names (`x.tar.gzaa`, `-ab`).
        tell: told what a person who waits wants to know.

    Raises:
        ConfigError: the dataset is computed or embedded.
        CorpusAbsent: it does not lie in a folder.
        DataError: an archive cannot be used; what was wrong with it is not on the disk.
    """
    folder = _destination(loaded, name)
    config = loaded.dataset(name).published
    published = config.archives if config else {}
    for parts in grouped(archives):
        known = [file for file in published if parts[0].name.startswith(_stem(file))]
        md5 = published[max(known, key=len)] if known else None
        if md5 is None:
            tell(f"{parts[0].name}: no published md5 is known; it is not compared with one")
        unpack(parts, folder, md5=md5, tell=tell)


def prepare_dataset(
    loaded: LoadedBenchmark,
    name: str,
    profile: Profile,
    cache: Path,
    packing: Callable[[Listing], Advance],
    *,
    archives: Sequence[Path] = (),
    tell: Tell = silent,
    workers: int | None = None,
) -> Checked:
    """Make a dataset ready: its archives unpacked, every file decoded and packed.

    A call after one that was stopped goes on from where that was.

    Raises:
        CorpusAbsent: it is not on this machine.
        DataError: its lists or archives cannot be used, or the disk has too little room.
        LockError: it is not the locked one.
    """
    if archives:
        unpack_archives(loaded, name, archives, tell)
    return check_dataset_files(loaded, name, profile, cache, packing, tell=tell, workers=workers)


def _destination(loaded: LoadedBenchmark, name: str) -> Path:
    found = find_folder(loaded, name)
    if isinstance(found, Absence):
        if not found.looked:
            raise CorpusAbsent(found.message())
        return Path(found.looked[0])
    corpus, folder = found
    if not corpus.needs_folder:
        raise ConfigError(f"{name}: is made when it is needed; there is no archive to unpack")
    return folder


def _stem(file: str) -> str:
    """A file's name without its endings: its parts may be called otherwise."""
    return file.removesuffix(".gz").rpartition(".")[0] or file
