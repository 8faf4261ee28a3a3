"""Reading a sound file as the corpora mean it: 16 kHz, mono, whole, not silent."""

from __future__ import annotations

from math import gcd
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from harness.data.corpus import SAMPLE_RATE, DamagedItem, Samples
from harness.data.levels import Levels, clip_levels
from harness.data.sound_file import FLOATS, Sound, open_sound

DURATION_TOLERANCE_S = 0.02

WIDE = FLOATS | {"PCM_24", "PCM_32"}
"""Types of more than 16 bits, which may hold numbers of 16 bits in the wrong place."""

Span = tuple[float, float | None]
"""Begin and end of a part of a recording in seconds; the end may be that of the recording."""


def read_audio(
    source: Path | BinaryIO,
    seconds: float | None = None,
    *,
    convert: bool = False,
    span: Span | None = None,
) -> Samples:
    """Decode one file to int16 `[samples]` at 16 kHz.

    Args:
        source: the file, or its open content.
        seconds: the duration by the list; None if the list is silent.
        convert: accept files of other rates and of several channels, too: resampled in float64,
            the mean of the channels.
        span: read this part alone.

    Raises:
        DamagedItem: absent, empty, not audio, truncated, not what its own header or checksum
            says, not finite, on another scale, all zero; not mono or not 16 kHz if it is not
            to be converted.
    """
    with open_sound(source) as sound:
        if sound.needs_conversion and not convert:
            sound.refuse()
        blocks = _decode(sound, span)
        if sound.file.subtype in FLOATS or sound.lossy:
            _count_levels(blocks).check(lossy=sound.lossy)
        if sound.needs_conversion:
            mono = [sound.levels(block).mean(axis=1, dtype=np.float64) for block in blocks]
            samples = clip_levels(resample(_join(mono), sound.rate))
        else:
            samples = clip_levels(_join([sound.levels(block)[:, 0] for block in blocks]))
        if sound.file.subtype in WIDE:
            _check_not_lost(samples, blocks)
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
    with open_sound(source) as sound:
        sound.as_floats = True
        blocks = _decode(sound, None)
        if sound.file.subtype in FLOATS or sound.lossy:
            _count_levels(blocks)
        return _join([sound.levels(block) for block in blocks]), sound.rate


def resample(levels: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Resample `[samples]` at a rate in samples a second to 16 kHz; float64 throughout."""
    if rate == SAMPLE_RATE or len(levels) == 0:
        return levels
    # Imported here: a corpus at 16 kHz needs no filters.
    from scipy.signal import resample_poly

    common = gcd(rate, SAMPLE_RATE)
    return np.asarray(resample_poly(levels, SAMPLE_RATE // common, rate // common))


def _decode(sound: Sound, span: Span | None) -> list[NDArray[Any]]:
    """Decode the blocks of a span, and check that all of them are there."""
    with sound.file:
        if not sound.has_length:
            blocks = list(sound.blocks())
            _check_md5(sound, blocks)
            begin, end = _bounds(sum(map(len, blocks)), sound.rate, span)
            return [_join(blocks)[begin:end]]
        begin, end = _bounds(sound.file.frames, sound.rate, span)
        if begin:
            sound.file.seek(begin)
        blocks = list(sound.blocks(end - begin))
    held, rate = sum(map(len, blocks)), sound.rate
    if held < end - begin:
        raise DamagedItem(f"is truncated: {held / rate:.2f} s of {(end - begin) / rate:.2f} s")
    if span is None:
        _check_md5(sound, blocks)
    return blocks


def _bounds(frames: int, rate: int, span: Span | None) -> tuple[int, int]:
    """Return the first frame of a span, and the one after the last."""
    if span is None:
        return 0, frames
    begin, end = round(span[0] * rate), frames if span[1] is None else round(span[1] * rate)
    if begin < 0 or end <= begin or end > frames + DURATION_TOLERANCE_S * rate:
        wanted = f"{span[0]:g} s to {'its end' if span[1] is None else f'{span[1]:g} s'}"
        raise DamagedItem(f"lasts {frames / rate:.2f} s; the part from {wanted} is wanted")
    return begin, min(end, frames)


def _count_levels(blocks: list[NDArray[Any]]) -> Levels:
    levels = Levels()
    for block in blocks:
        levels.add(block)
    return levels


def _join(blocks: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)


def _check_md5(sound: Sound, blocks: list[NDArray[Any]]) -> None:
    if sound.flac is not None and not sound.flac.agrees(blocks):
        raise DamagedItem("is damaged: its samples are not those of its own MD5")


def _check_not_lost(samples: Samples, blocks: list[NDArray[Any]]) -> None:
    """Refuse a sound of which 16 bits keep nothing, though there was something."""
    kept = len(samples) == 0 or samples.min() < -1 or samples.max() > 1
    if not kept and any(block.any() for block in blocks):
        raise DamagedItem(
            "has no sample above 1 of 32,768: numbers of 16 bits or of a small scale in wider "
            "samples; multiply them, or leave it out where it is silence"
        )


def _check_content(samples: Samples, seconds: float | None) -> None:
    if len(samples) == 0:
        raise DamagedItem("holds no samples")
    held = len(samples) / SAMPLE_RATE
    if seconds is not None and abs(held - seconds) > DURATION_TOLERANCE_S:
        raise DamagedItem(f"lasts {held:.2f} s; the manifest says {seconds:.2f} s")
    if not samples.any():
        raise DamagedItem("is all zeros")
