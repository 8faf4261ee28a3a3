"""An open sound file of any format, its header believed as far as it deserves."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
import soundfile
from numpy.typing import NDArray

from harness.data.corpus import SAMPLE_RATE, DamagedItem, ItemNote
from harness.data.levels import FULL_SCALE
from harness.data.sound_headers import check_whole, read_flac_header
from harness.data.wav_header import SamplesOnly, WavSound, read_wav_header
from harness.errors import raise_limit

FLOATS = frozenset({"FLOAT", "DOUBLE"})

LOSSY = {
    "VORBIS": 32767,
    "OPUS": 32767,
    "MPEG_LAYER_I": 32768,
    "MPEG_LAYER_II": 32768,
    "MPEG_LAYER_III": 32768,
}
"""Codecs that decode to floating-point numbers -> libsndfile's factor from these to int16.

libsndfile does not check for numbers above full scale: they would change their sign."""

BLOCK = 1 << 22
"""Numbers decoded at a time: a header that announces more than there is costs no memory."""

RATES = range(1_000, 400_000)
"""Samples a second that anybody records with; a header with others lies."""


@contextmanager
def open_sound(source: Path | BinaryIO) -> Iterator[Sound]:
    """Open a file, or its content, for decoding.

    Raises:
        DamagedItem: absent, empty, truncated, no sound, or its header contradicts itself; also
            if that is noticed while it is decoded.
    """
    try:
        with _open_content(source) as content:
            if content.seek(0, os.SEEK_END) == 0:
                raise DamagedItem("the file is empty (0 bytes)")
            check_whole(content)
            yield Sound(content)
    except soundfile.LibsndfileError as error:
        why = error.error_string.strip() or "it ends before its header says"
        raise DamagedItem(f"cannot be decoded ({why})") from error


@contextmanager
def _open_content(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield _Content(source.read())
        return
    if not source.is_file():
        raise DamagedItem("no such file")
    try:
        with source.open("rb", buffering=0) as file:
            yield file
    except OSError as error:
        raise_limit(error, source)
        raise DamagedItem(f"cannot be read ({error.strerror})") from error


class _Content(BytesIO):
    """Content that goes to its begin, as a file does, if a decoder seeks before it."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return super().seek(max(0, offset) if whence == os.SEEK_SET else offset, whence)


class _Unmeasured(soundfile.SoundFile):  # type: ignore[misc]  # it comes without types
    """A file whose header has no length: it is read to its end and never sought in."""

    def seekable(self) -> bool:
        return False


class Sound:
    """An open sound file whose header has been believed so far.

    Attributes:
        file: the decoder.
        flac: the header of a FLAC file; None for other formats.
        rate: samples a second.
        lossy: true for a lossy codec, whose decoders overshoot.
        has_length: true if the header says how long the sound is.
        needs_conversion: true for another rate than 16 kHz, or several channels.
        as_floats: true if samples are decoded to float64, as conversion needs them.
    """

    def __init__(self, content: BinaryIO) -> None:
        """Open it, and check its rate.

        Raises:
            DamagedItem: the header contradicts itself, or has an impossible rate.
        """
        self.flac, wav = read_flac_header(content), read_wav_header(content)
        self.has_length = self.flac is None or self.flac.frames > 0
        self.file = _decoder(content, wav, has_length=self.has_length)
        self.rate = int(self.file.samplerate)
        self._check_rate()
        self.lossy = self.file.subtype in LOSSY
        self.needs_conversion = self.rate != SAMPLE_RATE or self.file.channels != 1
        self.as_floats = self.needs_conversion or self.file.subtype in FLOATS
        if wav is not None and wav.unread:
            note = f"{wav.unread:,} bytes behind its end are not read"
            warnings.warn(ItemNote(note), stacklevel=2)

    def blocks(self, frames: int = sys.maxsize) -> Iterator[NDArray[Any]]:
        """Yield at most so many frames, `[frames, channels]`, until there are no more."""
        # The type keeps all bits that a checksum and conversion need.
        if self.flac is not None:
            dtype = "int32"
        else:
            dtype = "float64" if self.as_floats else "float32" if self.lossy else "int16"
        while frames > 0:
            wanted = min(frames, max(BLOCK // self.file.channels, 1))
            block = self.file.read(wanted, dtype=dtype, always_2d=True)
            yield block
            frames -= len(block)
            if len(block) < wanted:
                return

    def levels(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return samples on the scale of int16; floating-point numbers are not rounded."""
        if block.dtype == np.int32:
            return block / 65536 if self.as_floats else np.asarray(block >> 16, dtype=np.int16)
        if block.dtype == np.int16:
            return block
        scale = FULL_SCALE if self.as_floats else LOSSY[self.file.subtype]
        return np.asarray(block * block.dtype.type(scale))

    def refuse(self) -> NoReturn:
        """Refuse a sound that would have to be converted, and may not be."""
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


def _decoder(content: BinaryIO, wav: WavSound | None, *, has_length: bool) -> soundfile.SoundFile:
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
    return (soundfile.SoundFile if has_length else _Unmeasured)(handle, closefd=False)
