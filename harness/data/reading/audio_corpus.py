"""Base classes of the readers of audio corpora."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from harness.config.tables import Profile
from harness.data.audio import read_audio
from harness.data.corpus import MODEL_COLUMNS, HeldOut, Samples, Uncompared
from harness.data.reading.item_table import SPEAKER, ListedUtterance, sort_by_speaker
from harness.data.reading.sources import Root, read_source
from harness.data.reading.text_lists import read_lines
from harness.errors import ConfigError
from harness.trials.trial_list import read_trials

Files = dict[HeldOut, str]
"""Split -> the name of a file in the corpus's folder, as `{ test = "trials" }` in the TOML file."""


class AudioCorpus(Uncompared):
    """Base of all readers of audio: a folder of sound files, split by speaker, without trials.

    A reader is a frozen dataclass that has `items`, and overrides the parts that differ.

    Attributes:
        convert: resample to 16 kHz and mix down, instead of calling other files damaged.
    """

    convert: bool = False

    version: ClassVar[int] = 1
    kind: ClassVar[str] = "audio"
    needs_folder: ClassVar[bool] = True
    unit: ClassVar[str] = "speaker"

    def read(self, item: Any, folder: Path) -> Samples:
        """Decode one file.

        Raises:
            DamagedItem: it cannot be used.
        """
        return read_audio(folder / item.source, convert=self.convert)


@dataclass(frozen=True, kw_only=True)
class SpeechCorpus(AudioCorpus, ABC):
    """Base of the layouts that anybody's speech may have; a layout has `entries` at least.

    Attributes:
        trial_lists: split -> a trial list in the corpus's folder, in any of the field's formats.
        enrolment: split -> a list of `model utterance ...`, if the trials name models.
        label: the classes: the speakers, or one of the layout's further columns.
        convert: as above.
    """

    trial_lists: Files = field(default_factory=dict)
    enrolment: Files = field(default_factory=dict)
    label: str = SPEAKER
    convert: bool = False

    @abstractmethod
    def entries(self, folder: Path) -> Iterable[ListedUtterance]:
        """Return the utterances of the corpus in any order."""

    def items(self, profile: Profile, folder: Path) -> pd.DataFrame:
        """Return the utterances, sorted by speaker and id.

        Raises:
            ConfigError: the reader's library is not installed, or a field is wrong.
            DataError: the layout's files cannot be used, or an id comes twice.
        """
        del profile
        return sort_by_speaker(self.entries(folder), self.label, str(folder))

    def trials(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """Return the list that `trial_lists` names; None if it names none.

        Raises:
            ScoreFileError: the file is absent, or lines of it cannot be read.
        """
        del profile
        if split not in self.trial_lists:
            return None
        trials = read_trials(folder / self.trial_lists[split])
        return pd.DataFrame(
            {
                "enrol": np.array(trials.enrol_names, dtype=object)[trials.enrol],
                "test": np.array(trials.test_names, dtype=object)[trials.test],
                "target": trials.is_target,
                "kind": np.where(trials.is_target, "target", "nontarget"),
            }
        )

    def models(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """Return the models that `enrolment` names; None if it names none.

        Raises:
            DataError: the file is absent, a line names no utterance, or a model comes twice.
        """
        del profile
        if split not in self.enrolment:
            return None
        lines = read_lines(
            folder / self.enrolment[split], "model utterance [utterance ...]", least=2
        )
        pairs = [(line.words[0], item) for line in lines for item in line.words[1:]]
        return pd.DataFrame(pairs, columns=list(MODEL_COLUMNS))


@dataclass(frozen=True, kw_only=True)
class SplitSpeechCorpus(SpeechCorpus):
    """Base of the layouts that have one list of utterances, or one for each split.

    Attributes:
        train, validation, test: the list of each split; none of them for a corpus that the
            benchmark splits. Without `validation` the benchmark holds training speakers out.
        allow_outside: paths may leave the corpus's folder.
        allow_commands: commands (`... |`) run, in a shell and in the corpus's folder.
    """

    train: str = ""
    validation: str = ""
    test: str = ""
    allow_outside: bool = False
    allow_commands: bool = False

    exact_seconds: ClassVar[bool] = False
    """True if the lists' durations are those of the sounds, and are checked."""

    def only_list(self) -> str:
        """Return the list of a corpus that has no list for each split: the folder itself."""
        return ""

    @abstractmethod
    def list_entries(self, root: Root, name: str, split: str) -> Iterable[ListedUtterance]:
        """Return the utterances of one list, all of them of a split."""

    def entries(self, folder: Path) -> Iterable[ListedUtterance]:
        """Yield the utterances of all lists."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        splits = own_splits(parts, str(folder)) if any(parts.values()) else {self.only_list(): ""}
        root = Root(folder, self.allow_outside)
        for name, split in splits.items():
            yield from self.list_entries(root, name, split)

    def read(self, item: Any, folder: Path) -> Samples:
        """Decode one utterance, or the part of a recording that it is.

        Raises:
            DamagedItem: it cannot be read, lasts otherwise than listed, or its command fails.
        """
        seconds = item.seconds if self.exact_seconds else None
        return read_source(
            item.source, folder, seconds, convert=self.convert, allow_commands=self.allow_commands
        )


def import_library(module: str, extra: str) -> Any:
    """Import the library that reads a layout.

    Args:
        module: the library, or a module of it.
        extra: the extra of this package that installs it.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"this layout is read by the library `{module.partition('.')[0]}`, which is not "
            f"installed: `pip install trialboard[{extra}]`"
        ) from error


def own_splits(parts: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the split of each part; empty if the benchmark is to split it.

    Training speakers without validation speakers are left to the benchmark, which holds some
    of them out.

    Args:
        parts: `train`, `validation` and `test` -> the part's name, empty if there is none.
        where: the corpus, for the error.

    Returns:
        Part -> `train`, `validation`, `test` or nothing, in this order.

    Raises:
        ConfigError: parts to train on or to test on are missing, or two are one.

    >>> own_splits({"train": "dev", "validation": "", "test": "eval"}, "corpus")
    {'dev': '', 'eval': 'test'}
    """
    given = {split: name for split, name in parts.items() if name}
    named = " and ".join(f"`{split} = {name!r}`" for split, name in given.items()) or "no part"
    if set(given) not in ({"train"}, {"train", "test"}, {"train", "validation", "test"}):
        raise ConfigError(
            f"{where}: {named} {'is' if len(given) == 1 else 'are'} given; give `train` "
            "alone, `train` and `test`, or `train`, `validation` and `test`"
        )
    if len(set(given.values())) < len(given):
        raise ConfigError(f"{where}: {named} must be parts of their own")
    whole = "validation" in given
    return {name: split if whole or split == "test" else "" for split, name in given.items()}
