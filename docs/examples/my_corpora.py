"""A layout of one's own: one folder of files that are named SPEAKER_SESSION_NUMBER.wav."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.data.reading.audio_corpus import SpeechCorpus
from harness.data.reading.item_table import ListedUtterance
from harness.errors import DataError

NAME = re.compile(r"(?P<speaker>[^_]+)_(?P<session>[^_]+)_\d+")


@dataclass(frozen=True, kw_only=True)
class FlatFolder(SpeechCorpus):
    """Sounds whose names tell speaker and session."""

    def entries(self, folder: Path) -> Iterator[ListedUtterance]:
        """Return one utterance for each file.

        Raises:
            DataError: a name does not tell its speaker.
        """
        for path in folder.glob("*.wav"):
            name = NAME.fullmatch(path.stem)
            if name is None:
                raise DataError(f"{path}: name files SPEAKER_SESSION_NUMBER.wav")
            session = {"session": name["session"]}
            yield ListedUtterance(path.stem, name["speaker"], path.name, further=session)
