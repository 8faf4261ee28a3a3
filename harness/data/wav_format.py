"""The coding of a WAV file's samples: its format chunk, and which of its fields is believed."""

from __future__ import annotations

import struct
from typing import NamedTuple

from harness.data.corpus import SAMPLE_RATE, DamagedItem
from harness.data.sound_headers import Order

INTEGERS, FLOATS, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE

SUBTYPES = {
    (INTEGERS, 1): "PCM_U8",
    (INTEGERS, 2): "PCM_16",
    (INTEGERS, 3): "PCM_24",
    (INTEGERS, 4): "PCM_32",
    (FLOATS, 4): "FLOAT",
    (FLOATS, 8): "DOUBLE",
    (A_LAW, 1): "ALAW",
    (MU_LAW, 1): "ULAW",
}
"""libsndfile's names, by format and bytes of one sample."""

COMMON_RATES = frozenset(
    {8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000}
    | {64_000, 88_200, 96_000, 176_400, 192_000}
)

MOST_RATE = (1 << 31) - 1
"""libsndfile takes no higher one."""

MEND = "where a player plays it right, `ffmpeg -i in.wav -c:a pcm_s16le out.wav` writes it anew"


class WavFormat(NamedTuple):
    """A format chunk whose fields agree as far as they are needed.

    Attributes:
        subtype: libsndfile's name of the coding.
        channels: how many.
        rate: samples a second.
        frame: bytes of one sample of all channels.
    """

    subtype: str
    channels: int
    rate: int
    frame: int


class _Fields(NamedTuple):
    """The numbers of a format chunk as they stand there."""

    kind: int
    channels: int
    rate: int
    a_second: int
    a_frame: int
    bits: int

    def __str__(self) -> str:
        return (
            f"{self.channels} channels of {self.bits} bits at {self.rate} Hz, {self.a_frame} bytes "
            f"a sample, {self.a_second:,} bytes a second (format {self.kind})"
        )


def read_format(content: bytes, order: Order) -> WavFormat | None:
    """Read a format chunk; None if the samples are compressed, which is left to libsndfile.

    Bytes a sample of all channels and bytes a second follow from the other fields. They decide
    nothing if they are wrong, and are compared with the others only to notice damage of these.

    Args:
        content: the chunk.
        order: of its bytes.

    Raises:
        DamagedItem: the chunk is too short, or its fields contradict each other.
    """
    fields = _read_fields(content, order)
    # 12 bits lie in the upper ones of 16.
    width = 1 if fields.kind in (A_LAW, MU_LAW) else (fields.bits + 7) // 8
    if (fields.kind, width) not in SUBTYPES:
        if fields.kind in (INTEGERS, FLOATS, A_LAW, MU_LAW) or _is_uncompressed(fields):
            raise contradiction(f"{fields} cannot be")
        return None
    frame = fields.channels * width
    unfilled = fields.a_frame == fields.a_second == 0
    believed = unfilled or fields.a_frame == frame or fields.a_second == fields.rate * frame
    if not (frame and believed):
        raise contradiction(f"{fields} contradict each other")
    _check_rate(fields, frame)
    return WavFormat(SUBTYPES[fields.kind, width], fields.channels, fields.rate, frame)


def contradiction(what: str) -> DamagedItem:
    """Return the error of a header that cannot be believed, with the mend."""
    return DamagedItem(f"has a damaged header: {what}; {MEND}")


def _read_fields(content: bytes, order: Order) -> _Fields:
    if len(content) < 16:
        raise contradiction("its format chunk is too short")
    sign = "<" if order == "little" else ">"
    fields = _Fields(*struct.unpack(f"{sign}HHIIHH", content[:16]))
    if fields.kind != EXTENSIBLE:
        return fields
    if len(content) >= 26:
        kind = int.from_bytes(content[24:26] if order == "little" else content[26:28], order)
    else:
        # 32 bits may be whole or floating-point numbers; all others are whole ones.
        kind = INTEGERS if fields.bits in (8, 16, 24) else EXTENSIBLE
    return fields._replace(kind=kind)


def _is_uncompressed(fields: _Fields) -> bool:
    """Return true if a format that is compressed by its number has the fields of whole numbers."""
    frame = fields.channels * fields.bits // 8
    expected = (frame, fields.rate * frame)
    return fields.bits in (8, 16, 24, 32) and (fields.a_frame, fields.a_second) == expected


def _check_rate(fields: _Fields, frame: int) -> None:
    """Refuse a rate that the bytes a second make doubtful.

    Writers compute these wrongly in many ways, so a common rate is believed against them. Only
    where they would be those of 16 kHz, the rate of most corpora, either may be the damaged one.
    """
    if fields.rate > MOST_RATE:
        raise contradiction(f"nobody records with {fields.rate} Hz")
    if fields.a_second in (0, fields.rate * frame):
        return
    other = fields.a_second / frame
    common = fields.rate in COMMON_RATES
    if fields.rate != SAMPLE_RATE and (other == SAMPLE_RATE or not common):
        raise contradiction(
            f"{fields.rate} Hz and {fields.a_second:,} bytes a second, which are those of "
            f"{other:g} Hz"
        )
