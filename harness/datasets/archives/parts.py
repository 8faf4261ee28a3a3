"""Archives that come in several parts, read as the one file that they are parts of."""

from __future__ import annotations

import hashlib
import io
import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO

from harness.errors import DataError

PART = re.compile(r"(?P<stem>.+?)[._-]?(part)?_?([a-z]{2}|\d{2,3})")
"""As `split` names parts: x.tar.gzaa, x.zip.001, x_partab."""

WHOLE = (".tar", ".gz", ".tgz", ".zip", ".bz2", ".xz")

READ_BYTES = 1 << 22


def grouped(paths: Sequence[Path]) -> list[list[Path]]:
    """Archives, each as its parts in their order.

    >>> [[path.name for path in group] for group in grouped([Path("b.tgz"), Path("a.zipab"),
    ...     Path("a.zipaa")])]
    [['b.tgz'], ['a.zipaa', 'a.zipab']]
    """
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        match = None if path.suffix in WHOLE else PART.fullmatch(path.name)
        groups.setdefault(path.with_name(match["stem"]) if match else path, []).append(path)
    return [sorted(group) for group in groups.values()]


def check_md5(parts: Sequence[Path], md5: str) -> None:
    """Hold an archive against its published checksum.

    Raises:
        DataError: it is another one.
    """
    hasher = hashlib.md5(usedforsecurity=False)
    with open_parts(parts) as file:
        while content := file.read(READ_BYTES):
            hasher.update(content)
    if hasher.hexdigest() != md5.lower():
        names = " + ".join(str(part) for part in parts)
        raise DataError(
            f"{names}: not the published archive\n"
            f"  published md5: {md5.lower()}\n  found:         {hasher.hexdigest()}\n"
            "Fetch it again, with all its parts."
        )


def open_parts(parts: Sequence[Path]) -> BinaryIO:
    """Open several files as one."""
    return io.BufferedReader(_Joined(parts), READ_BYTES)


class _Joined(io.RawIOBase):
    """Several files end to end, for reading."""

    def __init__(self, parts: Sequence[Path]) -> None:
        super().__init__()
        self._files = [part.open("rb") for part in parts]
        sizes = [part.stat().st_size for part in parts]
        self._begins = list(accumulate(sizes, initial=0))
        self._place = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._begins[-1]}[whence]
        self._place = max(base + offset, 0)
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read from the part at which it is."""
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
        """Close all parts."""
        for file in self._files:
            file.close()
        super().close()
