"""Sound held against full scale: what is clipped and counted, and what is on another scale."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.corpus import DamagedItem, ItemNote

FULL_SCALE = 32768
"""Floating-point files run from -1 to 1; 16-bit ones to this."""

FEW = 16
FEW_SHARE = 0.01
"""So many samples may lie above full scale, as peaks between samples do: a millisecond, or a
share of those that are not 0."""

HIGHEST = 2.0
"""How far they may lie above it: 6 dB."""

HOTTEST = 64.0
"""Nobody records so far above full scale: the samples are on another scale."""

SCALES = ((7, "8-bit"), (15, "16-bit"), (23, "24-bit"), (31, "32-bit"))
"""Full scale of whole numbers as a power of two, and its name."""


@dataclass
class Levels:
    """Floating-point samples counted block by block.

    Attributes:
        heard: samples that are not 0.
        above: samples above full scale.
        peak: the highest.
        whole: whether all of them are whole numbers.
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
        self.above += int((heights > 1).sum())
        self.peak = max(self.peak, float(heights.max(initial=0.0)))
        self.whole = self.whole and bool((block == np.rint(block)).all())

    def check(self, *, lossy: bool) -> None:
        """Refuse what clipping would distort.

        Args:
            lossy: the samples come from a lossy codec, whose decoders overshoot.

        Raises:
            DamagedItem: too many samples lie above full scale, or too far.
        """
        few = self.above <= max(FEW, FEW_SHARE * self.heard)
        if self.peak <= 1 or (self.peak <= HIGHEST and (few or lossy) and not self.whole):
            return
        if self.whole or (self.peak > HOTTEST and not few):
            raise DamagedItem(f"has samples up to {self.peak:,.0f}: {_scale(self.peak)}")
        held = f"{self.above:,} of {self.heard:,} samples above full scale"
        raise DamagedItem(f"has {held}, which is 1, up to {self.peak:,.3g}; {self._mend(few)}")

    def _mend(self, few: bool) -> str:
        if few:
            return "mend it, or leave it out: clipping them would distort it"
        other = ", or by 32,768 where they are on the 16-bit scale" if self.peak > HIGHEST else ""
        return f"divide them by {self.peak:,.3g}{other}"


def clipped(levels: NDArray[Any]) -> NDArray[np.int16]:
    """Round levels on the scale of int16; what lies above full scale is clipped, with a note.

    Args:
        levels: `[samples]`; what is int16 already stays as it is.
    """
    if levels.dtype == np.int16:
        return np.asarray(levels)
    heights = np.abs(levels)
    above = int((heights > FULL_SCALE).sum())
    if above:
        decibels = 20 * np.log10(float(heights.max()) / FULL_SCALE)
        note = f"{above:,} of {len(levels):,} samples were clipped, up to {decibels:.1f} dB above"
        warnings.warn(ItemNote(f"{note} full scale"), stacklevel=2)
    whole = np.clip(np.rint(levels), -FULL_SCALE, FULL_SCALE - 1)
    return np.asarray(whole, dtype=np.int16)


def _scale(peak: float) -> str:
    """The scale of whole numbers that samples seem to be on, and the mend.

    A sound of 16 bits may be a quiet one; one of 8 bits that fills its scale is likelier below
    129. Twice full scale is allowed for: whatever changed the samples may have overshot.
    """
    for bits, name in SCALES:
        full = 1 << bits
        if peak <= (full if bits == 7 else 2 * full) and (bits > 7 or peak > HOTTEST):
            return f"floating-point samples on the {name} scale; divide them by {full:,}"
    return "floating-point samples on no scale that is known; full scale is 1"
