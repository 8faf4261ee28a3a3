"""The place of the samples in a WAV file, including one that is whole but odd."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from harness.data.corpus import DamagedItem
from harness.data.sound_headers import Order, after_id3
from harness.data.wav_format import WavFormat, contradiction, read_format

FORMS: dict[bytes, Order] = {
    b"RIFF": "little", b"RIFX": "big", b"RF64": "little", b"BW64": "little",
}  # fmt: skip

KNOWN = frozenset(
    b"fmt |data|fact|LIST|JUNK|junk|PAD |FLLR|bext|iXML|axml|chna|_PMX|cart|PEAK|cue |plst|smpl|"
    b"inst|acid|strc|labl|note|DISP|levl|umid|link|elm1|minf|regn|AFAn|LGWV|id3 |ID3 |ds64".split(
        b"|"
    )
)
"""Names of chunks that programs write."""

TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")
"""Beginnings of tags that programs put behind a file, of whatever format it is."""

UNFILLED_SIZES = (range(0x7FFF0000, 0x80010000), range(0xFFFF0000, 1 << 32))
"""Sizes that a program writes while it does not know the right one; so is 0."""

UNFILLED_64 = 1 << 62
"""The same in files of more than 4 GB."""

SCANNED = 1 << 16


class _Chunk(NamedTuple):
    name: bytes
    place: int
    length: int

    @property
    def end(self) -> int:
        return self.place + self.length

    @property
    def even_end(self) -> int:
        """The end with the byte that makes the length even."""
        return self.end + self.length % 2


@dataclass(frozen=True)
class WavSound:
    """The samples of a WAV file.

    Attributes:
        format: how they are coded.
        order: of the bytes of one.
        place: of the first byte.
        length: in bytes, a whole number of frames.
        unread: bytes behind them that are no part of the file by its own header.
    """

    format: WavFormat
    order: Order
    place: int
    length: int
    unread: int


class SamplesOnly:
    """The samples of an open WAV file as a file of its own without a header, for libsndfile."""

    def __init__(self, content: BinaryIO, sound: WavSound) -> None:
        """Give the samples of `content`, which stays open."""
        self._content, self._sound, self._at = content, sound, 0

    def tell(self) -> int:
        """Return the position in bytes from the first sample."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte, counted from the first sample."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._sound.length}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer, and return the number of bytes read."""
        wanted = max(0, min(len(buffer), self._sound.length - self._at))
        self._content.seek(self._sound.place + self._at)
        content = self._content.read(wanted)
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


def read_wav_header(file: BinaryIO) -> WavSound | None:
    """Find the samples of a WAV file; None if it is none, or its samples are compressed.

    The bytes after the samples, and the size of the whole, decide nothing if they are wrong; a
    size that was never filled in is that of the bytes that are there.

    Args:
        file: open; its position is set.

    Raises:
        DamagedItem: samples are missing, or the header contradicts itself.
    """
    size, begin = file.seek(0, os.SEEK_END), after_id3(file)
    file.seek(begin)
    head = file.read(12)
    if head[:4] not in FORMS or head[8:] != b"WAVE":
        return None
    return _Wav(file, begin, size, FORMS[head[:4]]).sound()


class _Wav:
    """An open WAV file.

    Attributes:
        begin: of the file behind tags.
        size: of the whole file.
        announced: the end of the file by its own header; None if that was not filled in.
    """

    def __init__(self, file: BinaryIO, begin: int, size: int, order: Order) -> None:
        self.file, self.begin, self.size, self.order = file, begin, size, order
        length = self.number(begin + 4)
        self.announced = None if _is_unfilled(length) else begin + 8 + length

    def sound(self) -> WavSound | None:
        fmt, data = self._format_and_data()
        coded = read_format(self.bytes_at(fmt.place, min(fmt.length, 40)), self.order)
        length = self._samples_length(data, coded.frame if coded else 1)
        if coded is None:
            return None
        unread = 0 if data.length != length or self.explains(data) else self.size - data.end
        return WavSound(coded, self.order, data.place, length, unread)

    def bytes_at(self, place: int, count: int) -> bytes:
        self.file.seek(place)
        return self.file.read(count)

    def number(self, place: int, count: int = 4) -> int:
        return int.from_bytes(self.bytes_at(place, count), self.order)

    def chunk(self, place: int) -> _Chunk:
        return _Chunk(self.bytes_at(place, 4), place + 8, self.number(place + 4))

    def is_known(self, place: int) -> bool:
        """Return true if the name of a known chunk stands at a place."""
        return self.bytes_at(place, 4) in KNOWN

    def chunks(self) -> Iterator[_Chunk]:
        """Yield chunk by chunk, over zeros between them, as far as they follow one another."""
        place = self.after_zeros(self.begin + 12)
        while place + 8 <= self.size:
            chunk = self.chunk(place)
            yield chunk
            place = self.after_zeros(self._next(chunk))

    def after_zeros(self, place: int) -> int:
        """Return the first byte from a place on that is not 0; no name of a chunk begins with 0."""
        while block := self.bytes_at(place, SCANNED):
            if rest := block.lstrip(b"\0"):
                return place + len(block) - len(rest)
            place += len(block)
        return place

    def explains(self, data: _Chunk) -> bool:
        """Return true if all that follows the samples is padding, tags or chunks."""
        if data.end >= self.size:
            return True
        return any(self._is_tail(end) for end in {data.end, data.even_end})

    def _format_and_data(self) -> tuple[_Chunk, _Chunk]:
        found: dict[bytes, _Chunk] = {}
        for chunk in self.chunks():
            found.setdefault(chunk.name, chunk)
            if b"fmt " in found and b"data" in found:
                break
        else:
            missing = "samples" if b"fmt " in found else "format"
            raise contradiction(f"no chunk with its {missing} is found")
        data, sizes = found[b"data"], found.get(b"ds64")
        if sizes is not None and data.length == 0xFFFFFFFF:
            # A file of more than 4 GB has the length elsewhere.
            length = self.number(sizes.place + 8, 8)
            data = data._replace(length=0 if length >= UNFILLED_64 else length)
        return found[b"fmt "], data

    def _next(self, chunk: _Chunk) -> int:
        """Return the next chunk's place; some writers forget the byte that evens a length."""
        if self.is_known(chunk.end) and not self.is_known(chunk.even_end):
            return chunk.end
        return chunk.even_end

    def _samples_length(self, data: _Chunk, frame: int) -> int:
        """Return the bytes of samples, in whole frames."""
        room = max(0, self.size - data.place)
        promised, there = data.length // frame, room // frame
        if data.length == 0:
            return 0 if self.explains(data) else there * frame
        if promised <= there:
            self._check_rest(data, frame)
            return promised * frame
        # Some programs write the length of the whole file, which is all there.
        whole = self.announced == self.size and data.length <= self.size - self.begin
        if _is_unfilled(data.length) or whole:
            return there * frame
        raise DamagedItem(
            f"is truncated: {data.length - room:,} of {data.length:,} bytes are missing"
        )

    def _check_rest(self, data: _Chunk, frame: int) -> None:
        """Refuse bytes after the samples if they may be samples, too."""
        rest = self.size - data.end
        if rest <= 0 or self.announced in (data.end, data.even_end):
            return
        if data.length % frame or not self.explains(data):
            raise contradiction(
                f"{rest:,} bytes follow its {data.length:,} bytes of samples, and are neither "
                "chunks nor a tag"
            )

    def _is_tail(self, place: int) -> bool:
        """Return true if nothing but padding, tags and chunks follows."""
        while True:
            place = self.after_zeros(place)
            rest = self.size - place
            if rest <= 0 or self.bytes_at(place, 12).startswith(TAGS):
                return True
            if rest < 8:
                return self.is_known(place)
            chunk = self.chunk(place)
            if chunk.end >= self.size:
                return chunk.name in KNOWN or chunk.end in (self.size, self.size + 1)
            place = self._next(chunk)
            # At least three of a name's four characters are ASCII, or a known chunk follows.
            printable = sum(0x20 <= byte < 0x7F for byte in chunk.name) >= 3
            if not (printable or place >= self.size or self.is_known(place)):
                return False


def _is_unfilled(length: int) -> bool:
    return length == 0 or any(length in sizes for sizes in UNFILLED_SIZES)
