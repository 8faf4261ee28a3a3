"""The speakers behind a trial list, and draws of them: what an interval resamples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.speakers import speaker_draws
from harness.trials.file_table import read_table
from harness.trials.formats import SPEAKER_LAYOUTS
from harness.trials.parsing import Codes, Numbering
from harness.trials.text_lines import ScoreFileError, count_of, list_examples
from harness.trials.trial_list import TrialList, find_repeats

FEWEST_SPEAKERS = 2
FEWEST_TRIALS = 2
"""Of either side: with fewer there is no spread to see."""


@dataclass(frozen=True, eq=False)
class Speakers:
    """The speakers of N trials.

    Attributes:
        enrol: `[N]`, the enrolled speaker's number, from 0.
        test: `[N]`, the test speaker's, of the same numbering; equal in target trials only.
        count: the number of speakers.
        origin: the source that they were taken from.
        note: a caveat for the reader of an interval; empty if there is none.
    """

    enrol: Codes
    test: Codes
    count: int
    origin: Literal["utt2spk", "target trials"]
    note: str = ""


@dataclass(frozen=True)
class NoSpeakers:
    """The reason why the speakers are unknown, so that no interval can be given."""

    reason: str


@dataclass(frozen=True, eq=False)
class Resampling:
    """One set of draws of a trial list's speakers, shared by all systems scored on the list.

    Attributes:
        speakers: of both sides of every trial.
        draws: `[R, S]`, how often each speaker was drawn.
        redrawn: how many draws held no target or no nontarget trial and were drawn again.
        seed: of the draws.
    """

    speakers: Speakers
    draws: NDArray[np.int64]
    redrawn: int
    seed: int

    @property
    def units(self) -> int:
        """S, the number of speakers that were resampled."""
        return int(self.draws.shape[1])

    def trials(
        self, scores: NDArray[np.floating[Any]], is_target: NDArray[np.bool_]
    ) -> ScoredTrials:
        """Return a system's scores with the speakers of both sides."""
        return ScoredTrials(scores, is_target, self.speakers.enrol, self.speakers.test)


def speakers_of(trials: TrialList, utt2spk: Path | None = None) -> Speakers | NoSpeakers:
    """Find the speakers that a trial list compares.

    With `utt2spk`, the speaker of a name is the one its line gives; an enrolment model without a
    line may be called by its speaker's id. Without it, names that target trials join, directly or
    by way of others, are one speaker: the connected components of the graph whose nodes are names
    (one on both sides is one node) and whose edges are target trials. Such units may be finer than
    speakers, if utterances of one speaker are never compared.

    Args:
        trials: the list.
        utt2spk: a Kaldi file of `utterance speaker` lines.

    Returns:
        The speakers, or why target trials do not determine them.

    Raises:
        ScoreFileError: the file cannot be read, lacks names of the list, or contradicts a label.
    """
    return _speakers_by_file(trials, utt2spk) if utt2spk else _speakers_by_targets(trials)


def _speakers_by_file(trials: TrialList, path: Path) -> Speakers:
    speaker_of, numbering = _read_utt2spk(path), Numbering()
    own = {speaker: speaker for speaker in speaker_of.values()} | speaker_of
    enrol_speakers = _look_up_speakers(own, trials.enrol_names, "enrol", path)
    enrol = numbering.number(enrol_speakers)[trials.enrol]
    test_speakers = _look_up_speakers(speaker_of, trials.test_names, "test", path)
    test = numbering.number(test_speakers)[trials.test]
    wrong = np.flatnonzero((enrol == test) != trials.is_target)
    if wrong.size:
        kinds = {True: "target trial of two speakers", False: "nontarget trial of one speaker"}
        examples = (
            f"{trials.describe(at)} is a {kinds[bool(trials.is_target[at])]}"
            for at in wrong.tolist()
        )
        raise ScoreFileError(
            f"{path}: contradicts the labels of {count_of(len(wrong), 'trial')} of {len(trials)} "
            f"in {trials.path}: {list_examples(examples, len(wrong))}; one of the files is wrong"
        )
    return Speakers(enrol, test, len(numbering), "utt2spk")


def _look_up_speakers(
    speaker_of: dict[str, str], names: Sequence[str], side: str, path: Path
) -> list[str]:
    unknown = sorted(name for name in names if name not in speaker_of)
    if unknown:
        raise ScoreFileError(
            f"{path}: has no speaker for {len(unknown)} of {len(names)} {side} names: "
            f"{list_examples(map(repr, unknown), len(unknown))}; add a line "
            f"`{unknown[0]} <speaker>` for each"
        )
    return [speaker_of[name] for name in names]


