"""Levels of sound against full scale: samples that are clipped, or on another scale."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.corpus import DamagedItem, ItemNote

FULL_SCALE = 32768
"""Floating-point files run from -1 to 1; 16-bit ones to this."""

ROUNDING = 1 / (2 * FULL_SCALE)
"""Samples above full scale by no more are rounded to it."""

FEW = 16
FEW_SHARE = 0.01
"""So many samples may lie above full scale, as peaks between samples do: a millisecond, or a
share of those that are not 0."""

HIGHEST = 2.0
"""They may lie above it by so much: 6 dB."""

OVERSHOOT = 8.0
"""The decoder of a lossy codec may overshoot so far, however often."""

HOTTEST = 64.0
"""Nobody records so far above full scale: the samples are on another scale."""

SCALES = {16: 32_768, 24: 8_388_608, 32: 2_147_483_648}
"""Bits of whole numbers -> their full scale."""


@dataclass
class Levels:
    """Floating-point samples counted block by block.

    Attributes:
        heard: samples that are not 0.
        above: samples above full scale.
        peak: the highest.
        whole: true while all of them are whole numbers.
    """

    heard: int = 0
    above: int = 0
    peak: float = 0.0
    whole: bool = True

    def add(self, block: NDArray[Any]) -> None:
        """Count a block of samples, full scale being 1.

        Raises:
            DamagedItem: some of them are not finite.
        """
        if not np.isfinite(block).all():
            lost = int((~np.isfinite(block)).sum())
            raise DamagedItem(f"holds {lost:,} numbers that are not finite (NaN or infinite)")
        heights = np.abs(block)
        self.heard += int(np.count_nonzero(heights))
        self.above += int((heights > 1 + ROUNDING).sum())
        self.peak = max(self.peak, float(heights.max(initial=0.0)))
        self.whole = self.whole and bool((block == np.rint(block)).all())

    def check(self, *, lossy: bool) -> None:
        """Refuse sound that clipping would distort.

        Args:
            lossy: the samples come from a lossy codec, whose decoders overshoot.

        Raises:
            DamagedItem: too many samples lie above full scale, or too far.
        """
        few = self.above <= max(FEW, FEW_SHARE * self.heard)
        slight = self.peak <= OVERSHOOT if lossy else few and self.peak <= HIGHEST
        if not self.above or (slight and not self.whole):
            return
        if self.whole or (self.peak > HOTTEST and not few):
            raise DamagedItem(f"has samples up to {_number(self.peak)}: {self._scale()}")
        held = f"{self.above:,} of {self.heard:,} samples above full scale"
        if few:
            mend = "mend it, or leave it out: clipping them would distort it"
        else:
            mend = f"divide them by {_number(self.peak)}"
            mend += ", or by 32,768 where they are on the 16-bit scale" * (self.peak > HIGHEST)
        raise DamagedItem(f"has {held}, which is 1, up to {_number(self.peak)}; {mend}")

    def _scale(self) -> str:
        """Return the scale that the samples seem to be on, and the mend.

        Twice full scale is allowed for: the program that changed the samples may have overshot.
        """
        if self.whole and HOTTEST < self.peak <= 128:
            scale = "floating-point samples on the 8-bit or the 16-bit scale"
            return f"{scale}; divide them by 128, or by 32,768 where other files call for it"
        for bits, full in SCALES.items():
            if self.peak <= 2 * full:
                return f"floating-point samples on the {bits}-bit scale; divide them by {full:,}"
        return "floating-point samples on no scale that is known; full scale is 1"


def clip_levels(levels: NDArray[Any]) -> NDArray[np.int16]:
    """Round levels on the scale of int16; samples above full scale are clipped, with a note.

    Args:
        levels: `[samples]`; int16 ones stay as they are.
    """
    if levels.dtype == np.int16:
        return np.asarray(levels)
    whole = np.rint(levels)
    above = int((np.abs(whole) > FULL_SCALE).sum())
    if above:
        decibels = 20 * np.log10(float(np.abs(levels).max()) / FULL_SCALE)
        note = f"{above:,} of {len(levels):,} samples were clipped, up to {decibels:.1f} dB above"
        warnings.warn(ItemNote(f"{note} full scale"), stacklevel=2)
    return np.asarray(np.clip(whole, -FULL_SCALE, FULL_SCALE - 1), dtype=np.int16)


def _number(value: float) -> str:
    """Spell a number for a person.

    >>> _number(26214.4), _number(1.25), _number(3.4e38)
    ('26,214', '1.25', '3.4e+38')
    """
    return f"{value:,.0f}" if 100 <= value < 1e12 else f"{value:.3g}"
