"""What a FLAC file says of itself: rate, sample size, and the MD5 of what it decodes to."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = b"fLaC"
STREAMINFO_BYTES = 34
LONGEST_METADATA = 1 << 26
"""Where no frame is found within so many bytes, the frames' rate is not looked at."""

FRAME_RATES = {
    1: 88_200,
    2: 176_400,
    3: 192_000,
    4: 8_000,
    5: 16_000,
    6: 22_050,
    7: 24_000,
    8: 32_000,
    9: 44_100,
    10: 48_000,
    11: 96_000,
}
"""Codes of common rates in a frame's header; other codes spell the rate elsewhere."""


@dataclass(frozen=True)
class FlacHeader:
    """The first block of a FLAC file, and what its first frame says against it.

    Attributes:
        rate: samples a second, as the first block says.
        frame_rate: as the first frame says; None where it does not tell.
        bits: of one sample.
        frames: samples of each channel; 0 where the encoder wrote to a pipe and did not know.
        md5: of all samples; None where the encoder did not write it.
    """

    rate: int
    frame_rate: int | None
    bits: int
    frames: int
    md5: bytes | None

    def agrees(self, samples: list[NDArray[np.int32]]) -> bool:
        """Whether decoded samples, in the upper bits of int32, are those that were encoded."""
        if self.md5 is None:
            return True
        hasher, width = hashlib.md5(usedforsecurity=False), (self.bits + 7) // 8
        for block in samples:
            whole = np.ascontiguousarray(block >> (32 - self.bits), dtype="<i4")
            hasher.update(whole.view(np.uint8).reshape(-1, 4)[:, :width].tobytes())
        return hasher.digest() == self.md5


def read_flac_header(file: BinaryIO) -> FlacHeader | None:
    """Read the header of an open file, whose position is set; None where it is not FLAC."""
    begin = after_id3(file)
    file.seek(begin)
    head = file.read(8 + STREAMINFO_BYTES)
    if len(head) < 8 + STREAMINFO_BYTES or head[:4] != MAGIC or head[4] & 0x7F:
        return None
    block = head[8:]
    facts = int.from_bytes(block[10:18], "big")
    md5 = block[18:34]
    rate, bits = facts >> 44, ((facts >> 36) & 0x1F) + 1
    frames = facts & ((1 << 36) - 1)
    return FlacHeader(rate, _frame_rate(file, begin), bits, frames, md5 if any(md5) else None)


def after_id3(file: BinaryIO) -> int:
    """The place where the sound of a file begins: some programs put an ID3 tag first."""
    file.seek(0)
    tag = file.read(10)
    if len(tag) < 10 or tag[:3] != b"ID3":
        return 0
    size = 0
    for byte in tag[6:]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _frame_rate(file: BinaryIO, begin: int) -> int | None:
    place, last, end = begin + len(MAGIC), False, file.seek(0, os.SEEK_END)
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