def _read_utt2spk(path: Path) -> dict[str, str]:
    """Read a Kaldi file of `utterance speaker` lines, plain or gzip: utterance -> speaker."""
    table = read_table(path, SPEAKER_LAYOUTS)
    places, firsts = find_repeats(table.codes["utterance"])
    if places.size:
        raise ScoreFileError(
            f"{path}: {count_of(len(places), 'line')} of {len(table)} repeat an utterance: "
            f"{table.describe_repeats(places, firsts)}; keep each utterance once"
        )
    utterance, speaker = (
        map(table.names[name].__getitem__, table.codes[name].tolist())
        for name in ("utterance", "speaker")
    )
    return dict(zip(utterance, speaker, strict=True))


def _speakers_by_targets(trials: TrialList) -> Speakers | NoSpeakers:
    nodes = Numbering()
    enrol = nodes.number(trials.enrol_names)[trials.enrol]
    test = nodes.number(trials.test_names)[trials.test]
    edges = enrol[trials.is_target], test[trials.is_target]
    ones = np.ones(len(edges[0]), dtype=np.int8)
    graph = coo_array((ones, edges), shape=(len(nodes), len(nodes)))
    count, components = connected_components(graph, directed=False)
    speaker_of = np.asarray(components, dtype=np.int32)
    within = np.flatnonzero((speaker_of[enrol] == speaker_of[test]) & ~trials.is_target)
    if within.size:
        joins = "trial joins items" if len(within) == 1 else "trials join items"
        return NoSpeakers(
            f"{len(within)} nontarget {joins} of one speaker by the target trials of "
            f"{trials.path}: {list_examples(map(trials.describe, within.tolist()), len(within))}; "
            "give an utt2spk file, or mend the labels"
        )
    alone = len(nodes) - len(np.union1d(*edges))
    end = "s" if alone == 1 else ""
    note = (
        f"{alone} of {len(nodes)} names stand{end} in no target trial and count{end} as a speaker "
        "of its own; the units may be finer than speakers"
    )
    sides = speaker_of[enrol], speaker_of[test]
    return Speakers(*sides, int(count), "target trials", note if alone else "")


def resample_speakers(
    trials: TrialList, speakers: Speakers | NoSpeakers, *, resamples: int, seed: int
) -> Resampling | NoSpeakers:
    """Draw the speakers of a trial list, or say why no interval can be given.

    Args:
        trials: the list.
        speakers: who speaks in it.
        resamples: the number of draws.
        seed: of the draws.
    """
    if isinstance(speakers, NoSpeakers):
        return speakers
    if speakers.count < FEWEST_SPEAKERS:
        return NoSpeakers("all trials are of one speaker; an interval needs at least 2")
    targets = int(np.count_nonzero(trials.is_target))
    fewest = min(targets, len(trials) - targets)
    if fewest < FEWEST_TRIALS:
        return NoSpeakers(f"{fewest} trial on one side; an interval needs at least 2 on each")
    speakers = _number_by_name(trials, speakers)
    # The draws depend on labels and speakers alone, so any scores will do.
    unscored = np.zeros(len(trials), dtype=np.float32)
    any_scores = ScoredTrials(unscored, trials.is_target, speakers.enrol, speakers.test)
    draws, redrawn = speaker_draws(any_scores, resamples=resamples, seed=seed)
    return Resampling(speakers, draws, redrawn, seed)


def _number_by_name(trials: TrialList, speakers: Speakers) -> Speakers:
    """Number the speakers in the order of the first of each one's names.

    Draws go by number, and numbers by how a file was read; so one list has one set of draws,
    whatever its order and format, and whichever file gives the same speakers.
    """
    names = np.array([*trials.enrol_names, *trials.test_names], dtype=object)
    speaker_of = np.empty(len(names), dtype=np.int32)
    speaker_of[trials.enrol] = speakers.enrol
    speaker_of[trials.test + len(trials.enrol_names)] = speakers.test
    order = pd.unique(speaker_of[np.argsort(names)])
    number = np.empty(speakers.count, dtype=np.int32)
    number[order] = np.arange(len(order))
    return replace(speakers, enrol=number[speakers.enrol], test=number[speakers.test])
