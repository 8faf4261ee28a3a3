"""The bundled corpus `open-dialogue`: synthetic turns in text, audio and video vectors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import TurnVectors, Uncompared
from harness.data.synthesis.turns import SIZES, Recording, turns, vectors

MOST_IMBALANCE = 10_000.0


@dataclass(frozen=True, kw_only=True)
class OpenDialogue(Uncompared):
    """Turns of eight dialogue acts: the act is the class, the dialogue the resampling unit.

    Attributes:
        act_imbalance: turns of the most frequent act over those of the rarest, 1 or more.
        noise: standard deviation of each modality's own noise, over that of what it says.
    """

    act_imbalance: float = 1.0
    noise: float = 0.5

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "vectors"
    needs_folder: ClassVar[bool] = False
    unit: ClassVar[str] = "dialogue"

    def __post_init__(self) -> None:
        """Check the knobs.

        Raises:
            ValueError: one is out of its range.
        """
        if not 1 <= self.act_imbalance <= MOST_IMBALANCE:
            raise ValueError(
                f"act_imbalance must be in 1..{MOST_IMBALANCE:g}, got {self.act_imbalance}"
            )
        if not 0 <= self.noise <= 100:
            raise ValueError(f"noise must be in 0..100, got {self.noise}")

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return the profile's turns, those of a dialogue together."""
        del folder
        items = turns(profile, self._recording)
        return items.assign(seconds=0.0, source=items["id"], line=0)

    def sizes(self, folder: Path) -> dict[str, int]:
        """Return the length of each modality's vector."""
        del folder
        return {**SIZES, "frames": 1}

    def read(self, item: Any, folder: Path) -> TurnVectors:
        """Return one turn's vectors side by side, `[1, 80]`."""
        del folder
        return vectors(item.id, item.label, self._recording)

    @property
    def _recording(self) -> Recording:
        return Recording(self.act_imbalance, self.noise)
