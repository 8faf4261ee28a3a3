"""Headers of FLAC, AIFF, AU, CAF, Wave64 and SPHERE files, as far as they reveal damage.

libsndfile reads the rest of a truncated file without an error, and does not check the MD5 of FLAC.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from harness.data.corpus import DamagedItem

Order = Literal["little", "big"]
"""The order of the bytes of a number."""

UNFILLED = 0x7FFF0000
"""A size from here on was never filled in."""

HEADER_BYTES = 1 << 16

FLAC = b"fLaC"
STREAMINFO_BYTES = 34
LONGEST_METADATA = 1 << 26
"""If no frame is found within so many bytes, the frames' rate is not looked at."""

FRAME_RATES = dict(
    enumerate(
        (88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000),
        start=1,
    )
)
"""Codes of common rates in a frame's header; other codes spell the rate elsewhere."""

_NIST_FIELD = re.compile(rb"^(sample_count|sample_n_bytes|channel_count) -i (\d+)", re.MULTILINE)


def check_whole(file: BinaryIO) -> None:
    """Refuse a file that ends before its samples do; unknown formats pass.

    Args:
        file: open; its position is set.

    Raises:
        DamagedItem: samples are missing.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    find_end = _DATA_ENDS.get(file.read(4))
    end = find_end(file) if find_end else 0
    if size < end < UNFILLED:
        raise DamagedItem(
            f"is truncated: {end - size:,} of the {end:,} bytes that it announces are missing"
        )


def _chunk_end(
    file: BinaryIO, place: int, name: bytes, head: int, uncounted: int, order: Order, align: int
) -> int:
    """Return the end of the chunk of samples; 0 if there is none.

    Args:
        file: open.
        place: of the first chunk.
        name: how the name of the chunk of samples begins.
        head: bytes before a chunk's content, which end with its length.
        uncounted: bytes of the head that the length does not count.
        order: of the bytes of the length.
        align: chunks begin at multiples of so many bytes.
    """
    while found := _bytes_at(file, place, head):
        length = uncounted + int.from_bytes(found[16 if head == 24 else 4 :], order)
        if found[:4] == name or not head <= length < UNFILLED:
            return place + length
        place += length + -length % align
    return 0


def _au_end(file: BinaryIO) -> int:
    head = _bytes_at(file, 0, 12)
    order: Order = "big" if head[:4] == b".snd" else "little"
    return int.from_bytes(head[4:8], order) + int.from_bytes(head[8:12], order)


def _nist_end(file: BinaryIO) -> int:
    head = _bytes_at(file, 0, 16).split()
    begin = int(head[1]) if len(head) > 1 and head[1].isdigit() else 1024
    found = dict(_NIST_FIELD.findall(_bytes_at(file, 0, min(begin, HEADER_BYTES))))
    samples, width, channels = (
        int(found.get(name, 1)) for name in (b"sample_count", b"sample_n_bytes", b"channel_count")
    )
    return begin + samples * width * channels


def _bytes_at(file: BinaryIO, place: int, count: int) -> bytes:
    """Return the bytes at a place; none if the file ends before the last of them."""
    if place >= UNFILLED:
        return b""
    file.seek(place)
    content = file.read(count)
    return content if len(content) == count or place == 0 else b""


_DATA_ENDS: dict[bytes, Callable[[BinaryIO], int]] = {
    b"FORM": partial(_chunk_end, place=12, name=b"SSND", head=8, uncounted=8, order="big", align=2),
    b".snd": _au_end,
    b"dns.": _au_end,
    b"caff": partial(
        _chunk_end, place=8, name=b"data", head=12, uncounted=12, order="big", align=1
    ),
    b"riff": partial(
        _chunk_end, place=40, name=b"data", head=24, uncounted=0, order="little", align=8
    ),
    b"NIST": _nist_end,
}


@dataclass(frozen=True)
class FlacHeader:
    """The first block of a FLAC file, and the rate in its first frame.

    Attributes:
        rate: samples a second, as the first block says.
        frame_rate: as the first frame says; None if it does not say.
        bits: of one sample.
        frames: samples of each channel; 0 if the encoder wrote to a pipe and did not know.
        md5: of all samples; None if the encoder did not write it.
    """

    rate: int
    frame_rate: int | None
    bits: int
    frames: int
    md5: bytes | None

    def agrees(self, samples: list[NDArray[np.int32]]) -> bool:
        """Return true if decoded samples, in the upper bits of int32, have the header's MD5."""
        if self.md5 is None:
            return True
        hasher, width = hashlib.md5(usedforsecurity=False), (self.bits + 7) // 8
        for block in samples:
            whole = np.ascontiguousarray(block >> (32 - self.bits), dtype="<i4")
            hasher.update(whole.view(np.uint8).reshape(-1, 4)[:, :width].tobytes())
        return hasher.digest() == self.md5


def read_flac_header(file: BinaryIO) -> FlacHeader | None:
    """Read the header of an open file, whose position is set; None if it is not FLAC."""
    begin = after_id3(file)
    file.seek(begin)
    head = file.read(8 + STREAMINFO_BYTES)
    if len(head) < 8 + STREAMINFO_BYTES or head[:4] != FLAC or head[4] & 0x7F:
        return None
    facts, md5 = int.from_bytes(head[18:26], "big"), head[26:42]
    rate, bits, frames = facts >> 44, ((facts >> 36) & 0x1F) + 1, facts & ((1 << 36) - 1)
    return FlacHeader(rate, _frame_rate(file, begin), bits, frames, md5 if any(md5) else None)


def after_id3(file: BinaryIO) -> int:
    """Return the place at which the sound of a file begins: some programs put an ID3 tag first."""
    file.seek(0)
    tag = file.read(10)
    if len(tag) < 10 or tag[:3] != b"ID3":
        return 0
    size = 0
    for byte in tag[6:]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _frame_rate(file: BinaryIO, begin: int) -> int | None:
    place, last, end = begin + len(FLAC), False, file.seek(0, os.SEEK_END)
    while not last:
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or place - begin > LONGEST_METADATA:
            return None
        last = bool(head[0] & 0x80)
        place += 4 + int.from_bytes(head[1:], "big")
    file.seek(min(place, end))
    frame = file.read(4)
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xFC != 0xF8:
        return None
    return FRAME_RATES.get(frame[2] & 0x0F)
