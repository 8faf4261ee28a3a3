"""The bundled corpus `open-impacts`: synthetic impact sounds of six materials."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import Samples
from harness.data.reading.audio_corpus import AudioCorpus
from harness.data.synthesis import impacts
from harness.data.synthesis.impact_settings import HARD_SHARE, MATERIALS, ImpactSettings
from harness.data.synthesis.strikes import Blow
from harness.errors import nearest

RANKINGS: dict[str, Callable[[Blow], float]] = {
    "nearness": lambda blow: -math.log(blow.distance),
    "loudness": lambda blow: math.log(blow.force),
    "hardness": lambda blow: -math.log(blow.contact_s),
}
"""Grades of a strike; logarithms, since level, distance and contact are heard by their ratios."""


@dataclass(frozen=True, kw_only=True)
class OpenImpacts(AudioCorpus):
    """Struck objects: the material is the class, the object is the resampling unit.

    Attributes:
        materials, resonance_hz, hard, distance, room_s: see `ImpactSettings`.
        describe: items have the columns `difficulty` (`plain`, `misleading` or `muffled`),
            `distance` in metres and `force`, the peak at one metre against full scale.
        rank_by: items have the column `grade`, by which they are ranked, higher first: `nearness`
            (a short distance), `loudness` (a high peak at one metre) or `hardness` (a short
            contact, as of a hard striker).
    """

    materials: tuple[str, ...] = MATERIALS
    resonance_hz: float = 3000.0
    hard: float = HARD_SHARE
    distance: float = 1.0
    room_s: float | None = None
    describe: bool = False
    rank_by: Literal["", "nearness", "loudness", "hardness"] = ""

    needs_folder: ClassVar[bool] = False
    unit: ClassVar[str] = "object"

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: one of them is out of its range.
        """
        _ = self.settings
        if self.rank_by not in ("", *RANKINGS):
            raise ValueError(f"rank_by: no {self.rank_by!r}; {nearest(self.rank_by, RANKINGS)}")
        if self.rank_by == "nearness" and self.distance == 1:
            raise ValueError("rank_by: nearness needs strikes at several distances; give distance")

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
        if self.rank_by:
            blows = [impacts.blow(sound, self.settings)[1] for sound in items["id"]]
            # Rounded, as logarithms may differ in their last bit, and the lock holds them.
            items = items.assign(grade=[round(RANKINGS[self.rank_by](each), 6) for each in blows])
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
