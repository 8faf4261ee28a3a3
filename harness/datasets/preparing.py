"""Prepares a dataset once, so that a run starts at once: unpacked, decoded, checked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from harness.config.loader import LoadedBenchmark
from harness.config.tables import Profile
from harness.datasets.archives import check_md5, check_members, extract, group_parts, open_parts
from harness.datasets.corpus_folders import Absence, find_folder
from harness.datasets.inventory import DatasetCheck, check_dataset_files
from harness.datasets.listing import Listing
from harness.datasets.packing.estimates import check_disk_space, format_bytes, report_full_disk
from harness.datasets.packing.pack_request import Advance, MessageCallback, ignore_message
from harness.errors import ConfigError, CorpusAbsent, DataError
from harness.records.files import lock


def prepare_dataset(
    loaded: LoadedBenchmark,
    name: str,
    profile: Profile,
    cache: Path,
    packing: Callable[[Listing], Advance],
    *,
    archives: Sequence[Path] = (),
    tell: MessageCallback = ignore_message,
    workers: int | None = None,
) -> DatasetCheck:
    """Unpack a dataset's archives, then decode, pack and check every file.

    A call after one that was stopped goes on from there.

    Raises:
        CorpusAbsent: it is not on this machine.
        DataError: its lists or archives cannot be used, or the disk has too little room.
        LockError: it is not the locked one.
    """
    if archives:
        unpack_archives(loaded, name, archives, tell)
    return check_dataset_files(loaded, name, profile, cache, packing, tell=tell, workers=workers)


def unpack_archives(
    loaded: LoadedBenchmark,
    name: str,
    archives: Sequence[Path],
    tell: MessageCallback = ignore_message,
) -> None:
    """Unpack a dataset's archives to the first folder that is searched for it.

    Args:
        loaded: the benchmark.
        name: the dataset.
        archives: files; parts of one archive are known by their names (`x.tar.gzaa`, `-ab`).
        tell: receives messages for a person who waits.

    Raises:
        ConfigError: the dataset is computed or embedded.
        CorpusAbsent: it does not lie in a folder.
        DataError: an archive cannot be used; nothing of it is on the disk.
    """
    folder = _destination(loaded, name)
    config = loaded.dataset(name).published
    published = config.archives if config else {}
    for parts in group_parts(archives):
        known = [file for file in published if parts[0].name.startswith(_stem(file))]
        md5 = published[max(known, key=len)] if known else None
        if md5 is None:
            tell(f"{parts[0].name}: no published md5 is known; it is not compared with one")
        unpack(parts, folder, md5=md5, tell=tell)


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
    """Return a file's name without its endings: its parts may be called otherwise."""
    return file.removesuffix(".gz").rpartition(".")[0] or file


def unpack(
    parts: Sequence[Path],
    folder: Path,
    *,
    md5: str | None = None,
    tell: MessageCallback = ignore_message,
) -> None:
    """Unpack an archive into a corpus's folder; all of it appears there, or nothing.

    An archive that is there already is not unpacked again.

    Args:
        parts: the archive's files, in order.
        folder: the corpus's; it need not exist.
        md5: of the whole archive, if it is published.
        tell: receives messages for a person who waits.

    Raises:
        DataError: the archive is absent, damaged or another one, holds members that must not be
            written, or some of it is there already; or the disk has too little room.
    """
    for part in parts:
        if not part.is_file():
            raise DataError(f"{part}: no such archive")
    name = " + ".join(part.name for part in parts)
    if md5 is not None:
        tell(f"{name}: comparing with the published md5")
        check_md5(parts, md5)
    with lock(_beside(folder, "unpacking")), open_parts(parts) as file:
        for leaving in folder.parent.glob(f"{_beside(folder, 'unpacking.').name}*"):
            if leaving.is_dir():  # of a killed process, which had not unpacked all
                shutil.rmtree(leaving)
        _take_over(folder)
        top, size = check_members(file, name)
        there = sorted(each for each in top if (folder / each).exists())
        if there and len(there) < len(top):
            raise DataError(
                f"{name}: {', '.join(there)} of it is in {folder} already, the rest is not; "
                "move that away to have the archive unpacked, or leave --archive out"
            )
        if there:
            tell(f"{name}: is unpacked already, in {folder}")
            return
        free = check_disk_space(folder, size, f"unpacking {name}")
        sizes = f"{format_bytes(size)} of disk are needed and {format_bytes(free)} are free"
        tell(f"{name}: unpacking into {folder}: {sizes}")
        _extract_beside(file, folder, name)
        _take_over(folder)


def _extract_beside(file: IO[bytes], folder: Path, name: str) -> None:
    prefix = _beside(folder, "unpacking.").name
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix))
    try:
        with report_full_disk(folder.parent, lambda: "nothing of the archive is kept"):
            extract(file, temporary, name)
        temporary.chmod(0o755)
        temporary.replace(_beside(folder, "unpacked"))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _take_over(folder: Path) -> None:
    """Move an archive that was unpacked whole into the corpus's folder."""
    unpacked = _beside(folder, "unpacked")
    if not unpacked.is_dir():
        return
    if not folder.exists():
        unpacked.replace(folder)
        return
    for entry in sorted(unpacked.iterdir()):
        entry.replace(folder / entry.name)
    unpacked.rmdir()


def _beside(folder: Path, purpose: str) -> Path:
    return folder.with_name(f".{folder.name}.{purpose}")
