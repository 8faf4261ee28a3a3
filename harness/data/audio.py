"""Reading a sound file as the corpora mean it: 16 kHz, mono, whole, not silent."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from math import gcd
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import soundfile
from numpy.typing import NDArray

from harness.data.announced import check_whole
from harness.data.corpus import SAMPLE_RATE, DamagedItem, ItemNote
from harness.data.flac_header import FlacHeader, read_flac_header
from harness.data.levels import FULL_SCALE, Levels, clipped
from harness.data.wav_header import SamplesOnly, WavSound, read_wav_header

DURATION_TOLERANCE_S = 0.02

FLOATS = frozenset({"FLOAT", "DOUBLE"})

WIDE = FLOATS | {"PCM_24", "PCM_32"}
"""What holds more than 16 bits may hold numbers of 16 bits in the wrong place."""

LOSSY = {
    "VORBIS": 32767,
    "OPUS": 32767,
    "MPEG_LAYER_I": 32768,
    "MPEG_LAYER_II": 32768,
    "MPEG_LAYER_III": 32768,
}
"""Codecs that decode to floating-point numbers -> what libsndfile multiplies them with for int16;
it does so without a look at those above full scale, and turns loud into loud of the other sign."""

BLOCK = 1 << 22
"""Numbers decoded at a time: a header that announces more than there is costs no memory."""

RATES = range(1_000, 400_000)
"""Samples a second that anybody records with; a header with others lies."""

Span = tuple[float, float | None]
"""Begin and end of a part of a recording in seconds; the end may be that of the recording."""


def read_audio(
    source: Path | BinaryIO,
    seconds: float | None = None,
    *,
    convert: bool = False,
    span: Span | None = None,
) -> NDArray[np.int16]:
    """Decode one file to int16 `[samples]` at 16 kHz.

    Args:
        source: the file, or its open content.
        seconds: what the list says it lasts; None where the list is silent.
        convert: take files of other rates and of several channels, too: resampled in float64,
            the mean of the channels.
        span: read this part alone.

    Raises:
        DamagedItem: absent, empty, not audio, truncated, not what its own header or checksum
            says, not finite, on another scale, all zero; not mono or not 16 kHz, where it is not
            to be converted.
    """
    with _sound(source) as sound:
        if sound.converted and not convert:
            sound.refuse()
        samples = _samples(sound, span)
    _check_content(samples, seconds)
    return samples


def read_channels(source: Path) -> tuple[NDArray[np.float64], int]:
    """Decode one file as it is: `[frames, channels]`, on the scale of int16 or any other.

    Returns:
        The samples and their rate.

    Raises:
        DamagedItem: absent, empty, not audio, truncated, not what its own header or checksum
            says, not finite.
    """
    with _sound(source) as sound:
        sound.as_floats = True
        blocks = _decoded(sound, None)
        if sound.file.subtype in FLOATS or sound.lossy:
            _counted(blocks)
        return _joined([sound.levels(block) for block in blocks]), sound.rate


@contextmanager
def _sound(source: Path | BinaryIO) -> Iterator[_Sound]:
    try:
        with _opened(source) as content:
            check_whole(content)
            yield _Sound(content, read_flac_header(content), read_wav_header(content))
    except soundfile.LibsndfileError as error:
        why = error.error_string.strip() or "it ends before its header says"
        raise DamagedItem(f"cannot be decoded ({why})") from error


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        content = source.read()
        _check_size(len(content))
        yield _Content(content)
        return
    if not source.is_file():
        raise DamagedItem("no such file")
    try:
        with source.open("rb", buffering=0) as file:
            _check_size(source.stat().st_size)
            yield file
    except OSError as error:
        raise DamagedItem(f"cannot be read ({error.strerror})") from error


class _Content(BytesIO):
    """Content that goes to its begin, as a file does, where a decoder seeks before it."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return super().seek(max(0, offset) if whence == os.SEEK_SET else offset, whence)


def _check_size(size: int) -> None:
    if size == 0:
        raise DamagedItem("the file is empty (0 bytes)")


