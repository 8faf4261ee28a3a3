"""The bundled corpus `open-impacts`: synthetic impact sounds of six materials."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import Samples
from harness.data.reading.audio_corpus import AudioCorpus
from harness.data.synthesis import impacts
from harness.data.synthesis.impact_settings import HARD_SHARE, MATERIALS, ImpactSettings


@dataclass(frozen=True, kw_only=True)
class OpenImpacts(AudioCorpus):
    """Struck objects: the material is the class, the object is the resampling unit.

    Attributes:
        materials, resonance_hz, hard, distance, room_s: see `ImpactSettings`.
        describe: items have the columns `difficulty` (`plain`, `misleading` or `muffled`),
            `distance` in metres and `force`, the peak at one metre against full scale.
    """

    materials: tuple[str, ...] = MATERIALS
    resonance_hz: float = 3000.0
    hard: float = HARD_SHARE
    distance: float = 1.0
    room_s: float | None = None
    describe: bool = False

    needs_folder: ClassVar[bool] = False
    unit: ClassVar[str] = "object"

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: one of them is out of its range.
        """
        _ = self.settings

    @cached_property
    def settings(self) -> ImpactSettings:
        """The settings of the synthesiser."""
        return ImpactSettings(
            materials=self.materials,
            resonance_hz=self.resonance_hz,
            hard=self.hard,
            distance=self.distance,
            room_s=self.room_s,
        )

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return the profile's sounds, in the order of their ids."""
        del folder
        table = impacts.sounds(profile, self.settings)
        items = table.rename(columns={"object": "unit", "material": "label"})
        items = items.assign(source=items["id"], line=0)
        return items.assign(**self._descriptions(items["id"])) if self.describe else items

    def read(self, item: Any, folder: Path) -> Samples:
        """Synthesise one sound."""
        del folder
        return impacts.synthesise(item.id, self.settings)

    def _descriptions(self, ids: pd.Series[str]) -> dict[str, list[Any]]:
        struck = [impacts.blow(sound, self.settings) for sound in ids]
        return {
            "difficulty": [impacts.difficulty(*each) for each in struck],
            "distance": [round(blow.distance, 3) for _, blow in struck],
            "force": [round(blow.force, 3) for _, blow in struck],
        }
