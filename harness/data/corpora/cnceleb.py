"""CN-Celeb 1 and 2 as their archives unpack: `CN-Celeb_flac/` and `CN-Celeb2_flac/`.

The lists name .wav files; a file is taken as .flac where it is there, else as .wav.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.audio import read_audio
from harness.data.corpora.cnceleb_files import (
    ARCHIVES,
    FIRST,
    SECOND,
    Utterance,
    corpus_root,
    evaluation,
    told,
    training,
)
from harness.data.corpus import COLUMNS, MODEL_COLUMNS, HeldOut, Missing
from harness.data.reading.lists import read_lines
from harness.data.reading.sound_files import stem
from harness.trials.trial_list import TrialList, read_corpus_trials, word_column

SPEAKER_LISTS = {"1": (FIRST, "dev/dev.lst"), "2": (SECOND, "spk.lst")}


class _Model(NamedTuple):
    name: str
    items: list[str]
    line: int


@dataclass(frozen=True, kw_only=True)
class CnCeleb:
    """Speakers of both corpora to train on, and the test of the first with all its trials.

    Every item has a genre and a session; both are empty where its name does not tell them.

    Attributes:
        enrolment: a model is the `average` of its utterances' embeddings (those that
            `enroll.map` lists), or the embedding of the one file that holds them all
            (`concatenate`).
        train: which of the two corpora give training speakers.
    """

    enrolment: Literal["average", "concatenate"] = "average"
    train: Literal["1", "2", "1+2"] = "1+2"

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "speaker"

    def missing(self, folder: Path) -> Missing | None:
        """The corpora that are asked for and not there; the first brings the test."""
        wanted = [FIRST, *([SECOND] if "2" in self.train else [])]
        lacking = [part for part in wanted if not (folder / part).is_dir()]
        if not lacking:
            return None
        archives = " and ".join(ARCHIVES[part] for part in lacking)
        without = ', or train without it: train = "1" in its table' if lacking == [SECOND] else ""
        mend = f"Unpack {archives} in {folder} (`harness data prepare --archive` does){without}."
        return Missing(tuple(folder / part for part in lacking), mend)

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """The listed training speakers' utterances, without a split, and all that is tested.

        Raises:
            DataError: a corpus, a list or a listed file is absent, or a list cannot be read.
        """
        del profile
        rows = self._enrolled(folder) + _tested(folder)
        for part in self.train.split("+"):
            rows += training(folder, *SPEAKER_LISTS[part])
        table = pd.DataFrame(sorted(rows), columns=Utterance._fields)
        return table.assign(label=table["unit"], seconds=0.0)[[*COLUMNS, "genre", "session"]]

    def trials(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """All trials of the test; their kind is the genre of the test utterance.

        Raises:
            DataError: a list is absent or cannot be read, or a trial names an unknown model.
        """
        del profile
        if split != "test":
            return None
        trials = _test_list(folder)
        models = {model.name: model for model in self._models(folder)}
        trials.check_enrolled(models, self._model_list)
        enrol = list(trials.enrol_names)
        if self.enrolment == "concatenate":
            enrol = [models[name].items[0] for name in enrol]
        tests = [stem(name) for name in trials.test_names]
        genres = [told(test)[1] for test in tests]
        return trials.table(enrol, tests, word_column(trials.test, genres))

    def models(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """The utterances of each model; None where a model is one file.

        Raises:
            DataError: the list of models is absent or cannot be read.
        """
        del profile
        if split != "test" or self.enrolment == "concatenate":
            return None
        pairs = [(model.name, item) for model in self._models(folder) for item in model.items]
        return pd.DataFrame(pairs, columns=MODEL_COLUMNS)

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Decode one utterance.

        Raises:
            DamagedItem: the file cannot be used.
        """
        return read_audio(folder / item.source)

    @property
    def _model_list(self) -> str:
        return "enroll.map" if self.enrolment == "average" else "enroll.lst"

    def _models(self, folder: Path) -> list[_Model]:
        path = corpus_root(folder, FIRST) / "eval" / "lists" / self._model_list
        most = None if self.enrolment == "average" else 2
        lines = read_lines(path, "model utterance.wav" + (" ..." if most is None else ""), least=2)
        return [
            _Model(line.words[0], [stem(name) for name in line.words[1:most]], line.number)
            for line in lines
        ]

    def _enrolled(self, folder: Path) -> list[Utterance]:
        """What models are made of, each utterance once."""
        lines = {item: model.line for model in self._models(folder) for item in model.items}
        place = "data" if self.enrolment == "average" else "eval"
        return evaluation(folder, place, lines, f"eval/lists/{self._model_list}")


def _tested(folder: Path) -> list[Utterance]:
    trials = _test_list(folder)
    first = trials.first_lines()
    lines = {stem(name): first[name] for name in trials.test_names}
    return evaluation(folder, "eval", lines, "eval/lists/trials.lst")


def _test_list(folder: Path) -> TrialList:
    return read_corpus_trials(
        corpus_root(folder, FIRST) / "eval/lists/trials.lst", "enrol test label"
    )
