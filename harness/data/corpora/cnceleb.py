"""CN-Celeb 1 and 2 as their archives unpack: `CN-Celeb_flac/` and `CN-Celeb2_flac/`.

The lists name .wav files; a file is taken as .flac if it is there, else as .wav.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import COLUMNS, MODEL_COLUMNS, HeldOut, Missing
from harness.data.reading.audio_corpus import AudioCorpus
from harness.data.reading.sound_files import check_present, sounds, stem
from harness.data.reading.text_lists import read_lines
from harness.errors import DataError
from harness.trials.text_lines import list_examples
from harness.trials.trial_list import TrialList, read_corpus_trials, word_column

FIRST, SECOND = "CN-Celeb_flac", "CN-Celeb2_flac"

ARCHIVES = {FIRST: "cn-celeb_v2.tar.gz", SECOND: "cn-celeb2_v2.tar.gz (three parts to be joined)"}

SPEAKER_LISTS = {"1": (FIRST, "dev/dev.lst"), "2": (SECOND, "spk.lst")}

EVALUATION = ("test", "enroll")
"""Folders whose files have their speaker in their name."""

SESSION = re.compile(r"([a-z_]+)-\d+")
"""The name before the number of an utterance: genre and session, as in `live_broadcast-02`."""


class _Model(NamedTuple):
    name: str
    items: list[str]
    line: int


class _Row(NamedTuple):
    """A row of the item table; rows sort by speaker, then by id.

    Attributes:
        unit: the speaker.
        id: its path below `data/` or `eval/`, without its ending.
        source: its path below the folder of the corpora.
        line: of the list that it is tested or enrolled by; 0 for training speakers.
        split: `test`, or empty if it may be trained on.
        genre, session: as `speech` and `speech-01`; empty if the name does not hold them.
    """

    unit: str
    id: str
    source: str
    line: int
    split: str
    genre: str
    session: str


@dataclass(frozen=True, kw_only=True)
class CnCeleb(AudioCorpus):
    """Speakers of both corpora to train on, and the test of the first with all its trials.

    Every item has a genre and a session; both are empty if its name does not hold them.

    Attributes:
        enrolment: a model is the `average` of its utterances' embeddings (those that
            `enroll.map` lists), or the embedding of the one file that holds them all
            (`concatenate`).
        train: which of the two corpora give training speakers.
    """

    enrolment: Literal["average", "concatenate"] = "average"
    train: Literal["1", "2", "1+2"] = "1+2"

    def missing(self, folder: Path) -> Missing | None:
        """Return the corpora that are asked for and not there; the first brings the test."""
        wanted = [FIRST, *([SECOND] if "2" in self.train else [])]
        lacking = [part for part in wanted if not (folder / part).is_dir()]
        if not lacking:
            return None
        archives = " and ".join(ARCHIVES[part] for part in lacking)
        without = ', or train without it: train = "1" in its table' if lacking == [SECOND] else ""
        mend = f"Unpack {archives} in {folder} (`harness data prepare --archive` does){without}."
        return Missing(tuple(folder / part for part in lacking), mend)

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return the listed training speakers' utterances, without a split, and all test items.

        Raises:
            DataError: a corpus, a list or a listed file is absent, or a list cannot be read.
        """
        del profile
        enrolled = {item: model.line for model in self._models(folder) for item in model.items}
        place = "data" if self.enrolment == "average" else "eval"
        rows = _test_rows(folder, place, enrolled, f"eval/lists/{self._model_list}")
        trials = _test_list(folder)
        first = trials.first_lines()
        tested = {stem(name): first[name] for name in trials.test_names}
        rows += _test_rows(folder, "eval", tested, "eval/lists/trials.lst")
        for part in self.train.split("+"):
            rows += _training_rows(folder, *SPEAKER_LISTS[part])
        table = pd.DataFrame(sorted(rows), columns=_Row._fields)
        return table.assign(label=table["unit"], seconds=0.0)[[*COLUMNS, "genre", "session"]]

    def trials(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """Return all trials of the test; their kind is the genre of the test utterance.

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
        genres = [_facts(test)[1] for test in tests]
        return trials.table(enrol, tests, word_column(trials.test, genres))

    def models(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """Return the utterances of each model; None if a model is one file.

        Raises:
            DataError: the list of models is absent or cannot be read.
        """
        del profile
        if split != "test" or self.enrolment == "concatenate":
            return None
        pairs = [(model.name, item) for model in self._models(folder) for item in model.items]
        return pd.DataFrame(pairs, columns=MODEL_COLUMNS)

    @property
    def _model_list(self) -> str:
        return "enroll.map" if self.enrolment == "average" else "enroll.lst"

    def _models(self, folder: Path) -> list[_Model]:
        path = _corpus_root(folder, FIRST) / "eval" / "lists" / self._model_list
        most = None if self.enrolment == "average" else 2
        lines = read_lines(path, "model utterance.wav" + (" ..." if most is None else ""), least=2)
        return [
            _Model(line.words[0], [stem(name) for name in line.words[1:most]], line.number)
            for line in lines
        ]


def _test_list(folder: Path) -> TrialList:
    path = _corpus_root(folder, FIRST) / "eval/lists/trials.lst"
    return read_corpus_trials(path, "enrol test label")


def _test_rows(folder: Path, place: str, lines: dict[str, int], listing: str) -> list[_Row]:
    """Return listed utterances of the test speakers, in a folder of the first corpus.

    Args:
        folder: the folder of the corpora.
        place: the folder that their ids are below.
        lines: id -> its line.
        listing: the list, for errors.
    """
    root = _corpus_root(folder, FIRST)
    found: dict[str, str] = {}
    for inner in sorted({item.rpartition("/")[0] for item in lines}):
        names = sounds(root / place / inner)
        found |= {f"{inner}/{name}": f"{FIRST}/{place}/{inner}/{names[name]}" for name in names}
    check_present(lines, found, root / listing)
    return [_row(item, found[item], line, "test") for item, line in lines.items()]


def _training_rows(folder: Path, corpus: str, listing: str) -> list[_Row]:
    """Return all utterances of the listed speakers; other speakers are not for training."""
    root = _corpus_root(folder, corpus)
    speakers = [line.words[0] for line in read_lines(root / listing, "speaker")]
    rows, without = [], []
    for speaker in speakers:
        names = sounds(root / "data" / speaker)
        place = f"{corpus}/data/{speaker}"
        rows += [_row(f"{speaker}/{name}", f"{place}/{names[name]}", 0, "") for name in names]
        without += [] if names else [speaker]
    if without:
        raise DataError(
            f"{root / listing}: {len(without)} of {len(speakers)} speakers have no .flac or .wav "
            f"file in {root / 'data'}: {list_examples(without, len(without))}; "
            "unpacking or conversion was not finished, so do it again"
        )
    return rows


def _corpus_root(folder: Path, corpus: str) -> Path:
    root = folder / corpus
    if not root.is_dir():
        without = "" if corpus == FIRST else ', or train without it (train = "1")'
        raise DataError(
            f"{folder}: has no folder {corpus}; get {ARCHIVES[corpus]} from "
            f"https://www.openslr.org/82/ and unpack it there{without}"
        )
    return root


def _row(item: str, source: str, line: int, split: str) -> _Row:
    speaker, genre, session = _facts(item)
    return _Row(speaker, item, source, line, split, genre, session)


def _facts(item: str) -> tuple[str, str, str]:
    """Return speaker, genre and session of an item, from its id."""
    speaker, _, name = item.rpartition("/")
    if speaker in EVALUATION:
        speaker, _, name = name.partition("-")
    session, _, number = name.rpartition("-")
    genre = _genre(session) if number.isdecimal() else ""
    return (speaker, genre, session) if genre else (speaker, "", "")


@cache
def _genre(session: str) -> str:
    """Return the genre of a session; there are few sessions and very many utterances."""
    match = SESSION.fullmatch(session)
    return match[1] if match else ""
