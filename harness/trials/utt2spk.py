"""A Kaldi `utt2spk` file: which speaker each utterance and enrolment model is of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.trials.complaints import ScoreFileError, counted, listed
from harness.trials.formats import SPEAKER_LAYOUTS
from harness.trials.reading import read_table
from harness.trials.trials import repeats


@dataclass(frozen=True)
class Utt2Spk:
    """Speakers by utterance.

    Attributes:
        path: the file, for errors.
        speaker_of: utterance -> speaker.
        speakers: all speakers.
    """

    path: Path
    speaker_of: Mapping[str, str]
    speakers: frozenset[str]

    def of_tests(self, names: Sequence[str]) -> list[str]:
        """The speaker of each test utterance.

        Raises:
            ScoreFileError: utterances that are not in the file.
        """
        return self._all([self.speaker_of.get(name, "") for name in names], names, "test")

    def of_models(self, names: Sequence[str]) -> list[str]:
        """The speaker of each enrolment model: an utterance of the file, else a speaker's id.

        Raises:
            ScoreFileError: models that are neither.
        """
        own = (name if name in self.speakers else "" for name in names)
        found = [
            self.speaker_of.get(name) or speaker for name, speaker in zip(names, own, strict=True)
        ]
        return self._all(found, names, "enrol")

    def _all(self, found: list[str], names: Sequence[str], side: str) -> list[str]:
        unknown = sorted(name for name, speaker in zip(names, found, strict=True) if not speaker)
        if unknown:
            raise ScoreFileError(
                f"{self.path}: has no speaker for {len(unknown)} of {len(names)} {side} names: "
                f"{listed(map(repr, unknown), len(unknown))}; add a line `{unknown[0]} <speaker>` "
                "for each"
            )
        return found


def read_utt2spk(path: Path) -> Utt2Spk:
    """Reads lines of `utterance speaker`, plain or gzip.

    Raises:
        ScoreFileError: the file cannot be read, or lines of it are unreadable or repeat an
            utterance.
    """
    table = read_table(path, SPEAKER_LAYOUTS)
    utterances, speakers = table.names["utterance"], table.names["speaker"]
    places, firsts = repeats(table.codes["utterance"].astype(np.int64))
    if places.size:
        examples = [
            f"line {table.first + place} ({utterances[table.codes['utterance'][place]]}) as line "
            f"{table.first + first}"
            for place, first in zip(places[:3].tolist(), firsts[:3].tolist(), strict=True)
        ]
        raise ScoreFileError(
            f"{path}: {counted(len(places), 'line')} of {len(table)} repeat an utterance: "
            f"{listed(examples, len(places))}; keep each utterance once"
        )
    pairs = zip(table.codes["utterance"].tolist(), table.codes["speaker"].tolist(), strict=True)
    speaker_of = {utterances[utterance]: speakers[speaker] for utterance, speaker in pairs}
    return Utt2Spk(path, speaker_of, frozenset(speakers))
