"""A git work tree, read and never changed: its uncommitted files, its records in a revision."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from harness.board.record_store import RECORDS
from harness.errors import RequestError

AT_ONCE = 1000
"""Number of files that are in memory together."""

_FILES = ("100644", "100755")
"""Modes of files, which links and modules have not."""


def read_revision(revision: str, folder: Path, into: Path) -> None:
    """Write a revision's published records into a folder.

    Args:
        revision: a commit, by whatever name git knows it.
        folder: the published tables, in a work tree.
        into: an empty folder, which becomes like the former.

    Raises:
        RequestError: there is no such revision, or it holds no published records.
    """
    top = top_of(_nearest_folder(folder))
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


def _nearest_folder(folder: Path) -> Path:
    """Return the folder, or the nearest one above that exists."""
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
    """Return each JSON file below a folder of a commit, and the name of its content."""
    listed = git(top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", f"{below}/")
    for line in os.fsdecode(listed).split("\0"):
        told, _, name = line.partition("\t")
        if told and told.split()[0] in _FILES and name.endswith(".json"):
            yield PurePosixPath(name), told.split()[2]


def _contents(top: Path, blobs: list[str]) -> Iterator[bytes]:
    """Return the contents of blobs, in their order, by one process."""
    found = git(top, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
    place = 0
    for _ in blobs:
        end = found.index(b"\n", place)
        size = int(found[place:end].split()[2])
        yield found[end + 1 : end + 1 + size]
        place = end + 1 + size + 1


def changes_outside(repository: Path, folder: Path) -> list[str]:
    """Name the files changed, added or deleted anywhere but below `folder`.

    Args:
        repository: a folder of the work tree.
        folder: the folder whose changes do not count; it may lie outside the tree.

    Raises:
        RequestError: there is no git work tree.
    """
    top = top_of(repository)
    state = git(top, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    names = [os.fsdecode(entry)[3:] for entry in state.split(b"\0") if entry]
    own = folder.resolve()
    return sorted(name for name in names if not (top.resolve() / name).is_relative_to(own))


def top_of(repository: Path) -> Path:
    """Return the folder of the work tree that a folder is in.

    Raises:
        RequestError: there is no git work tree.
    """
    return Path(os.fsdecode(git(repository, "rev-parse", "--show-toplevel")).rstrip("\n"))


def git(repository: Path, *arguments: str, given: bytes = b"") -> bytes:
    """Run a reading git command; it takes no lock, as others may be using the tree.

    Args:
        repository: a folder of the work tree.
        arguments: the command.
        given: its standard input.

    Raises:
        RequestError: it failed, mostly as there is no work tree.
    """
    command = ["git", "--no-optional-locks", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True, input=given)
    except FileNotFoundError as error:
        raise RequestError("git is not installed; publishing needs it to name the code") from error
    except subprocess.CalledProcessError as error:
        said = os.fsdecode(error.stderr).strip()
        raise RequestError(f"{repository}: not a git work tree ({said})") from error
    return done.stdout
