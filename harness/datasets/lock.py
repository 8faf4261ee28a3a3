"""`benchmark.lock`: datasets and protocols fixed by their content.

The lock pins, for every dataset and profile, the sha256 of its manifest, split, trial lists
and decoded content, and for every protocol its version and digest. Anything not pinned yet is
pinned when it is first used, as package managers do; anything pinned that differs is refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ConfigDict

from harness.errors import LockError, PathError
from harness.records.documents import canonical_json, digest
from harness.records.files import check_writable, lock, read_text, write_text


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DatasetLock(_Frozen):
    """One profile of one dataset, by content.

    Attributes:
        manifest: of ids, units, labels, durations and sources.
        split: of ids and their split.
        trials: split -> of its trial list.
        content: of all decoded samples or pixels, in the order of the manifest; empty if
            nobody has decoded them yet.
        counts: split -> number of units, items, and (if there are any) trials and targets.
    """

    manifest: str
    split: str
    trials: dict[str, str]
    content: str
    counts: dict[str, dict[str, int]]

    @property
    def digest(self) -> str:
        """One hash for all of it."""
        return digest(self.model_dump())


class ProtocolLock(_Frozen):
    """A protocol's version and digest.

    Attributes:
        rests_on: all that the digest covers, dotted key -> value as JSON, so that a difference can
            be named.
    """

    version: int
    digest: str
    rests_on: dict[str, str] = {}


class LockFile(_Frozen):
    """The whole file; keys are `dataset/profile` and `suite/profile/dataset`."""

    datasets: dict[str, DatasetLock] = {}
    protocols: dict[str, ProtocolLock] = {}


def read_lock(path: Path) -> LockFile:
    """Read the lock; an absent file pins nothing.

    Raises:
        LockError: the file is not a lock.
    """
    if not path.exists():
        return LockFile()
    try:
        return LockFile.model_validate(tomllib.loads(read_text(path)))
    except (ValueError, RecursionError) as error:
        raise LockError(
            f"{path}: not a lock file: {error}\n"
            "Restore it (git checkout), or delete it to have everything pinned anew."
        ) from error


def dataset_pin(
    path: Path, name: str, bases: tuple[Path, ...] = ()
) -> tuple[DatasetLock, Path] | None:
    """Return the pinned part of a dataset, and the path of the lock that pins it.

    Args:
        path: a benchmark's own lock.
        name: the dataset and profile.
        bases: the locks of the benchmarks below it; their pins hold here too.
    """
    locks = [(read_lock(each).datasets.get(name), each) for each in (*reversed(bases), path)]
    found = [(pinned, each) for pinned, each in locks if pinned is not None]
    whole = [(pinned, each) for pinned, each in found if pinned.content]
    return next(iter(whole + found), None)


def hold_dataset(path: Path, name: str, found: DatasetLock, bases: tuple[Path, ...] = ()) -> bool:
    """Check a dataset against the lock, or pin it if the lock has no entry.

    A dataset whose lists alone are pinned has an empty content, which the first one to decode
    it fills in.

    Returns:
        True if something was pinned just now.

    Raises:
        LockError: a part differs; the message names it with both hashes.
    """
    return _pin(path, name, found, lambda: _is_held(path, name, found, bases))


def check_can_pin(path: Path, name: str, bases: tuple[Path, ...] = ()) -> None:
    """Refuse at once to decode a dataset that could not be pinned afterwards.

    Raises:
        PathError: it is not pinned yet, and the lock cannot be written.
    """
    known = dataset_pin(path, name, bases)
    if known is None or not known[0].content:
        with _advise_unpinned(name):
            check_writable(path)


def check_dataset(pinned: DatasetLock, found: DatasetLock, name: str, path: Path) -> None:
    """Compare two locks of one dataset part by part; an empty `content` is not compared.

    Raises:
        LockError: names every part that differs, with both hashes, and every count.
    """
    changed = [
        f"the {part} is not the locked one\n  locked: {want}\n  found:  {have}"
        for part, want, have in _parts(pinned, found)
        if want != have
    ]
    if not changed:
        return
    counts = "".join(f"\n  {line}" for line in _changes(_flat(pinned.counts), _flat(found.counts)))
    raise LockError(
        f"{name}: {'; '.join(changed)}{counts}\n"
        f"Restore the corpus as it was, or, if the change is meant, delete "
        f'[datasets."{name}"] in {path} and raise the protocol version of its suites.'
    )


def hold_protocol(path: Path, name: str, found: ProtocolLock) -> None:
    """Check a protocol against the lock, or pin it if it is new or its version was raised.

    Raises:
        LockError: it changed and its version did not, or its version went down.
    """
    _pin(path, name, found, lambda: _is_pinned(path, name, found))


def protocol_lock(version: int, rests_on: dict[str, Any]) -> ProtocolLock:
    """Return the lock of a protocol that rests on a document."""
    return ProtocolLock(version=version, digest=digest(rests_on), rests_on=_flat(rests_on))


def _pin(
    path: Path, name: str, found: DatasetLock | ProtocolLock, is_held: Callable[[], bool]
) -> bool:
    """Write an entry of the lock, unless it is held already; tell if it was written."""
    if is_held():
        return False  # nothing is written, so the folder need not be writable
    with _advise_unpinned(name), lock(path):
        if is_held():
            return False
        held = read_lock(path)
        part = "datasets" if isinstance(found, DatasetLock) else "protocols"
        _write(path, held.model_copy(update={part: {**getattr(held, part), name: found}}))
        return True


def _is_held(path: Path, name: str, found: DatasetLock, bases: tuple[Path, ...]) -> bool:
    """Tell if all that is known of a dataset is pinned; raise LockError if a part differs."""
    known = dataset_pin(path, name, bases)
    if known is None:
        return False
    check_dataset(known[0], found, name, known[1])
    return bool(known[0].content) or not found.content


def _is_pinned(path: Path, name: str, found: ProtocolLock) -> bool:
    """Tell if a protocol is pinned as it is; raise LockError if it must not be pinned."""
    pinned = read_lock(path).protocols.get(name)
    if pinned is not None and (pinned.version, pinned.digest) != (found.version, found.digest):
        _check_raised(pinned, found, name)
    return pinned == found


@contextmanager
def _advise_unpinned(name: str) -> Iterator[None]:
    try:
        yield
    except PathError as error:
        raise PathError(
            f"{error}. {name} is not pinned there yet: copy the benchmark file and its lock to a "
            "folder of yours and name it with --config"
        ) from error


def _parts(pinned: DatasetLock, found: DatasetLock) -> list[tuple[str, str, str]]:
    parts = [("manifest", pinned.manifest, found.manifest), ("split", pinned.split, found.split)]
    for split in sorted({*pinned.trials, *found.trials}):
        ours, theirs = pinned.trials.get(split, "none"), found.trials.get(split, "none")
        parts.append((f"{split} trial list", ours, theirs))
    if found.content and pinned.content:
        parts.append(("decoded content", pinned.content, found.content))
    return parts


def _check_raised(pinned: ProtocolLock, found: ProtocolLock, name: str) -> None:
    if found.version > pinned.version:
        return
    lines = "".join(f"\n  {line}" for line in _changes(pinned.rests_on, found.rests_on))
    raise LockError(
        f"{name}: the protocol changed (locked version {pinned.version} {pinned.digest[:12]}, "
        f"found version {found.version} {found.digest[:12]}); raise `protocol` of the suite, or "
        f"undo the change{':' if lines else ''}{lines}"
    )


def _changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    keys = sorted(before.keys() | after.keys())
    pairs = ((key, before.get(key, "none"), after.get(key, "none")) for key in keys)
    return [f"{key}: locked {old}, found {new}" for key, old, new in pairs if old != new]


def _flat(document: dict[str, Any], above: str = "") -> dict[str, str]:
    """Return the dotted keys of a document and their values as JSON."""
    found: dict[str, str] = {}
    for key, value in document.items():
        inner = isinstance(value, dict)
        found |= _flat(value, f"{above}{key}.") if inner else {above + key: canonical_json(value)}
    return found


def _write(path: Path, content: LockFile) -> None:
    head = "# What is fixed, by content. Written by the harness; commit it beside the benchmark.\n"
    document: dict[str, Any] = content.model_dump()
    ordered = {part: dict(sorted(entries.items())) for part, entries in document.items()}
    write_text(path, f"{head}\n{tomli_w.dumps(ordered)}")
