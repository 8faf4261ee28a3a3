"""WAV files: whole but odd ones are read right, damaged ones are reported."""

import random
import struct
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest

from harness.data.audio import read_audio
from harness.data.corpus import DamagedItem, item_notes

SAMPLES = np.rint(np.random.default_rng(0).normal(scale=3000, size=500)).astype("<i2")
PCM = SAMPLES.tobytes()
UNKNOWN = 0xFFFFFFFF


def chunk(name, content, size=None, pad=True):
    length = struct.pack("<I", len(content) if size is None else size)
    return name + length + content + bytes(len(content) % 2 if pad else 0)


def riff(*chunks, size=None, form=b"RIFF", behind=b""):
    body = b"WAVE" + b"".join(chunks)
    return form + struct.pack("<I", len(body) if size is None else size) + body + behind


def fmt(rate=16_000, bits=16, kind=1, *, a_second=None, a_frame=None, further=b"", channels=1):
    frame = channels * ((bits + 7) // 8)
    a_second, a_frame = (
        true if said is None else said
        for said, true in ((a_second, rate * frame), (a_frame, frame))
    )
    fields = struct.pack("<HHIIHH", kind, channels, rate, a_second, a_frame, bits)
    return chunk(b"fmt ", fields + further)


def extension(kind, valid=16):
    rest = bytes.fromhex("000000001000800000aa00389b71")
    return struct.pack("<HHIH", 22, valid, 4, kind) + rest


def rf64(form, data_size):
    """A file whose size stands in another chunk; it is followed by one, too."""
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, data_size, len(SAMPLES), 0))
    behind = chunk(b"axml", b"<a/>") if data_size == len(PCM) else b""
    return riff(sizes, FMT, chunk(b"data", PCM, UNKNOWN), behind, size=UNKNOWN, form=form)


def big_endian():
    fields = struct.pack(">HHIIHH", 1, 1, 16_000, 32_000, 2, 16)
    swapped = SAMPLES.astype(">i2").tobytes()
    parts = b"fmt ", struct.pack(">I", 16), fields, b"data", struct.pack(">I", len(PCM)), swapped
    body = b"WAVE" + b"".join(parts)
    return b"RIFX" + struct.pack(">I", len(body)) + body


FMT, DATA = fmt(), chunk(b"data", PCM)
INFO = b"INFOISFT\x05\0\0\0abcde"
WHOLE = riff(FMT, DATA)

