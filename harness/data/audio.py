"""Reading a sound file as the corpora mean it: 16 kHz, mono, whole, not silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from math import gcd
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from harness.data.corpus import SAMPLE_RATE, DamagedItem
from harness.data.flac_header import FlacHeader, read_flac_header
from harness.data.wav_header import wav_complaint
from harness.errors import raise_limit

DURATION_TOLERANCE_S = 0.02

FULL_SCALE = 32768
"""Floating-point files run from -1 to 1; 16-bit ones to this."""

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
            says, not finite, all zero; not mono or not 16 kHz, where it is not to be converted.
    """
    try:
        with _opened(source) as content:
            flac, complaint = read_flac_header(content), wav_complaint(content)
            if complaint:
                raise DamagedItem(complaint)
            content.seek(0)
            samples = _decoded(_Sound(content, flac, convert), span)
    except soundfile.LibsndfileError as error:
        why = error.error_string.strip() or "it ends before its header says"
        raise DamagedItem(f"cannot be decoded ({why})") from error
    _check_content(samples, seconds)
    return samples


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        content = source.read()
        _check_size(len(content))
        yield BytesIO(content)
        return
    if not source.is_file():
        raise DamagedItem("no such file")
    try:
        with source.open("rb", buffering=0) as file:
            _check_size(source.stat().st_size)
            yield file
    except OSError as error:
        raise_limit(error, source)
        raise DamagedItem(f"cannot be read ({error.strerror})") from error


def _check_size(size: int) -> None:
    if size == 0:
        raise DamagedItem("the file is empty (0 bytes)")


class _Sound:
    """An open sound file whose header has been believed so far."""

    def __init__(self, content: BinaryIO, flac: FlacHeader | None, convert: bool) -> None:
        # A descriptor, not a name: libsndfile would guess a format from a wrong ending.
        handle: Any = content if isinstance(content, BytesIO) else content.fileno()
        self.file = soundfile.SoundFile(handle, closefd=False)
        self.flac = flac
        self._check_rate()
        self.converted = self.rate != SAMPLE_RATE or self.file.channels != 1
        if self.converted and not convert:
            self._refuse()

    @property
    def rate(self) -> int:
        return int(self.file.samplerate)

    @property
    def dtype(self) -> str:
        """Floating-point files would be rounded to -1, 0 and 1; a checksum wants all bits."""
        if self.flac is not None:
            return "int32"
        floating = self.file.subtype in ("FLOAT", "DOUBLE")
        return "float64" if floating or self.converted else "int16"

    def blocks(self, frames: int) -> Iterator[NDArray[Any]]:
        """At most so many frames, `[frames, channels]`, until there are no more."""
        while frames > 0:
            wanted = min(frames, max(BLOCK // self.file.channels, 1))
            block = self.file.read(wanted, dtype=self.dtype, always_2d=True)
            yield block
            frames -= len(block)
            if len(block) < wanted:
                return

    def _check_rate(self) -> None:
        if self.rate not in RATES:
            raise DamagedItem(f"says that it has {self.rate} Hz, which nobody records with")
        said = self.flac.frame_rate if self.flac else None
        if said not in (None, self.rate):
            raise DamagedItem(
                f"has a damaged header: {self.rate} Hz there, {said} Hz in its frames"
            )

    def _refuse(self) -> None:
        mend = "or set `convert = true` for the dataset"
        if self.file.channels != 1:
            raise DamagedItem(f"has {self.file.channels} channels; mono is wanted, {mend}")
        raise DamagedItem(f"has {self.rate} Hz; {SAMPLE_RATE} Hz is wanted, {mend}")


def _decoded(sound: _Sound, span: Span | None) -> NDArray[np.int16]:
    with sound.file:
        begin, end = _bounds(sound, span)
        if begin:
            sound.file.seek(begin)
        blocks = list(sound.blocks(end - begin))
        rate, flac = sound.rate, sound.flac if span is None else None
    held = sum(map(len, blocks))
    if held < end - begin:
        raise DamagedItem(f"is truncated: {held / rate:.2f} s of {(end - begin) / rate:.2f} s")
    if flac is not None and not flac.agrees(blocks):
        raise DamagedItem("is damaged: its samples are not those of its own MD5")
    if not sound.converted:
        return _whole([_levels(block)[:, 0] for block in blocks])
    return _whole([resampled(np.concatenate([_mono(block) for block in blocks]), rate)])


def _bounds(sound: _Sound, span: Span | None) -> tuple[int, int]:
    """First frame wanted, and the one after the last."""
    frames, rate = sound.file.frames, sound.rate
    if span is None:
        return 0, frames
    begin, end = round(span[0] * rate), frames if span[1] is None else round(span[1] * rate)
    if begin < 0 or end <= begin or end > frames + DURATION_TOLERANCE_S * rate:
        wanted = f"{span[0]:g} s to {'its end' if span[1] is None else f'{span[1]:g} s'}"
        raise DamagedItem(f"lasts {frames / rate:.2f} s; the part from {wanted} is wanted")
    return begin, min(end, frames)


def _levels(block: NDArray[Any]) -> NDArray[Any]:
    """Numbers on the scale of int16; not rounded where they come as float64."""
    if block.dtype == np.int32:
        return np.asarray(block >> 16, dtype=np.int16)
    if block.dtype == np.int16:
        return block
    if not np.isfinite(block).all():
        raise DamagedItem("holds numbers that are not finite")
    return np.asarray(block * FULL_SCALE)


def _mono(block: NDArray[Any]) -> NDArray[np.float64]:
    levels = block / 65536 if block.dtype == np.int32 else _levels(block)
    return np.asarray(levels.mean(axis=1), dtype=np.float64)


def resampled(levels: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """A sound of another rate in samples a second at 16 kHz, `[samples]`; float64 throughout."""
    if rate == SAMPLE_RATE or len(levels) == 0:
        return levels
    # Imported here: a corpus at 16 kHz needs no filters.
    from scipy.signal import resample_poly

    common = gcd(rate, SAMPLE_RATE)
    return np.asarray(resample_poly(levels, SAMPLE_RATE // common, rate // common))


def _whole(parts: list[NDArray[Any]]) -> NDArray[np.int16]:
    samples = np.concatenate(parts) if parts else np.zeros(0, np.int16)
    if samples.dtype == np.int16:
        return samples
    return np.clip(np.rint(samples), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _check_content(samples: NDArray[np.int16], seconds: float | None) -> None:
    if len(samples) == 0:
        raise DamagedItem("holds no samples")
    held = len(samples) / SAMPLE_RATE
    if seconds is not None and abs(held - seconds) > DURATION_TOLERANCE_S:
        raise DamagedItem(f"lasts {held:.2f} s; the manifest says {seconds:.2f} s")
    if not samples.any():
        raise DamagedItem("is all zeros")
