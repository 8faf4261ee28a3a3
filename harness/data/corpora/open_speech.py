"""The bundled corpus `open-26666`: synthetic speech, made when it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import HeldOut, Samples
from harness.data.reading.audio_corpus import AudioCorpus
from harness.data.synthesis import speech


@dataclass(frozen=True)
class OpenSpeech(AudioCorpus):
    """26,666 utterances of a source-filter synthesiser, with trials of three kinds."""

    needs_folder: ClassVar[bool] = False

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return the profile's utterances, in the order of their ids."""
        del folder
        table = speech.utterances(profile)
        items = table.rename(columns={"speaker": "unit"})
        return items.assign(label=items["unit"], source=items["id"], line=0)

    def trials(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame:
        """Return the profile's fixed trials: same-session, cross-session and cross-gender."""
        del folder
        return speech.trials(profile, split)

    def read(self, item: Any, folder: Path) -> Samples:
        """Synthesise one utterance."""
        del folder
        return speech.synthesise(item.id)
