"""Unpacking a corpus from the archives that it is published as."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from harness.datasets.archives.members import Contents, extract, look_through
from harness.datasets.archives.parts import check_md5, open_parts
from harness.datasets.packing.request import Tell, silent
from harness.datasets.packing.space import check_room, room_in, telling_full_disk
from harness.errors import DataError
from harness.records.files import lock


def unpack(
    parts: Sequence[Path], folder: Path, *, md5: str | None = None, tell: Tell = silent
) -> None:
    """Unpack an archive into a corpus's folder; all of it appears there, or nothing.

    What is there already is not unpacked again.

    Args:
        parts: the archive's files, in order.
        folder: the corpus's; it need not exist.
        md5: of the whole archive, where it is published.
        tell: told what a person who waits wants to know.

    Raises:
        DataError: the archive is absent, damaged or another one, holds what must not be written,
            or some of it is there already; or the disk has too little room.
    """
    for part in parts:
        if not part.is_file():
            raise DataError(f"{part}: no such archive")
    name = " + ".join(part.name for part in parts)
    if md5 is not None:
        tell(f"{name}: comparing with the published md5")
        check_md5(parts, md5)
    with lock(_beside(folder, "unpacking")), open_parts(parts) as file:
        _clear_leavings(folder)
        contents = look_through(file, name)
        if _is_there(contents, folder, name):
            tell(f"{name}: is unpacked already, in {folder}")
            return
        room = room_in(folder, contents.size)
        check_room(room, f"unpacking {name}")
        tell(f"{name}: unpacking into {folder}: {room}")
        _unpack(file, folder, name)


def _is_there(contents: Contents, folder: Path, name: str) -> bool:
    there = sorted(top for top in contents.top if (folder / top).exists())
    if there and len(there) < len(contents.top):
        raise DataError(
            f"{name}: {', '.join(there)} of it is in {folder} already, the rest is not; "
            "move that away to have the archive unpacked, or leave --archive out"
        )
    return bool(there)


def _unpack(file: IO[bytes], folder: Path, name: str) -> None:
    prefix = _beside(folder, "unpacking.").name
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=prefix))
    try:
        with telling_full_disk(folder.parent, lambda: "nothing of the archive is kept"):
            extract(file, temporary, name)
        temporary.chmod(0o755)
        temporary.replace(_beside(folder, "unpacked"))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    _take_over(folder)


def _clear_leavings(folder: Path) -> None:
    """End what a killed process had unpacked whole, and remove what it had not."""
    for leaving in folder.parent.glob(f"{_beside(folder, 'unpacking.').name}*"):
        if leaving.is_dir():
            shutil.rmtree(leaving)
    _take_over(folder)


def _take_over(folder: Path) -> None:
    unpacked = _beside(folder, "unpacked")
    if not unpacked.is_dir():
        return
    if not folder.exists():
        unpacked.replace(folder)
        return
    for entry in sorted(unpacked.iterdir()):
        entry.replace(folder / entry.name)
    unpacked.rmdir()


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f".{folder.name}.{what}")
