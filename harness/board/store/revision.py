"""Published records as they were in a git revision."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from harness.board.store.shelf import RECORDS
from harness.board.store.tree import git, top_of
from harness.errors import RequestError

AT_ONCE = 1000
"""Files that are in memory together."""

_FILES = ("100644", "100755")
"""Modes of what is a file, and no link or module."""


def read_revision(revision: str, folder: Path, into: Path) -> None:
    """Write a revision's published records into a folder.

    Args:
        revision: a commit, by whatever name git knows it.
        folder: the published tables, in a work tree.
        into: an empty folder, which becomes like the former.

    Raises:
        RequestError: there is no such revision, or it holds no published records.
    """
    top = top_of(_there(folder))
    commit = _commit(top, revision)
    prefix = PurePosixPath(folder.resolve().relative_to(top.resolve()).as_posix())
    blobs = {
        into / name.relative_to(prefix): blob
        for name, blob in _blobs(top, commit, prefix / RECORDS)
    }
    if not blobs:
        raise RequestError(f"git:{revision}: holds no published records below {prefix}")
    found = list(blobs.items())
    for some in (found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE)):
        contents = _contents(top, [blob for _, blob in some])
        for (path, _), content in zip(some, contents, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above that is there."""
    return next(each for each in (folder.resolve(), *folder.resolve().parents) if each.is_dir())


def _commit(top: Path, revision: str) -> str:
    name = f"{revision}^{{commit}}"
    try:
        found = git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    except RequestError as error:
        raise RequestError(
            f"git:{revision}: no revision of {top}; give a branch, a tag or a commit"
        ) from error
    return os.fsdecode(found).strip()


def _blobs(top: Path, commit: str, below: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    """Each JSON file below a folder of a commit, and the name of its content."""
    listed = git(top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", f"{below}/")
    for line in os.fsdecode(listed).split("\0"):
        told, _, name = line.partition("\t")
        if told and told.split()[0] in _FILES and name.endswith(".json"):
            yield PurePosixPath(name), told.split()[2]


def _contents(top: Path, blobs: list[str]) -> Iterator[bytes]:
    """The contents of blobs, in their order, by one process."""
    found = git(top, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
    place = 0
    for _ in blobs:
        end = found.index(b"\n", place)
        size = int(found[place:end].split()[2])
        yield found[end + 1 : end + 1 + size]
        place = end + 1 + size + 1
