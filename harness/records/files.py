"""Files that are either whole or absent, and locks between processes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder; on a clean exit it becomes `path`.

    The content is on disk before the name is, so a crash leaves the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _flush(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, in UTF-8."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def keep_from_git(folder: Path) -> None:
    """Make a folder that git takes no notice of, whatever it is called and wherever it lies.

    Outputs in a work tree would else pass for changed code, and their records for made by it.
    """
    if not (folder / ".gitignore").exists():
        write_text(folder / ".gitignore", "*\n")


def lock(path: Path) -> FileLock:
    """A lock between processes on `path`; a killed holder's lock is gone with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path.with_name(path.name + ".lock"))


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