ODD = {
    "nothing odd": WHOLE,
    "a chunk's name is not ASCII": riff(FMT, DATA, chunk(b"\xa9day", b"2020")),
    "no letter of a chunk's name is": riff(FMT, DATA, chunk(b"\xff\xfe\x80\x81", b"abc")),
    "such a chunk, then a common one": riff(
        FMT, DATA, chunk(b"\xff\xfe\x80\x81", b"abcd"), chunk(b"LIST", INFO)
    ),
    "such a chunk first": riff(chunk(b"\xa9abc", b"x\0yz"), FMT, DATA),
    "ID3v1 inside": riff(FMT, DATA + b"TAG" + bytes(125)),
    "ID3v1 behind": riff(FMT, DATA, behind=b"TAG" + bytes(125)),
    "ID3v2 inside": riff(FMT, DATA + b"ID3\x03\0\0\0\0\0\x20" + b"x" * 32),
    "ID3v2 in a chunk": riff(FMT, DATA, chunk(b"id3 ", b"ID3\x03" + b"x" * 9)),
    "ID3v2 before all": b"ID3\x03\0\0\0\0\0\x20" + bytes(32) + WHOLE,
    "APEv2": riff(FMT, DATA + b"APETAGEX" + b"x" * 40),
    "zeros inside": riff(FMT, DATA + bytes(85)),
    "zeros behind": riff(FMT, DATA, behind=bytes(4096)),
    "zeros between": riff(FMT, bytes(26), DATA),
    "LIST before": riff(FMT, chunk(b"LIST", INFO), DATA),
    "LIST before, no padding": riff(FMT, chunk(b"LIST", INFO, pad=False), DATA),
    "LIST behind, cut off": riff(FMT, DATA, chunk(b"LIST", b"INFO", size=400)),
    "a chunk's name and no more": riff(FMT, DATA, b"LIST\x04"),
    "data first": riff(DATA, FMT),
    "room for more": riff(chunk(b"JUNK", bytes(28)), FMT, chunk(b"FLLR", bytes(4044)), DATA),
    "half the bytes a second": riff(fmt(a_second=16_000), DATA),
    "no bytes a second": riff(fmt(a_second=0), DATA),
    "bits a second": riff(fmt(a_second=256_000), DATA),
    "any bytes a second": riff(fmt(a_second=123_456), DATA),
    "no bytes a sample": riff(fmt(a_frame=0), DATA),
    "neither": riff(fmt(a_frame=0, a_second=0), DATA),
    "wrong bytes a sample": riff(fmt(a_frame=1), DATA),
    "12 bits in 16": riff(fmt(bits=12), DATA),
    "extensible": riff(fmt(kind=0xFFFE, further=extension(1)), DATA),
    "extensible, not extended": riff(fmt(kind=0xFFFE, further=bytes(2)), DATA),
    "size 0, a header without samples": riff(FMT, chunk(b"data", PCM, size=0), size=36),
    "size 0, all unknown": riff(FMT, chunk(b"data", PCM, size=0), size=0),
    "size 0, the whole is known": riff(FMT, chunk(b"data", PCM, size=0)),
    "as ffmpeg writes to a pipe": riff(
        FMT, chunk(b"LIST", INFO), chunk(b"data", PCM, size=UNKNOWN), size=UNKNOWN
    ),
    "as SoX writes to a pipe": riff(
        FMT, chunk(b"data", PCM, size=0x7FFFF000), size=0x7FFFF024
    ),
    "as arecord begins": riff(FMT, chunk(b"data", PCM, size=0x80000000), size=0x80000024),
    "most less the header": riff(FMT, chunk(b"data", PCM, size=UNKNOWN - 36), size=UNKNOWN),
    "stopped within a sample": riff(FMT, b"data", b"\xff" * 4, PCM, b"\x07", size=UNKNOWN),
    "the whole is 0": riff(FMT, DATA, size=0),
    "the whole is too small": riff(FMT, DATA, size=10),
    "the whole is too large": riff(FMT, DATA, size=10**7),
    "the header is counted": riff(FMT, chunk(b"data", PCM, size=len(PCM) + 44)),
    "RF64": rf64(b"RF64", len(PCM)),
    "RF64 to a pipe": rf64(b"RF64", 0),
    "RF64, unknown": rf64(b"RF64", (1 << 64) - 1),
    "BW64": rf64(b"BW64", len(PCM)),
    "RIFX": big_endian(),
}  # fmt: skip


@pytest.mark.parametrize("convert", [False, True])
@pytest.mark.parametrize("oddity", ODD)
def test_what_is_whole_but_odd_is_read_right(oddity, convert):
    with item_notes() as notes:
        read = read_audio(BytesIO(ODD[oddity]), convert=convert)
    np.testing.assert_array_equal(read, SAMPLES)
    assert notes == []


def test_a_file_is_read_as_open_content_is(tmp_path):
    path = tmp_path / "sound.wav"
    path.write_bytes(ODD["zeros between"])
    np.testing.assert_array_equal(read_audio(path), SAMPLES)
    np.testing.assert_array_equal(read_audio(path, span=(0.01, 0.02)), SAMPLES[160:320])


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("behind", [b"", chunk(b"LIST", INFO), b"TAG" + bytes(125)])
@pytest.mark.parametrize("bits", [8, 24])
def test_an_odd_number_of_bytes(bits, behind, padded):
    width, odd = bits // 8, SAMPLES[:333]
    wide = np.left_shift(odd.astype("<i4"), 16)  # the sample in the upper two of four bytes
    if bits == 8:
        content, expected = ((odd >> 8) + 128).astype(np.uint8).tobytes(), odd >> 8 << 8
    else:
        content, expected = wide.view(np.uint8).reshape(-1, 4)[:, 1:].tobytes(), odd
    assert len(content) == 333 * width
    file = riff(fmt(bits=bits), chunk(b"data", content, pad=padded), behind)
    np.testing.assert_array_equal(read_audio(BytesIO(file)), expected)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_a_common_rate_is_believed_against_the_bytes_a_second(rate):
    right = read_audio(BytesIO(riff(fmt(rate), DATA)), convert=True)
    for a_second in (0, rate, 16 * rate):
        odd = riff(fmt(rate, a_second=a_second), DATA)
        np.testing.assert_array_equal(read_audio(BytesIO(odd), convert=True), right)


