"""A path that a list names: below the corpus's folder, or refused."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from unicodedata import normalize

from harness.data.names import strip_name
from harness.errors import DataError


@dataclass(frozen=True)
class Root:
    """The folder that listed paths are held against.

    Attributes:
        folder: the corpus's folder.
        allow_outside: whether a path may leave it.
    """

    folder: Path
    allow_outside: bool = False

    def source(self, path: str, where: str) -> str:
        """A listed path as the source of an item, relative where it lies below the folder.

        Symbolic links are not looked at: where they lead is up to who made them.

        Args:
            path: relative to the folder, or absolute.
            where: file and line, for the error.

        Raises:
            DataError: the path is empty, or leaves the folder and may not.
        """
        relative = self._as_it_lies(self._shortened(path))
        if relative and (self.allow_outside or not _leaves(relative)):
            return relative
        mend = "`allow_outside = true` in the dataset's table lets it" if path else "it is empty"
        raise DataError(f"{where}: {path!r} leaves the corpus's folder; {mend}")

    def _shortened(self, path: str) -> str:
        for start in self._starts if os.path.isabs(path) else ():
            if path.startswith(start):
                return path[len(start) :].lstrip("/")
        return path

    def _as_it_lies(self, path: str) -> str:
        """The path as its file is spelled, where the list has other blanks or accents."""
        stripped = strip_name(path)
        if path.isascii() and path == stripped:
            return path
        spellings = (path, stripped, normalize("NFC", stripped), normalize("NFD", stripped))
        found = (each for each in spellings if os.path.exists(self.folder / each))
        return next(found, path) if stripped else ""

    @cached_property
    def _starts(self) -> tuple[str, ...]:
        return tuple(f"{folder}/" for folder in (self.folder.absolute(), self.folder.resolve()))


def _leaves(path: str) -> bool:
    return os.path.isabs(path) or ".." in path.split("/")
