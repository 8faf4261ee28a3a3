"""Trial lists and enrolment maps that a corpus brings as files of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from harness.config.tables import Profile
from harness.data.corpus import MODEL_COLUMNS, HeldOut
from harness.data.reading.lists import read_lines
from harness.trials.trial_list import read_trials

Files = dict[HeldOut, str]
"""Split -> the name of a file in the corpus's folder, as `{ test = "trials" }` in the TOML file."""


@dataclass(frozen=True, kw_only=True)
class OwnLists:
    """What every reader has whose corpora may bring trial lists as files of their own.

    Attributes:
        trial_lists: split -> a trial list in the corpus's folder.
        enrolment: split -> a list of `model utterance ...`, where the trials name models.
    """

    trial_lists: Files = field(default_factory=dict)
    enrolment: Files = field(default_factory=dict)

    def trials(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """The list that `trial_lists` names."""
        del profile
        return own_trials(self.trial_lists, split, folder)

    def models(self, profile: Profile, folder: Path, split: HeldOut) -> pd.DataFrame | None:
        """The models that `enrolment` names."""
        del profile
        return own_models(self.enrolment, split, folder)


def own_trials(files: Mapping[HeldOut, str], split: HeldOut, folder: Path) -> pd.DataFrame | None:
    """The trial list of a split, in any of the field's formats; None where no file is given.

    Returns:
        A table with `TRIAL_COLUMNS`.

    Raises:
        ScoreFileError: the file is absent, or lines of it cannot be read.
    """
    if split not in files:
        return None
    trials = read_trials(folder / files[split])
    return pd.DataFrame(
        {
            "enrol": np.array(trials.enrol_names, dtype=object)[trials.enrol],
            "test": np.array(trials.test_names, dtype=object)[trials.test],
            "target": trials.is_target,
            "kind": np.where(trials.is_target, "target", "nontarget"),
        }
    )


def own_models(files: Mapping[HeldOut, str], split: HeldOut, folder: Path) -> pd.DataFrame | None:
    """The enrolment map of a split: lines of `model utterance utterance ...`.

    Returns:
        A table with `MODEL_COLUMNS`; None where no file is given.

    Raises:
        DataError: the file is absent, a line names no utterance, or a model comes twice.
    """
    if split not in files:
        return None
    lines = read_lines(folder / files[split], "model utterance [utterance ...]", least=2)
    pairs = [(line.words[0], item) for line in lines for item in line.words[1:]]
    return pd.DataFrame(pairs, columns=list(MODEL_COLUMNS))