def test_what_lies_behind_the_file_by_its_own_header_is_noted():
    with item_notes() as notes:
        read = read_audio(BytesIO(riff(FMT, DATA, behind=b"\xff\x12garbage")))
    np.testing.assert_array_equal(read, SAMPLES)
    assert notes == ["9 bytes behind its end are not read"]


DAMAGED = {
    "is truncated": WHOLE[:700],
    "is truncated: 2,999,999,000 of": riff(FMT, chunk(b"data", PCM, size=3 * 10**9)),
    "no chunk with its samples": WHOLE[:40],
    "no chunk with its format": riff(DATA),
    "500 bytes follow its 500 bytes of samples": riff(FMT, chunk(b"data", PCM, size=500)),
    "those of 16000 Hz": riff(fmt(32_000, a_second=32_000), DATA),
    "2 channels of 16 bits": riff(fmt(channels=2, a_frame=2, a_second=32_000), DATA),
    "its format chunk is too short": riff(chunk(b"fmt ", bytes(8)), DATA),
    "format 3": riff(fmt(kind=3), DATA),
    "format 85": riff(fmt(kind=85), DATA),
    "holds no samples": riff(FMT, chunk(b"data", b""), chunk(b"LIST", INFO)),
}


@pytest.mark.parametrize("message", DAMAGED)
def test_what_cannot_be_believed_is_reported(message):
    with pytest.raises(DamagedItem, match=message):
        read_audio(BytesIO(DAMAGED[message]), convert=True)


def test_a_contradiction_tells_the_mend():
    with pytest.raises(DamagedItem, match=r"`ffmpeg -i in\.wav .*` writes it anew"):
        read_audio(BytesIO(riff(FMT, chunk(b"data", PCM, size=500))))


@pytest.mark.parametrize("form", [b"RF64", b"BW64"])
def test_a_truncated_file_of_any_form(form):
    with pytest.raises(DamagedItem, match="is truncated: "):
        read_audio(BytesIO(rf64(form, len(PCM))[:600]))


def test_every_flipped_bit_of_a_header_is_reported_or_decides_nothing():
    read = 0
    for place in range(44):
        for bit in range(8):
            spoilt = bytearray(WHOLE)
            spoilt[place] ^= 1 << bit
            try:
                found = read_audio(BytesIO(spoilt), convert=True)
            except DamagedItem:
                continue
            np.testing.assert_array_equal(found, SAMPLES, err_msg=f"bit {bit} of byte {place}")
            read += 1
    assert read > 8 * 6, "neither the size of the whole nor the bytes a second decide anything"


def test_every_cut_is_reported():
    for length in range(len(WHOLE)):
        with pytest.raises(DamagedItem):
            read_audio(BytesIO(WHOLE[:length]), convert=True)


def test_spoilt_odd_files_are_read_or_reported():
    """Any other error than ours would end a whole corpus."""
    dice = random.Random(0)
    files = list(ODD.values())
    for number in range(600):
        spoilt = bytearray(files[number % len(files)])
        for _ in range(dice.choice([1, 3, 30])):
            spoilt[dice.randrange(min(100, len(spoilt)))] = dice.choice(
                [0, 255, dice.randrange(256)]
            )
        with suppress(DamagedItem):
            assert read_audio(BytesIO(spoilt), convert=True).dtype == np.int16
