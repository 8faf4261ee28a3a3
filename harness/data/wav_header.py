"""What a WAV file says of itself, where a decoder takes a damaged header at its word."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

OPEN_END = 0x7FFF0000
"""A program that writes to a pipe does not know the size yet, and writes one of these or 0."""

BITS = {1: (8, 16, 24, 32), 3: (32, 64), 6: (8,), 7: (8,), 0xFFFE: (8, 16, 24, 32, 64)}
"""Formats whose sizes can be computed, with those of a sample: integers, floating-point numbers,
A-law, mu-law, and the extensible one, which names any of them elsewhere."""


def wav_complaint(file: BinaryIO) -> str:
    """Tell what is wrong with a WAV file's header; empty where nothing is, or it is no WAV.

    Chunks have to follow one another to the end of the file, and the data to be all there; the
    bytes a second have to be those of the rate, the channels and the size of a sample.
    """
    file.seek(0)
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return ""
    announced = int.from_bytes(head[4:8], "little")
    size = file.seek(0, os.SEEK_END)
    end = min(size, 8 + announced) if 0 < announced < OPEN_END else size
    a_frame = 1
    for name, place, length in _chunks(file, end):
        if name == b"data" and (length == 0 or length >= OPEN_END):
            return ""
        complaint = _chunk_complaint(name, place, length, size)
        if name == b"fmt " and not complaint:
            a_frame, complaint = _format(file, place, length)
        if name == b"data" and length % a_frame:
            complaint = complaint or f"has a damaged header: {length:,} bytes are no whole samples"
        if complaint:
            return complaint
    return ""


def _chunks(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of each chunk; one odd byte at the end is padding."""
    place = 12
    while place + 1 < end:
        file.seek(place)
        name, length = struct.unpack("<4sI", file.read(8).ljust(8, b"\0"))
        yield name, place + 8, length
        place += 8 + length + length % 2


def _chunk_complaint(name: bytes, place: int, length: int, size: int) -> str:
    if not name.isascii() or not name.decode("ascii").isprintable():
        return f"has a damaged header: no chunk begins at byte {place - 8:,}"
    if place + length > size:
        missing = place + length - size
        return f"is truncated: {missing:,} of {length:,} bytes are missing"
    return ""


def _format(file: BinaryIO, place: int, length: int) -> tuple[int, str]:
    """Bytes of one sample of all channels (1 where it cannot be told), and what is wrong."""
    file.seek(place)
    content = file.read(min(length, 16))
    if len(content) < 16:
        return 1, "has a damaged header: its format chunk is too short"
    kind, channels, rate, a_second, a_frame, bits = struct.unpack("<HHIIHH", content)
    if kind not in BITS:
        return 1, ""
    right = bits in BITS[kind] and a_frame == channels * bits // 8 and a_second == rate * a_frame
    if not right or not a_frame:
        said = f"{channels} channels of {bits} bits at {rate} Hz, {a_second:,} bytes a second"
        return 1, f"has a damaged header: {said} (format {kind}) cannot be"
    return a_frame, ""
