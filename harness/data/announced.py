"""The end of the samples in AIFF, AU, CAF, Wave64 and SPHERE files by their own headers.

libsndfile reads what there is of a truncated one, and says nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import BinaryIO, Literal

from harness.data.corpus import DamagedItem

UNFILLED = 0x7FFF0000
"""A size from here on was never filled in."""

HEADER_BYTES = 1 << 16

_NIST_FIELD = re.compile(rb"^(sample_count|sample_n_bytes|channel_count) -i (\d+)", re.MULTILINE)


def check_whole(file: BinaryIO) -> None:
    """Refuse a file that ends before its samples do; formats that are not known here are borne.

    Args:
        file: open; its position is set.

    Raises:
        DamagedItem: samples are missing.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    reader = _READERS.get(file.read(4))
    end = reader(file) if reader else None
    if end is not None and size < end < UNFILLED:
        raise DamagedItem(
            f"is truncated: {end - size:,} of the {end:,} bytes that it announces are missing"
        )


def _aiff(file: BinaryIO) -> int | None:
    place = 12
    while head := _at(file, place, 8):
        length = int.from_bytes(head[4:], "big")
        if head[:4] == b"SSND":
            return place + 8 + length
        place += 8 + length + length % 2
    return None


def _au(file: BinaryIO) -> int | None:
    head = _at(file, 0, 12)
    order: Literal["big", "little"] = "big" if head[:4] == b".snd" else "little"
    begin, length = (int.from_bytes(head[place : place + 4], order) for place in (4, 8))
    return begin + length


def _caf(file: BinaryIO) -> int | None:
    place = 8
    while head := _at(file, place, 12):
        length = int.from_bytes(head[4:], "big")
        if head[:4] == b"data" or length >= UNFILLED:
            return place + 12 + length
        place += 12 + length
    return None


def _wave64(file: BinaryIO) -> int | None:
    """Lengths count the 24 bytes of a chunk's head; chunks begin at multiples of 8."""
    place = 40
    while head := _at(file, place, 24):
        length = int.from_bytes(head[16:], "little")
        if head[:4] == b"data" or length < 24:
            return place + length
        place += length + -length % 8
    return None


def _nist(file: BinaryIO) -> int | None:
    head = _at(file, 0, 16).split()
    begin = int(head[1]) if len(head) > 1 and head[1].isdigit() else 1024
    found = dict(_NIST_FIELD.findall(_at(file, 0, min(begin, HEADER_BYTES))))
    samples, width, channels = (
        int(found.get(name, 1)) for name in (b"sample_count", b"sample_n_bytes", b"channel_count")
    )
    return begin + samples * width * channels


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    """Bytes at a place; none where the file ends before the last of them."""
    if place >= UNFILLED:
        return b""
    file.seek(place)
    content = file.read(count)
    return content if len(content) == count or place == 0 else b""


_READERS: dict[bytes, Callable[[BinaryIO], int | None]] = {
    b"FORM": _aiff,
    b".snd": _au,
    b"dns.": _au,
    b"caff": _caf,
    b"riff": _wave64,
    b"NIST": _nist,
}
