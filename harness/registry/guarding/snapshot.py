"""Every file as a git revision has it, read without touching the work tree."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

from harness.board.git_tree import git, top_of
from harness.errors import RequestError

LITERAL = "--literal-pathspecs"
"""No letter of a path means anything but itself."""


class Snapshot:
    """A revision of the work tree that a folder lies in.

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
        """Every file that it has below a folder, by the path below that; links are left out.

        Raises:
            RequestError: the folder lies outside the work tree.
        """
        place = self._place(folder)
        if not self._has(place):
            return {}
        packed = git(self.top, LITERAL, "archive", "--format=tar", self.commit, "--", place)
        files = {}
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    files[Path(member.name).relative_to(place).as_posix()] = content.read()
        return files

    def file(self, path: Path) -> bytes | None:
        """The content of one file; None where it has none there.

        Raises:
            RequestError: the file lies outside the work tree.
        """
        place = self._place(path)
        if not self._has(place):
            return None
        return git(self.top, "cat-file", "blob", f"{self.commit}:{place}")

    def _has(self, place: str) -> bool:
        listed = git(self.top, LITERAL, "ls-tree", "--full-tree", self.commit, "--", place)
        return bool(listed)

    def _place(self, path: Path) -> str:
        """The path as git spells it, from the top of the work tree."""
        resolved, top = path.resolve(), self.top.resolve()
        if not resolved.is_relative_to(top):
            raise RequestError(f"{path}: outside the git work tree {self.top}")
        return resolved.relative_to(top).as_posix()
