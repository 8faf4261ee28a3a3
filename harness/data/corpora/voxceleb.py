"""VoxCeleb 1 and 2: `voxceleb1/` and `voxceleb2/` as unpacked, the trial lists, the meta files."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import COLUMNS, HeldOut, Missing
from harness.data.reading.audio_corpus import AudioCorpus
from harness.data.reading.sound_files import ENDINGS, check_present, sounds, stem
from harness.data.reading.text_lists import read_text
from harness.errors import DataError
from harness.trials.text_lines import list_examples
from harness.trials.trial_list import TrialList, read_corpus_trials, word_column

TRIAL_LISTS = {
    "O": "veri_test.txt",
    "O-cleaned": "veri_test2.txt",
    "E": "list_test_all.txt",
    "E-cleaned": "list_test_all2.txt",
    "H": "list_test_hard.txt",
    "H-cleaned": "list_test_hard2.txt",
}

FIRST, SECOND = "voxceleb1", "voxceleb2"

LIST_FOLDERS = (".", "lists", "meta", "voxceleb1")

META = ("vox1_meta.csv", "vox2_meta.csv")

HOME = "https://www.robots.ox.ac.uk/~vgg/data/voxceleb/"

SPEAKER_NAME = re.compile(r"id\d+")

UNREADABLE = ".m4a"
"""The ending of the files of VoxCeleb2's archive; libsndfile does not decode them."""

MERGED = "."

HALVES = (MERGED, "test", "dev")
"""Folders that the archives unpack their halves in, and that people merge them in."""

KINDS = (".", "aac", "wav", "flac")
"""The folder of the speakers; the archives' own, or one of converted files, or none."""


class _Meta(NamedTuple):
    """Facts of a speaker from a meta file; empty if it is silent."""

    gender: str = ""
    nationality: str = ""
    part: str = ""


class _Row(NamedTuple):
    unit: str
    id: str
    source: str
    line: int
    split: str
    session: str
    gender: str
    nationality: str


