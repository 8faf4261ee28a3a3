"""The settings of ``open-impacts``: what its objects are, and where they are struck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.errors import nearest

MATERIALS: Final[tuple[str, ...]] = ("wood", "metal", "plastic", "glass", "ceramic", "stone")

HARD_SHARE: Final = 0.14
"""Of the strikes of the corpus as it is, so many mislead or are muffled."""


@dataclass(frozen=True, kw_only=True)
class ImpactSettings:
    """What a corpus of impacts differs in from ``open-impacts`` as it is.

    The draws behind a sound are the same under all settings: object 12 is of one size, and its
    third strike at one place, whatever room it lies in.

    Attributes:
        materials: the classes.
        resonance_hz: highest mode of any object, from 1,000 to 7,500 Hz.
        hard: share of strikes that are hard to classify (of misleading objects, or muffled),
            from 0 to 0.5.
        distance: of the farthest strike, in metres, from 1 to 100; they are evenly spread from
            one metre to there. Level falls as 1 / distance, reverberation and noise stay.
        room_s: reverberation time of the room, from 0.05 to 2 seconds; None draws one of 0.08 to
            0.35 for every strike.
    """

    materials: tuple[str, ...] = MATERIALS
    resonance_hz: float = 3000.0
    hard: float = HARD_SHARE
    distance: float = 1.0
    room_s: float | None = None

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: one of them is out of its range; the message names it.
        """
        for material in self.materials:
            if material not in MATERIALS:
                raise ValueError(f"materials: no {material!r}; {nearest(material, MATERIALS)}")
        if not self.materials or len(set(self.materials)) < len(self.materials):
            raise ValueError("materials: name one at least, and each once")
        ranges: dict[str, tuple[float, float]] = {
            "resonance_hz": (1000, 7500),
            "hard": (0, 0.5),
            "distance": (1, 100),
        }
        if self.room_s is not None:
            ranges["room_s"] = (0.05, 2)
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name}: give a number from {low:,} to {high:,}")


ORIGINAL: Final = ImpactSettings()
"""``open-impacts`` as it is."""
