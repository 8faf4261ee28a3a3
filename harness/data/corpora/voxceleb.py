"""VoxCeleb 1 and 2: `voxceleb1/` and `voxceleb2/` as unpacked, the trial lists, the meta files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.config.tables import Profile
from harness.data.audio import read_audio
from harness.data.corpora.voxceleb_files import Meta, read_meta, recordings
from harness.data.corpus import COLUMNS, HeldOut, Missing
from harness.data.reading.sound_files import check_present, stem
from harness.errors import DataError
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

HOME = "https://www.robots.ox.ac.uk/~vgg/data/voxceleb/"


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
class VoxCeleb:
    """Training speakers of either corpus, and one of the six trial lists of VoxCeleb1.

    An item's session is its video; gender and nationality are empty where no meta file tells them.

    Attributes:
        trial_list: what is tested; its speakers are never trained on.
        train: which of the two corpora give training speakers.
    """

    trial_list: Literal["O", "O-cleaned", "E", "E-cleaned", "H", "H-cleaned"] = "O-cleaned"
    train: Literal["vox1", "vox2", "vox1+2"] = "vox2"

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "speaker"

    def __post_init__(self) -> None:
        """Refuse to train on what is tested.

        Raises:
            ValueError: the list tests the speakers of VoxCeleb1's training part.
        """
        if self.trial_list[0] in "EH" and self.train != "vox2":
            raise ValueError(
                f"the trial list {self.trial_list} tests the training speakers of VoxCeleb1, which "
                f'train = "{self.train}" would train on; give train = "vox2", or a list O'
            )

    def missing(self, folder: Path) -> Missing | None:
        """The corpora that are asked for and not there; the first brings the test."""
        wanted = [FIRST, *([SECOND] if self.train != "vox1" else [])]
        lacking = [part for part in wanted if not (folder / part).is_dir()]
        if not lacking:
            return None
        spared = lacking == [SECOND] and self.trial_list[0] == "O"
        without = ', or train without it: train = "vox1" in its table' if spared else ""
        mend = f"Unpack {' and '.join(lacking)} in {folder}{without}."
        return Missing(tuple(folder / part for part in lacking), mend)

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """The utterances that the trials name, and the training speakers', without a split.

        Raises:
            DataError: a corpus, a list or a listed file is absent, a file was not converted from
                .m4a, or a list cannot be read.
        """
        del profile
        lines = {stem(name): line for name, line in self._listed(folder).first_lines().items()}
        tested = {item.split("/")[0] for item in lines}
        meta = read_meta(folder, LIST_FOLDERS)
        first = recordings(folder, FIRST, meta, None if "1" in self.train else tested)
        check_present(lines, first, self._path(folder))
        rows = [_row(item, first[item], line, "test", meta) for item, line in lines.items()]
        training: dict[str, str] = {}
        if self.train != "vox2":
            training |= first
        if self.train != "vox1":
            training |= recordings(folder, SECOND, meta)
        rows += [
            _row(item, source, 0, "", meta)
            for item, source in training.items()
            if item.split("/")[0] not in tested
        ]
        table = pd.DataFrame(sorted(rows), columns=_Row._fields)
        own = ["session", "gender", "nationality"]
        return table.assign(label=table["unit"], seconds=0.0)[[*COLUMNS, *own]]

    def trials(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """All trials of the list; their kind is `target` or `nontarget`.

        Raises:
            DataError: the list is absent or cannot be read.
        """
        del profile
        if split != "test":
            return None
        trials = self._listed(folder)
        enrol, test = (
            [stem(n) for n in names] for names in (trials.enrol_names, trials.test_names)
        )
        kind = word_column(trials.is_target.astype(np.int8), ["nontarget", "target"])
        return trials.table(enrol, test, kind)

    def models(self, profile: Profile, folder: Path, split: HeldOut) -> None:
        """Every utterance is enrolled by itself."""

    def read(self, item: Any, folder: Path) -> NDArray[np.int16]:
        """Decode one utterance.

        Raises:
            DamagedItem: the file cannot be used.
        """
        return read_audio(folder / item.source)

    def _listed(self, folder: Path) -> TrialList:
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


def _row(item: str, source: str, line: int, split: str, meta: dict[str, Meta]) -> _Row:
    speaker, video = item.split("/")[:2]
    facts = meta.get(speaker, Meta())
    return _Row(speaker, item, source, line, split, video, facts.gender, facts.nationality)
