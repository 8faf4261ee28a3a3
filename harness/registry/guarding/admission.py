"""Whether a change of the published tables may be taken in: what is new, held against a revision.

`check` says whether files are what their records give. This says whether the records may be there:
nothing published was edited or removed, and every new record is whole, in its place, of data and
rules that the lock pins, from code that can be found again, with no more beside it than its data's
licence allows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.board.companions import unreadable_companions, wrong_companions
from harness.board.record_paths import DETAILS_ENDING, is_record, scores_path
from harness.config.loader import LoadedBenchmark
from harness.datasets.lock import LockFile, read_lock
from harness.errors import RequestError
from harness.records.record import Record
from harness.records.record_files import read_record, usable_record
from harness.registry.guarding.consistency import disagreements
from harness.registry.guarding.locked import edited_lock
from harness.registry.guarding.newcomers import wrong_newcomer
from harness.registry.guarding.snapshot import Snapshot
from harness.registry.history.check import check_history
from harness.registry.history.line import FOLDER as HISTORY

RECORDS = "records/"


@dataclass(frozen=True)
class Admission:
    """What came of a change.

    Attributes:
        base: the commit that it was held against.
        new: paths of new records below the published folder.
        complaints: all that is wrong, each beginning with the file it is about.
        unreadable: whether a file among the records is none, so that no table can be made.
        first: whether nothing was published before.
    """

    base: str
    new: tuple[str, ...]
    complaints: tuple[str, ...]
    unreadable: bool
    first: bool


def admit(folder: Path, base: str, loaded: LoadedBenchmark) -> Admission:
    """Hold the published tables of a work tree against those of a revision.

    Args:
        folder: the published tables, mostly `leaderboards`.
        base: the revision, as git calls it.
        loaded: the benchmark that the tables are of.

    Raises:
        RequestError: no git work tree, no such revision, or a lock that is none.
    """
    revision = Snapshot(folder, base)
    before, now = revision.files(folder), _files(folder)
    new = sorted(name for name in now.keys() - before.keys() if name.startswith(RECORDS))
    locks = _locks(loaded, revision)
    records, unreadable = _readable(folder, now)
    complaints = [
        *_kept(before, now),
        *_links(folder),
        *unreadable,
        *(
            line
            for name in new
            for line in wrong_newcomer(folder, name, records, locks.known, loaded)
        ),
        *disagreements(records),
        *_beside(folder, records, new, unreadable),
        *check_history(folder),
        *(f"{loaded.lock_path.name}: {line}" for line in edited_lock(locks.own, locks.before)),
    ]
    admitted = tuple(name for name in new if _is_record_file(name))
    return Admission(
        revision.commit,
        admitted,
        tuple(dict.fromkeys(complaints)),
        unreadable=bool(unreadable),
        first=not any(_is_record_file(name) for name in before if name.startswith(RECORDS)),
    )


@dataclass(frozen=True)
class _Locks:
    """The lock of now, that of before, and all by which records may have been made."""

    own: LockFile
    before: LockFile
    below: tuple[LockFile, ...]

    @property
    def known(self) -> tuple[LockFile, ...]:
        return (self.own, self.before, *self.below)


def _locks(loaded: LoadedBenchmark, revision: Snapshot) -> _Locks:
    content = _lock_before(loaded, revision)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / loaded.lock_path.name
        if content is not None:
            path.write_bytes(content)
        before = read_lock(path)
    below = tuple(read_lock(path) for path in loaded.base_lock_paths)
    return _Locks(read_lock(loaded.lock_path), before, below)


def _lock_before(loaded: LoadedBenchmark, revision: Snapshot) -> bytes | None:
    """The lock as the revision has it; None of a benchmark that lies elsewhere."""
    if not loaded.lock_path.resolve().is_relative_to(revision.top.resolve()):
        return None
    return revision.file(loaded.lock_path)


def _files(folder: Path) -> dict[str, Path]:
    """Every file, links left out."""
    found = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path for path in found}


def _links(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            yield f"{path.relative_to(folder).as_posix()}: a link; put the file itself there"


def _kept(before: Mapping[str, bytes], now: Mapping[str, Path]) -> Iterator[str]:
    """What was published and is no longer as it was."""
    for name, content in sorted(before.items()):
        if name.startswith(RECORDS) and not name.endswith(DETAILS_ENDING):
            if name not in now:
                yield f"{name}: removed; what was published stays, restore it from git"
            elif now[name].read_bytes() != content:
                yield f"{name}: edited; what was published is never edited, restore it from git"
        elif name.startswith(f"{HISTORY}/") and name.endswith(".jsonl"):
            if name not in now:
                yield f"{name}: removed; a history is only added to, restore it from git"
            elif not now[name].read_bytes().startswith(content):
                yield f"{name}: lines were edited or removed; a history is only added to"


def _is_record_file(name: str) -> bool:
    return name.endswith(".json") and is_record(name.rpartition("/")[2])


def _readable(folder: Path, now: Mapping[str, Path]) -> tuple[dict[str, Record], list[str]]:
    """Records by their paths, and what is wrong with those that are none."""
    records, unreadable = {}, []
    for name in sorted(now):
        if name.startswith(RECORDS) and _is_record_file(name):
            try:
                records[name] = usable_record(folder / name, read_record(folder / name))
            except RequestError as error:
                unreadable.append(f"{name}: {error}")
    return records, unreadable + unreadable_companions(folder)


def _beside(
    folder: Path, records: Mapping[str, Record], new: Sequence[str], unreadable: Sequence[str]
) -> list[str]:
    """What is wrong beside new records; nothing can be told where something is unreadable."""
    if unreadable:
        return []
    return [line for line in wrong_companions(folder, records) if _about(line, new)]


def _about(line: str, names: Sequence[str]) -> bool:
    """Whether a complaint is about one of some files, or the scores of one."""
    own = {*names, *(scores_path(name) for name in names)}
    return line.partition(": ")[0] in own