@dataclass(frozen=True, kw_only=True)
class VoxCeleb(AudioCorpus):
    """Training speakers of either corpus, and one of the six trial lists of VoxCeleb1.

    An item's session is its video; gender and nationality are empty if no meta file has them.

    Attributes:
        trial_list: the test; its speakers are never trained on.
        train: which of the two corpora give training speakers.
    """

    trial_list: Literal["O", "O-cleaned", "E", "E-cleaned", "H", "H-cleaned"] = "O-cleaned"
    train: Literal["vox1", "vox2", "vox1+2"] = "vox2"

    def __post_init__(self) -> None:
        """Refuse to train on test speakers.

        Raises:
            ValueError: the list tests the speakers of VoxCeleb1's training part.
        """
        if self.trial_list[0] in "EH" and self.train != "vox2":
            raise ValueError(
                f"the trial list {self.trial_list} tests the training speakers of VoxCeleb1, which "
                f'train = "{self.train}" would train on; give train = "vox2", or a list O'
            )

    def missing(self, folder: Path) -> Missing | None:
        """Return the corpora that are asked for and not there; the first brings the test."""
        wanted = [FIRST, *([SECOND] if self.train != "vox1" else [])]
        lacking = [part for part in wanted if not (folder / part).is_dir()]
        if not lacking:
            return None
        spared = lacking == [SECOND] and self.trial_list[0] == "O"
        without = ', or train without it: train = "vox1" in its table' if spared else ""
        mend = f"Unpack {' and '.join(lacking)} in {folder}{without}."
        return Missing(tuple(folder / part for part in lacking), mend)

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return the utterances of the trials, and the training speakers', without a split.

        Raises:
            DataError: a corpus, a list or a listed file is absent, a file was not converted from
                .m4a, or a list cannot be read.
        """
        del profile
        lines = {stem(name): line for name, line in self._trials(folder).first_lines().items()}
        tested = {item.split("/")[0] for item in lines}
        meta: dict[str, _Meta] = {}
        for name, place in product(META, reversed(LIST_FOLDERS)):
            if (folder / place / name).is_file():
                meta |= _read_meta(folder / place / name)
        first = _recordings(folder, FIRST, meta, None if "1" in self.train else tested)
        check_present(lines, first, self._path(folder))
        rows = [_row(item, first[item], line, "test", meta) for item, line in lines.items()]
        training = first if self.train != "vox2" else {}
        if self.train != "vox1":
            training = training | _recordings(folder, SECOND, meta)
        rows += [
            _row(item, source, 0, "", meta)
            for item, source in training.items()
            if item.split("/")[0] not in tested
        ]
        table = pd.DataFrame(sorted(rows), columns=_Row._fields)
        own = ["session", "gender", "nationality"]
        return table.assign(label=table["unit"], seconds=0.0)[[*COLUMNS, *own]]

    def trials(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """Return all trials of the list; their kind is `target` or `nontarget`.

        Raises:
            DataError: the list is absent or cannot be read.
        """
        del profile
        if split != "test":
            return None
        trials = self._trials(folder)
        enrol, test = (
            [stem(n) for n in names] for names in (trials.enrol_names, trials.test_names)
        )
        kind = word_column(trials.is_target.astype(np.int8), ["nontarget", "target"])
        return trials.table(enrol, test, kind)

    def _trials(self, folder: Path) -> TrialList:
        return read_corpus_trials(self._path(folder), "label enrol test")

    def _path(self, folder: Path) -> Path:
        name = TRIAL_LISTS[self.trial_list]
        for inner in LIST_FOLDERS:
            if (folder / inner / name).is_file():
                return folder / inner / name
        places = ", ".join(str(folder / inner) for inner in LIST_FOLDERS)
        raise DataError(
            f"{folder}: has no {name}, the trial list {self.trial_list}; looked in {places}; get "
            f"it from {HOME}meta/{name}"
        )


def _row(item: str, source: str, line: int, split: str, meta: dict[str, _Meta]) -> _Row:
    speaker, video = item.split("/")[:2]
    facts = meta.get(speaker, _Meta())
    return _Row(speaker, item, source, line, split, video, facts.gender, facts.nationality)


def _recordings(
    folder: Path, corpus: str, meta: dict[str, _Meta], speakers: Collection[str] | None = None
) -> dict[str, str]:
    """Return the sources of a corpus's utterances by `speaker/video/number`.

    Args:
        folder: the folder of the corpora.
        corpus: `voxceleb1`, of which all speakers are taken, or `voxceleb2`, of which those of the
            dev part are.
        meta: has the parts of VoxCeleb2 if they lie in one folder.
        speakers: look at no others.

    Raises:
        DataError: there is nothing, an utterance is there as .m4a alone, or a speaker of VoxCeleb2
            may be of the dev or of the test part.
    """
    found: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for half, place, speaker in _speakers(folder, corpus):
        wanted = speakers is None or speaker in speakers
        if wanted and (corpus == FIRST or _is_dev(half, speaker, meta, folder / place)):
            for item, source in _utterances(folder, f"{place}/{speaker}"):
                (unreadable if source.endswith(UNREADABLE) else found)[item] = source
    root = folder / corpus
    if not found and not unreadable:
        raise DataError(
            f"{root}: holds no recording; unpack the corpus there, so that "
            f"{corpus}/dev/{'wav' if corpus == FIRST else 'aac'}/idXXXXX/VIDEO/00001.wav is "
            "one (test/ beside dev/, or both in one wav/)"
        )
    left = [source for item, source in unreadable.items() if item not in found]
    if left:
        raise DataError(
            f"{root}: {len(left)} of {len(found.keys() | unreadable.keys())} utterances are there "
            f"as {UNREADABLE} alone, which cannot be decoded here: "
            f"{list_examples(left, len(left))}; convert each beside itself: "
            f"find {root} -name '*.m4a' -exec sh -c "
            '\'ffmpeg -n -i "$0" -ac 1 -ar 16000 "${0%.m4a}.wav"\' {} \\;'
        )
    return found


def _speakers(folder: Path, corpus: str) -> Iterator[tuple[str, str, str]]:
    """Yield half, folder and name of every speaker; by name within a folder."""
    for half, kind in product(HALVES, KINDS):
        place = Path(corpus, half, kind).as_posix()
        for speaker in _folders(folder / place):
            if SPEAKER_NAME.fullmatch(speaker):
                yield half, place, speaker


def _utterances(folder: Path, place: str) -> Iterator[tuple[str, str]]:
    speaker = place.rpartition("/")[2]
    for video in _folders(folder / place):
        names = sounds(folder / place / video, (UNREADABLE, *ENDINGS))
        for name, file in names.items():
            yield f"{speaker}/{video}/{name}", f"{place}/{video}/{file}"


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_dev(half: str, speaker: str, meta: dict[str, _Meta], root: Path) -> bool:
    part = meta.get(speaker, _Meta()).part if half == MERGED else half
    if not part:
        raise DataError(
            f"{root / speaker}: dev or test? put {META[1]} beside the trial lists, which tells "
            "it, or keep the speakers in voxceleb2/dev/ and voxceleb2/test/"
        )
    return part == "dev"


def _read_meta(path: Path) -> dict[str, _Meta]:
    """Read the facts of each speaker; words are separated by tabs or else commas."""
    text = read_text(path)
    reader = csv.reader(StringIO(text), delimiter="\t" if "\t" in text.partition("\n")[0] else ",")
    try:
        head, *rows = [[word.strip() for word in row] for row in reader] or [[]]
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: {error}") from error
    columns = [word.lower() for word in head]
    if not columns or not columns[0].endswith("id"):
        raise DataError(
            f"{path}: line 1 does not name columns, as in 'VoxCeleb2 ID, ..., Gender, Set'; get "
            "the file again"
        )
    found = {}
    for number, row in enumerate(rows, 2):
        if row and len(row) < len(columns):
            raise DataError(f"{path}: line {number}: {len(row)} columns, want {len(columns)}")
        if row:
            facts = dict(zip(columns, row, strict=False))
            found[row[0]] = _Meta(
                *(facts.get(name, "") for name in ("gender", "nationality", "set"))
            )
    return found
