"""The bundled corpus `open-impacts`: synthetic impact sounds of six materials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import Samples
from harness.data.reading.audio_corpus import AudioCorpus
from harness.data.synthesis import impacts


@dataclass(frozen=True)
class OpenImpacts(AudioCorpus):
    """Struck objects: the material is the class, the object is the resampling unit."""

    needs_folder: ClassVar[bool] = False
    unit: ClassVar[str] = "object"

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return the profile's sounds, in the order of their ids."""
        del folder
        table = impacts.sounds(profile)
        items = table.rename(columns={"object": "unit", "material": "label"})
        return items.assign(source=items["id"], line=0)

    def read(self, item: Any, folder: Path) -> Samples:
        """Synthesise one sound."""
        del folder
        return impacts.synthesise(item.id)
