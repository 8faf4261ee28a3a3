"""What test items hold, for a page: spectrograms, pictures, and players where a licence allows.

Sounds and pictures are copied into a page, and a page is handed on: so they are there only where
the corpus's licence says that anybody may. A spectrogram is no copy that could be played.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray
from PIL import Image

from harness.data.corpus import SAMPLE_RATE, DamagedItem
from harness.datasets.listing import Listing
from harness.report.media import data_address
from harness.report.text import Words

FREE = re.compile(r"Apache-2\.0|MIT|BSD-[23]-Clause|CC0-1\.0|CC-BY(-SA)?-[234]\.0")
"""Licences, by their names of the SPDX list, under which anybody may hand copies on."""

SECONDS = 6.0
"""Of a sound so much is shown and played, from its beginning."""

WINDOW, HOP, POINTS = 400, 160, 512
"""Samples of a frame, of a step, and points of its spectrum: 25 ms and 10 ms, as networks hear."""

BINS, LOW, HIGH = 64, 20.0, 7600.0
"""Mel bands of a spectrogram, and their ends in hertz."""

RANGE = 70.0
"""Decibels from black to white."""

LEAST_SIDE = 96
"""Pixels of the longer side of a small picture at least, as many times its own."""


@dataclass(frozen=True)
class Content:
    """One item, as a page shows it.

    Attributes:
        picture: address of its spectrogram or picture; empty if the licence forbids it, or it
            cannot be read.
        sound: address of the sound; empty for pictures, and where the licence forbids it.
        seconds: of the part that is shown; 0 for pictures.
        lacking: the reason why there is nothing; empty if there is.
    """

    picture: str = ""
    sound: str = ""
    seconds: float = 0.0
    lacking: str = ""


def may_copy(licence: str) -> bool:
    """Check if a corpus's licence lets anybody hand copies of its items on.

    >>> may_copy("CC-BY-4.0"), may_copy("CC-BY-NC-4.0"), may_copy("free for research")
    (True, False, False)
    """
    return FREE.fullmatch(licence) is not None


def contents(listing: Listing, items: pd.DataFrame, rows: set[int]) -> Mapping[int, Content]:
    """Read some items of a split from the corpus.

    Args:
        listing: the dataset.
        items: the split's items.
        rows: places in it.
    """
    free, found = may_copy(listing.config.licence), {}
    wanted = sorted(rows)
    for row, item in zip(wanted, items.iloc[wanted].itertuples(index=False), strict=True):
        try:
            values: NDArray[Any] = listing.corpus.read(item, listing.folder)
        except (DamagedItem, OSError) as error:
            found[row] = Content(lacking=str(error).partition("\n")[0])
            continue
        if listing.corpus.kind == "image":
            found[row] = Content(picture=picture(values) if free else "")
        else:
            found[row] = _sound(values[: round(SECONDS * SAMPLE_RATE)], free=free)
    return MappingProxyType(found)


def _sound(samples: NDArray[np.int16], *, free: bool) -> Content:
    address = ""
    if free:
        file = BytesIO()
        soundfile.write(file, samples, SAMPLE_RATE, format="FLAC")
        address = data_address(file.getvalue())
    shown = np.rint(255 - 255 * shades(log_mel(samples))).astype(np.uint8)
    return Content(_png(shown[::-1]), address, len(samples) / SAMPLE_RATE)


def log_mel(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Compute a log-mel spectrogram.

    Power spectra of Hann windows of 25 ms every 10 ms, in triangular bands equally wide on the mel
    scale of O'Shaughnessy (Speech communication, 1987): 2595 log10(1 + f / 700).

    Args:
        samples: at 16 kHz, `[N]`.

    Returns:
        `[BINS, frames]` in decibels, low bands first; one frame at least.
    """
    padded = np.pad(samples.astype(np.float64), (0, max(0, WINDOW - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), POINTS)) ** 2
    decibels: NDArray[np.float64] = 10 * np.log10(_bands() @ power.T + 1e-3)
    return decibels


def shades(decibels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a spectrogram from 0 to 1, the RANGE below its loudest place."""
    shaded: NDArray[np.float64] = np.clip((decibels - decibels.max()) / RANGE + 1, 0, 1)
    return shaded


@cache
def _bands() -> NDArray[np.float64]:
    """Return the weights of the bands, `[BINS, POINTS // 2 + 1]`."""
    low, high = (2595 * np.log10(1 + f / 700) for f in (LOW, HIGH))
    edges = 700 * (10 ** (np.linspace(low, high, BINS + 2) / 2595) - 1)
    hertz = np.fft.rfftfreq(POINTS, 1 / SAMPLE_RATE)
    rising = (hertz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hertz) / np.diff(edges)[1:, None]
    weights = np.maximum(0, np.minimum(rising, falling))
    # The lowest bands are narrower than the spectrum's step: each takes the point nearest to it.
    for band in np.flatnonzero(weights.sum(1) == 0):
        weights[band, np.abs(hertz - edges[band + 1]).argmin()] = 1
    return np.asarray(weights)


def picture(pixels: NDArray[np.uint8]) -> str:
    """Return the address of a picture, its pixels enlarged by a whole number if it is small."""
    times = max(1, LEAST_SIDE // max(pixels.shape[:2]))
    return _png(pixels.repeat(times, axis=0).repeat(times, axis=1))


def _png(pixels: NDArray[np.uint8]) -> str:
    file = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", optimize=True)
    return data_address(file.getvalue())


def facts_of(item: Mapping[Any, Any], apart: tuple[str, ...], words: Words) -> str:
    """Return an item's own columns as words, in the language where it has them."""
    told = {name: value for name, value in item.items() if name not in apart and value}
    return words("page.comma").join(
        f"{words.get(f'columns.{name}', name)} {words.get(f'values.{name} {value}', str(value))}"
        for name, value in told.items()
    )
