"""Names of the objects that a pickle would make, without making any."""

from __future__ import annotations

import io
import pickletools
import struct
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

PICKLE_BYTES, PICKLE_STEPS = 1 << 22, 500_000
"""Bytes and instructions of a pickle that are searched for the objects that it names."""

TORCH_MAGIC = 0x1950A86A20F9469CFC6C
"""The first number in a file of torch's format before 2020."""

PLAIN = frozenset(
    {"torch", "torch._utils", "torch._tensor", "torch.nn.parameter", "torch.storage"}
    | {"torch.serialization", "collections", "_codecs"}
)
"""Modules whose objects are tensors and the tables that hold them."""

BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError,
              ValueError, OverflowError, LookupError, StopIteration)  # fmt: skip
"""Errors of reading a damaged archive."""


def pickle_of_archive(path: Path) -> bytes:
    """Return the pickle of an archive that torch wrote; empty if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            with archive.open(name) as member:
                return member.read(PICKLE_BYTES)
    except BROKEN_ZIP:
        return b""


def _steps(content: bytes) -> Iterator[tuple[str, Any]]:
    """Yield the instructions of the pickles in a file, until one cannot be read."""
    file = io.BytesIO(content)
    try:
        while True:
            for code, argument, _ in pickletools.genops(file):
                yield code.name, argument
    except (ValueError, IndexError, OverflowError):  # damage, or the end
        return


def is_pickle(content: bytes) -> bool:
    """Return True if text is a pickle of the oldest protocol, which is text too."""
    names = [name for name, _ in islice(_steps(content), PICKLE_STEPS)]
    return len(names) > 1 and names[-1] == "STOP"


def object_names(content: bytes) -> Iterator[str]:
    """Yield full names of all that a pickle would call or make but tensors and plain tables."""
    seen: set[str] = set()
    texts: list[str] = ["", ""]
    memo: list[str] = []
    for code, argument in islice(_steps(content), PICKLE_STEPS):
        if code == "MEMOIZE":
            memo.append(texts[-1])
        elif code in ("BINGET", "LONG_BINGET"):
            texts = [texts[-1], memo[argument] if argument < len(memo) else "?"]
        elif code in ("GLOBAL", "INST", "STACK_GLOBAL"):
            module, name = argument.split(" ", 1) if argument else texts
            if module not in PLAIN and f"{module}.{name}" not in seen:
                seen.add(f"{module}.{name}")
                yield f"{module}.{name}"
        elif isinstance(argument, str):
            texts = [texts[-1], argument]


def is_old_torch_file(content: bytes) -> bool:
    """Return True if torch wrote a file in its format before 2020."""
    return TORCH_MAGIC in (number for _, number in islice(_steps(content), 8))
