"""A change of the published tables: what a revision has, and what is there now, read once."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.board.companions import unreadable_companions
from harness.board.git_tree import Snapshot
from harness.board.record_paths import is_record
from harness.board.record_store import Held, load
from harness.config.loader import LoadedBenchmark
from harness.datasets.lock import LockFile, read_lock
from harness.errors import RequestError
from harness.records.record import Record, Trust
from harness.records.record_files import read_record, usable_record
from harness.records.signature import SIGNERS, Signers, parse_signers
from harness.registry.check import UNSEEN

RECORDS = "records/"


@dataclass(frozen=True)
class Change:
    """A change: what was published and what is there now, each read once.

    Attributes:
        folder: the published tables.
        loaded: the benchmark that they are of.
        revision: what it is held against.
        before: path below the folder -> content, as the revision has it.
        now: the same path -> file.
        records: every readable record, by its path.
        unreadable: what is wrong with the files that are none.
        listed: the signers of the revision.
        trusted: the records with the trust that they have earned; none where some are unreadable,
            as then nothing can be said of what lies beside them.
    """

    folder: Path
    loaded: LoadedBenchmark
    revision: Snapshot
    before: Mapping[str, bytes]
    now: Mapping[str, Path]
    records: Mapping[str, Record]
    unreadable: list[str]
    listed: Signers
    trusted: Held

    @cached_property
    def new(self) -> list[str]:
        """The files among the records that the revision has not."""
        return sorted(n for n in self.now.keys() - self.before.keys() if n.startswith(RECORDS))

    @cached_property
    def new_records(self) -> dict[str, Record]:
        """The readable records among them."""
        return {name: self.records[name] for name in self.new if name in self.records}

    @cached_property
    def earned(self) -> Held:
        """The new records with the trust that they have earned."""
        found = {n: self.trusted.records[n] for n in self.new if n in self.trusted.records}
        return Held(found, unseen=self.trusted.unseen)

    @property
    def trusts(self) -> dict[str, Trust]:
        """Path of a new record -> the trust that it has earned."""
        return {name: record.trust for name, record in self.earned.records.items()}


def read_change(folder: Path, base: str, loaded: LoadedBenchmark) -> Change:
    """Read the published tables of a work tree, and those of a revision.

    Raises:
        RequestError: no git work tree, no such revision, or its signers are none.
    """
    revision = Snapshot(folder, base)
    before = revision.files(folder)
    now = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    records, unreadable = _readable(folder, now)
    sound = {} if unreadable else records
    listed = _signers_before(before)
    trusted = load(folder, [folder / name for name in sound], listed, sound)
    return Change(folder, loaded, revision, before, now, records, unreadable, listed, trusted)


def lock_before(loaded: LoadedBenchmark, revision: Snapshot) -> LockFile:
    """Return the lock as the revision has it; an empty one of a benchmark that lies elsewhere."""
    is_inside = loaded.lock_path.resolve().is_relative_to(revision.top.resolve())
    content = revision.file(loaded.lock_path) if is_inside else None
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / loaded.lock_path.name
        if content is not None:
            path.write_bytes(content)
        return read_lock(path)


def _signers_before(before: Mapping[str, bytes]) -> Signers:
    """Return the signers of the revision.

    Raises:
        RequestError: its file holds other lines.
    """
    try:
        text = before.get(SIGNERS, b"").decode()
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{SIGNERS} of the revision: no text ({error}); mend it there"
        ) from error
    return parse_signers(text, f"{SIGNERS} of the revision")


def is_record_file(name: str) -> bool:
    """Return whether a path below the published folder is a record's."""
    is_json = name.startswith(RECORDS) and name.endswith(".json")
    return is_json and is_record(name.rpartition("/")[2])


def _readable(folder: Path, now: Mapping[str, Path]) -> tuple[dict[str, Record], list[str]]:
    """Return records by their paths, and what is wrong with the files that are none."""
    records, unreadable = {}, []
    for name in filter(is_record_file, sorted(now)):
        if not name.isprintable():
            unreadable.append(f"{name}: {UNSEEN}")
            continue
        try:
            records[name] = usable_record(folder / name, read_record(folder / name))
        except RequestError as error:
            unreadable.append(f"{name}: {'; '.join(str(error).splitlines())}")
    return records, unreadable + unreadable_companions(folder)
