"""Reading a sound file as the corpora mean it: 16 kHz, mono, whole, not silent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from harness.data.corpus import SAMPLE_RATE, DamagedItem

DURATION_TOLERANCE_S = 0.02

FULL_SCALE = 32768
"""Floating-point files run from -1 to 1; 16-bit ones to this."""


def read_audio(path: Path, seconds: float | None = None) -> NDArray[np.int16]:
    """Decode one file to int16 `[samples]`.

    Args:
        path: the file.
        seconds: what the list says it lasts; None where the list is silent.

    Raises:
        DamagedItem: absent, empty, not audio, truncated, not mono, not 16 kHz, or all zero.
    """
    _check_present(path)
    try:
        with soundfile.SoundFile(path) as file:
            _check_format(file)
            announced = file.frames
            samples = _samples(file)
    except soundfile.LibsndfileError as error:
        raise DamagedItem(f"cannot be decoded ({error.error_string.strip()})") from error
    _check_content(samples, announced, seconds)
    return samples


def _check_present(path: Path) -> None:
    if not path.is_file():
        raise DamagedItem("no such file")
    if path.stat().st_size == 0:
        raise DamagedItem("the file is empty (0 bytes)")


def _check_format(file: soundfile.SoundFile) -> None:
    if file.channels != 1:
        raise DamagedItem(f"has {file.channels} channels; mono is wanted")
    if file.samplerate != SAMPLE_RATE:
        raise DamagedItem(f"has {file.samplerate} Hz; {SAMPLE_RATE} Hz is wanted")


def _samples(file: soundfile.SoundFile) -> NDArray[np.int16]:
    """All samples; libsndfile would round floating-point files to -1, 0 and 1."""
    if file.subtype in ("FLOAT", "DOUBLE"):
        levels: NDArray[np.float64] = np.nan_to_num(
            np.rint(file.read(dtype="float64") * FULL_SCALE)
        )
        return np.clip(levels, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return np.asarray(file.read(dtype="int16"), dtype=np.int16)


def _check_content(samples: NDArray[np.int16], announced: int, seconds: float | None) -> None:
    if len(samples) == 0:
        raise DamagedItem("holds no samples")
    held = len(samples) / SAMPLE_RATE
    if len(samples) < announced:
        raise DamagedItem(f"is truncated: {held:.2f} s of {announced / SAMPLE_RATE:.2f} s")
    if seconds is not None and abs(held - seconds) > DURATION_TOLERANCE_S:
        raise DamagedItem(f"lasts {held:.2f} s; the manifest says {seconds:.2f} s")
    if not samples.any():
        raise DamagedItem("is all zeros")
