"""Archives that corpora are published as: their parts, checksum, contents and extraction.

The members of an archive are checked before anything is written, although `tarfile`'s `data`
filter guards the extraction too. The filter and `zipfile` would not refuse an absolute path or
`..` but rename the member; they check member by member while files are written already; and
neither gives the size and the names at the top, which must be known before.
"""

from __future__ import annotations

import errno
import hashlib
import io
import lzma
import posixpath
import re
import stat
import tarfile
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import IO, Any

from harness.errors import DataError

PART = re.compile(r"(?P<stem>.+?)[._-]?(part)?_?([a-z]{2}|\d{2,3})")
"""As `split` names parts: x.tar.gzaa, x.zip.001, x_partab."""

WHOLE = (".tar", ".gz", ".tgz", ".zip", ".bz2", ".xz")

FORMAT_ERRORS = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)

BROKEN = (*FORMAT_ERRORS, EOFError, OSError, RuntimeError, ValueError, OverflowError)
"""Errors that a damaged archive raises; a compression that is not known is a RuntimeError."""

BLOCK = 512
"""Bytes of a header in a tar archive; one of zeros ends it."""

READ_BYTES = 1 << 22

ENCRYPTED = 1

Member = tuple[str, int, str]
"""One entry of an archive: its name, its bytes, and the reason why it must not be written."""


def group_parts(paths: Sequence[Path]) -> list[list[Path]]:
    """Return archives, each as the list of its parts in their order.

    >>> [[path.name for path in group] for group in group_parts([Path("b.tgz"), Path("a.zipab"),
    ...     Path("a.zipaa")])]
    [['b.tgz'], ['a.zipaa', 'a.zipab']]
    """
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        match = None if path.suffix in WHOLE else PART.fullmatch(path.name)
        groups.setdefault(path.with_name(match["stem"]) if match else path, []).append(path)
    return [sorted(group) for group in groups.values()]


def check_md5(parts: Sequence[Path], md5: str) -> None:
    """Compare an archive with its published checksum.

    Raises:
        DataError: the checksum differs.
    """
    with open_parts(parts) as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != md5.lower():
        names = " + ".join(str(part) for part in parts)
        raise DataError(
            f"{names}: not the published archive\n"
            f"  published md5: {md5.lower()}\n  found:         {found}\n"
            "Fetch it again, with all its parts."
        )


def open_parts(parts: Sequence[Path]) -> io.BufferedReader:
    """Open several files as one."""
    return io.BufferedReader(_PartsReader(parts), READ_BYTES)


class _PartsReader(io.RawIOBase):
    """Reads several files end to end."""

    def __init__(self, parts: Sequence[Path]) -> None:
        super().__init__()
        self._files = [part.open("rb") for part in parts]
        self._begins = list(accumulate((part.stat().st_size for part in parts), initial=0))
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._begins[-1]}[whence]
        self._place = max(base + offset, 0)
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read from the part at the current place, up to its end."""
        part = bisect_right(self._begins, self._place) - 1
        if part >= len(self._files):
            return 0
        file = self._files[part]
        file.seek(self._place - self._begins[part])
        content = file.read(min(len(buffer), self._begins[part + 1] - self._place))
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)

    def close(self) -> None:
        for file in self._files:
            file.close()
        super().close()


def check_members(file: IO[bytes], name: str) -> tuple[frozenset[str], int]:
    """Read an archive to its end, writing nothing, and check every member.

    Args:
        file: the archive.
        name: of the archive, for a person.

    Returns:
        The names at its top, and the bytes of all its files.

    Raises:
        DataError: a member would be written elsewhere or is no file, or the archive is damaged.
    """
    top: set[str] = set()
    total = 0
    with _name_damage(name):
        for member, size, complaint in _members(file):
            if complaint:
                raise DataError(
                    f"{name}: {member!r} {complaint}; nothing was unpacked. "
                    "Fetch the archive from where the corpus is published."
                )
            top.update(PurePosixPath(member).parts[:1])
            total += size
    if not top:
        raise DataError(f"{name}: the archive is empty")
    return frozenset(top), total


def extract(file: IO[bytes], folder: Path, name: str) -> None:
    """Write all members of an archive that was checked below a folder.

    Raises:
        DataError: it is damaged.
    """
    with _name_damage(name):
        if _is_zip(file):
            with zipfile.ZipFile(file) as archive:
                archive.extractall(folder)
        else:
            with tarfile.open(fileobj=file, mode="r:*") as tar:
                tar.extractall(folder, filter="data")


def _is_zip(file: IO[bytes]) -> bool:
    file.seek(0)
    found = zipfile.is_zipfile(file)
    file.seek(0)
    return found


def _members(file: IO[bytes]) -> Iterator[Member]:
    if _is_zip(file):
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                yield info.filename, info.file_size, _zip_complaint(info)
        return
    with tarfile.open(fileobj=file, mode="r:*") as tar:
        for member in tar:
            yield member.name, member.size, _leaving(member.name) or _tar_complaint(member)
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


def _zip_complaint(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & ENCRYPTED:
        return "is encrypted"
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is neither a file nor a folder"
    return _leaving(member.filename.replace("\\", "/"))


def _leaving(path: str) -> str:
    """Return why a path would not stay below the folder; empty if it does."""
    if path.startswith("/") or path[1:2] == ":":
        return "has an absolute path"
    return "leaves the corpus's folder" if ".." in PurePosixPath(path).parts else ""


@contextmanager
def _name_damage(name: str) -> Iterator[None]:
    """Turn errors of a damaged archive into a message that names it; the disk's own are kept."""
    try:
        yield
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise DataError(f"{name}: cannot be unpacked ({error}); fetch it again") from error
