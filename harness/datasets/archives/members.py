"""What an archive holds, looked through before anything of it is written."""

from __future__ import annotations

import errno
import lzma
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from harness.errors import DataError

BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    OverflowError,
)
"""What reading a damaged archive raises; a compression that is not known is a RuntimeError."""

BLOCK = 512
"""Bytes of a header in a tar archive; one of zeros ends it."""

READ_BYTES = 1 << 20

ENCRYPTED = 1


@dataclass(frozen=True)
class Contents:
    """What an archive holds: names at its top, and bytes of all its files."""

    top: frozenset[str]
    size: int


class _Member(NamedTuple):
    """One entry: its name, its bytes, and why it must not be written."""

    name: str
    size: int
    complaint: str


def look_through(file: IO[bytes], name: str) -> Contents:
    """Look at every member of an archive, writing nothing.

    Args:
        file: the archive.
        name: what it is called, for a person.

    Raises:
        DataError: a member would be written elsewhere or is no file, or the archive is damaged.
    """
    top: set[str] = set()
    size = 0
    for member in _members(file, name):
        if member.complaint:
            raise DataError(
                f"{name}: {member.name!r} {member.complaint}; nothing was unpacked. "
                "Fetch the archive from where the corpus is published."
            )
        top.update(PurePosixPath(member.name).parts[:1])
        size += member.size
    if not top:
        raise DataError(f"{name}: the archive is empty")
    return Contents(frozenset(top), size)


def extract(file: IO[bytes], folder: Path, name: str) -> None:
    """Write everything of an archive that was looked through below a folder.

    Raises:
        DataError: it is damaged.
    """
    with _telling(name):
        if _is_zip(file):
            with zipfile.ZipFile(file) as archive:
                archive.extractall(folder)
        else:
            with tarfile.open(fileobj=file, mode="r:*") as tar:
                tar.extractall(folder, filter="data")


def _members(file: IO[bytes], name: str) -> Iterator[_Member]:
    with _telling(name):
        yield from _zip_members(file) if _is_zip(file) else _tar_members(file)


def _is_zip(file: IO[bytes]) -> bool:
    file.seek(0)
    found = zipfile.is_zipfile(file)
    file.seek(0)
    return found


def _tar_members(file: IO[bytes]) -> Iterator[_Member]:
    with tarfile.open(fileobj=file, mode="r:*") as tar:
        for member in tar:
            complaint = _leaving(member.name) or _tar_complaint(member)
            yield _Member(member.name, member.size, complaint)
        # A list that is cut off between two members would pass for a shorter one.
        content: Any = tar.fileobj
        content.seek(tar.offset)
        if content.read(BLOCK) != bytes(BLOCK):
            raise tarfile.ReadError("it is cut off")
        while content.read(READ_BYTES):
            pass  # To the end, where a compressed archive has its checksum.


def _tar_complaint(member: tarfile.TarInfo) -> str:
    if member.isreg() or member.isdir():
        return ""
    if member.islnk():
        return _leaving(member.linkname)
    if member.issym():
        target = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
        return _leaving(target) and f"is a link to {member.linkname!r}, outside the corpus's folder"
    return "is neither a file nor a folder"


def _zip_members(file: IO[bytes]) -> Iterator[_Member]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            complaint = _leaving(member.filename.replace("\\", "/"))
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                complaint = "is neither a file nor a folder"
            if member.flag_bits & ENCRYPTED:
                complaint = "is encrypted"
            yield _Member(member.filename, member.file_size, complaint)


def _leaving(path: str) -> str:
    """Why a path would not stay below the folder; empty where it does."""
    if path.startswith("/") or path[1:2] == ":":
        return "has an absolute path"
    return "leaves the corpus's folder" if ".." in PurePosixPath(path).parts else ""


@contextmanager
def _telling(name: str) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # of the disk, not of the archive
        raise DataError(f"{name}: cannot be unpacked ({error}); fetch it again") from error
