"""A git work tree, read and never changed: its uncommitted files, its records in a revision."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from harness.board.record_paths import SCORES_ENDING, SIGNATURE_ENDING
from harness.board.record_store import RECORDS
from harness.errors import RequestError
from harness.records.signature import SIGNERS

LITERAL = "--literal-pathspecs"
"""No letter of a path means anything but itself."""

AT_ONCE = 1000
"""Number of files that are in memory together."""

_FILES = ("100644", "100755")
"""Modes of files, which links and modules have not."""

_READ = (".json", SCORES_ENDING, SIGNATURE_ENDING, SIGNERS)
"""Ends of the names of files on which tables rest."""


class _Blob(NamedTuple):
    """A file of a commit: its path, the name of its content, the content's bytes."""

    path: PurePosixPath
    name: str
    size: int


def read_revision(revision: str, folder: Path, into: Path) -> None:
    """Write a revision's published records into a folder, and all on which their tables rest.

    Scores are files of their size, without their content: tables take no more of them.

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
    below = [f"{prefix / RECORDS}/", str(prefix / SIGNERS)]
    rest = (blob for blob in _blobs(top, commit, below) if blob.path.name.endswith(_READ))
    blobs = [(into / blob.path.relative_to(prefix), blob) for blob in rest]
    if not any(path.name.endswith(".json") for path, _ in blobs):
        raise RequestError(f"git:{revision}: holds no published records below {prefix}")
    for path, blob in blobs:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name.endswith(SCORES_ENDING):
            path.touch()
            os.truncate(path, blob.size)
    found = [each for each in blobs if not each[0].name.endswith(SCORES_ENDING)]
    for some in (found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE)):
        contents = _contents(top, [blob.name for _, blob in some])
        for (path, _), content in zip(some, contents, strict=True):
            path.write_bytes(content)


class Snapshot:
    """A git revision of the work tree that a folder lies in; reading it leaves the tree alone.

    Attributes:
        top: the work tree.
        commit: the revision's commit.

    Args:
        folder: below the work tree.
        name: as git calls it: a commit, a branch, `origin/main`, `HEAD~1`.

    Raises:
        RequestError: there is no git work tree, or no such revision.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.top = top_of(folder)
        # After `--end-of-options` no name can pass for an option.
        options = ("--verify", "--quiet", "--end-of-options")
        try:
            found = git(self.top, "rev-parse", *options, f"{name}^{{commit}}")
        except RequestError as error:
            raise RequestError(
                f"{name!r}: no such revision here; fetch it first, as in `git fetch origin main`"
            ) from error
        self.commit = os.fsdecode(found).strip()

    def files(self, folder: Path) -> dict[str, bytes]:
        """Return every file that it has below a folder, by the path below that; no links.

        Raises:
            RequestError: the folder lies outside the work tree.
        """
        place = self._place(folder)
        blobs = list(_blobs(self.top, self.commit, [f"{place}/"]))
        contents = _contents(self.top, [blob.name for blob in blobs])
        paths = (blob.path.relative_to(place).as_posix() for blob in blobs)
        return dict(zip(paths, contents, strict=True))

    def file(self, path: Path) -> bytes | None:
        """Return the content of one file; None if it has none there.

        Raises:
            RequestError: the file lies outside the work tree.
        """
        blobs = list(_blobs(self.top, self.commit, [self._place(path)]))
        return next(_contents(self.top, [blob.name for blob in blobs]), None)

    def _place(self, path: Path) -> str:
        """Return the path as git spells it, from the top of the work tree."""
        resolved, top = path.resolve(), self.top.resolve()
        if not resolved.is_relative_to(top):
            raise RequestError(f"{path}: outside the git work tree {self.top}")
        return resolved.relative_to(top).as_posix()


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


def _blobs(top: Path, commit: str, below: Sequence[str]) -> Iterator[_Blob]:
    """Return each file of a commit, below some folders or of those names.

    Its tree is read, not an archive made of it: `.gitattributes` can hide files from an archive,
    and change what they hold.
    """
    listing = ("ls-tree", "-r", "-z", "--long", "--full-tree", commit, "--", *below)
    listed = git(top, LITERAL, *listing)
    for line in os.fsdecode(listed).split("\0"):
        told, _, path = line.partition("\t")
        if told and told.split()[0] in _FILES:
            _, _, name, size = told.split()
            yield _Blob(PurePosixPath(path), name, int(size))


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