class _Unmeasured(soundfile.SoundFile):  # type: ignore[misc]  # it comes without types
    """A file whose header tells no length: it is read to its end and never sought in."""

    def seekable(self) -> bool:
        return False


class _Sound:
    """An open sound file whose header has been believed so far.

    Attributes:
        converted: whether it has another rate than 16 kHz, or several channels.
        as_floats: whether samples are decoded to float64, as conversion needs them.
    """

    def __init__(self, content: BinaryIO, flac: FlacHeader | None, wav: WavSound | None) -> None:
        self.file = _sound_file(content, flac, wav)
        self.flac = flac
        self._check_rate()
        self.converted = self.rate != SAMPLE_RATE or self.file.channels != 1
        self.as_floats = self.converted or self.file.subtype in FLOATS
        if wav is not None and wav.unread:
            note = f"{wav.unread:,} bytes behind its end are not read"
            warnings.warn(ItemNote(note), stacklevel=2)

    @property
    def rate(self) -> int:
        return int(self.file.samplerate)

    @property
    def lossy(self) -> bool:
        return self.file.subtype in LOSSY

    @property
    def measured(self) -> bool:
        """Whether the header tells how long the sound is."""
        return self.flac is None or self.flac.frames > 0

    @property
    def dtype(self) -> str:
        """Floating-point files would be rounded to -1, 0 and 1; a checksum wants all bits."""
        if self.flac is not None:
            return "int32"
        if self.as_floats:
            return "float64"
        return "float32" if self.lossy else "int16"

    def blocks(self, frames: int = sys.maxsize) -> Iterator[NDArray[Any]]:
        """At most so many frames, `[frames, channels]`, until there are no more."""
        while frames > 0:
            wanted = min(frames, max(BLOCK // self.file.channels, 1))
            block = self.file.read(wanted, dtype=self.dtype, always_2d=True)
            yield block
            frames -= len(block)
            if len(block) < wanted:
                return

    def levels(self, block: NDArray[Any]) -> NDArray[Any]:
        """Samples on the scale of int16; not rounded where they come as floating-point numbers."""
        if block.dtype == np.int32:
            return block / 65536 if self.as_floats else np.asarray(block >> 16, dtype=np.int16)
        if block.dtype == np.int16:
            return block
        scale = FULL_SCALE if self.as_floats else LOSSY[self.file.subtype]
        return np.asarray(block * block.dtype.type(scale))

    def refuse(self) -> NoReturn:
        """Refuse what would have to be converted, and may not be."""
        mend = "or set `convert = true` for the dataset"
        if self.file.channels != 1:
            raise DamagedItem(f"has {self.file.channels} channels; mono is wanted, {mend}")
        raise DamagedItem(f"has {self.rate} Hz; {SAMPLE_RATE} Hz is wanted, {mend}")

    def _check_rate(self) -> None:
        if self.rate not in RATES:
            raise DamagedItem(f"says that it has {self.rate} Hz, which nobody records with")
        said = self.flac.frame_rate if self.flac else None
        if said not in (None, self.rate):
            raise DamagedItem(
                f"has a damaged header: {self.rate} Hz there, {said} Hz in its frames"
            )


def _sound_file(
    content: BinaryIO, flac: FlacHeader | None, wav: WavSound | None
) -> soundfile.SoundFile:
    if wav is not None:
        return soundfile.SoundFile(
            SamplesOnly(content, wav),
            samplerate=wav.format.rate,
            channels=wav.format.channels,
            subtype=wav.format.subtype,
            endian=wav.order.upper(),
            format="RAW",
        )
    content.seek(0)
    # A descriptor, not a name: libsndfile would guess a format from a wrong ending.
    handle: Any = content if isinstance(content, BytesIO) else content.fileno()
    unmeasured = flac is not None and not flac.frames
    return (_Unmeasured if unmeasured else soundfile.SoundFile)(handle, closefd=False)


def _samples(sound: _Sound, span: Span | None) -> NDArray[np.int16]:
    blocks = _decoded(sound, span)
    if sound.file.subtype in FLOATS or sound.lossy:
        _counted(blocks).check(lossy=sound.lossy)
    if sound.converted:
        mono = [sound.levels(block).mean(axis=1, dtype=np.float64) for block in blocks]
        samples = clipped(resampled(_joined(mono), sound.rate))
    else:
        samples = clipped(_joined([sound.levels(block)[:, 0] for block in blocks]))
    if sound.file.subtype in WIDE:
        _check_not_lost(samples, blocks)
    return samples


def _check_not_lost(samples: NDArray[np.int16], blocks: list[NDArray[Any]]) -> None:
    """Refuse a sound of which 16 bits keep nothing, though there was something."""
    kept = len(samples) == 0 or samples.min() < -1 or samples.max() > 1
    if not kept and any(block.any() for block in blocks):
        raise DamagedItem(
            "has no sample above 1 of 32,768: numbers of 16 bits or of a small scale in wider "
            "samples; multiply them, or leave it out where it is silence"
        )


def _decoded(sound: _Sound, span: Span | None) -> list[NDArray[Any]]:
    """The blocks of a span, all of them there."""
    if not sound.measured:
        return _measured(sound, span)
    with sound.file:
        begin, end = _bounds(sound.file.frames, sound.rate, span)
        if begin:
            sound.file.seek(begin)
        blocks = list(sound.blocks(end - begin))
    held, rate = sum(map(len, blocks)), sound.rate
    if held < end - begin:
        raise DamagedItem(f"is truncated: {held / rate:.2f} s of {(end - begin) / rate:.2f} s")
    if span is None:
        _check_sum(sound, blocks)
    return blocks


def _measured(sound: _Sound, span: Span | None) -> list[NDArray[Any]]:
    """The same of a file whose length is known when it was decoded."""
    with sound.file:
        blocks = list(sound.blocks())
    _check_sum(sound, blocks)
    begin, end = _bounds(sum(map(len, blocks)), sound.rate, span)
    return [_joined(blocks)[begin:end]]


def _check_sum(sound: _Sound, blocks: list[NDArray[Any]]) -> None:
    if sound.flac is not None and not sound.flac.agrees(blocks):
        raise DamagedItem("is damaged: its samples are not those of its own MD5")


def _counted(blocks: list[NDArray[Any]]) -> Levels:
    levels = Levels()
    for block in blocks:
        levels.add(block)
    return levels


def _joined(blocks: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)


def _bounds(frames: int, rate: int, span: Span | None) -> tuple[int, int]:
    """First frame wanted, and the one after the last."""
    if span is None:
        return 0, frames
    begin, end = round(span[0] * rate), frames if span[1] is None else round(span[1] * rate)
    if begin < 0 or end <= begin or end > frames + DURATION_TOLERANCE_S * rate:
        wanted = f"{span[0]:g} s to {'its end' if span[1] is None else f'{span[1]:g} s'}"
        raise DamagedItem(f"lasts {frames / rate:.2f} s; the part from {wanted} is wanted")
    return begin, min(end, frames)


def resampled(levels: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """A sound of another rate in samples a second at 16 kHz, `[samples]`; float64 throughout."""
    if rate == SAMPLE_RATE or len(levels) == 0:
        return levels
    # Imported here: a corpus at 16 kHz needs no filters.
    from scipy.signal import resample_poly

    common = gcd(rate, SAMPLE_RATE)
    return np.asarray(resample_poly(levels, SAMPLE_RATE // common, rate // common))


def _check_content(samples: NDArray[np.int16], seconds: float | None) -> None:
    if len(samples) == 0:
        raise DamagedItem("holds no samples")
    held = len(samples) / SAMPLE_RATE
    if seconds is not None and abs(held - seconds) > DURATION_TOLERANCE_S:
        raise DamagedItem(f"lasts {held:.2f} s; the manifest says {seconds:.2f} s")
    if not samples.any():
        raise DamagedItem("is all zeros")
