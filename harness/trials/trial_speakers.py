"""The speakers behind a trial list, and draws of them: what an interval resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from harness.metrics.speakers import speaker_draws
from harness.metrics.trials import Trials
from harness.trials.file_table import read_table
from harness.trials.formats import SPEAKER_LAYOUTS
from harness.trials.parsing import Codes, Numbering
from harness.trials.text_lines import EXAMPLES, ScoreFileError, counted, listed
from harness.trials.trial_list import TrialList, repeats


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


@dataclass(frozen=True, eq=False)
class Speakers:
    """The speakers of N trials.

    Attributes:
        enrol: `[N]`, the enrolled speaker's number, from 0.
        test: `[N]`, the test speaker's, of the same numbering; equal in target trials only.
        count: how many speakers there are.
        origin: what they were taken from.
        note: what a reader of an interval must know of them; empty where nothing.
    """

    enrol: Codes
    test: Codes
    count: int
    origin: Literal["utt2spk", "target trials"]
    note: str = ""


@dataclass(frozen=True)
class NoSpeakers:
    """Why the speakers cannot be told, so that no interval can be given."""

    reason: str


def speakers_of(trials: TrialList, utt2spk: Path | None = None) -> Speakers | NoSpeakers:
    """Tells which speakers a trial list compares.

    With `utt2spk`, the speaker of a name is the one its line gives; an enrolment model without a
    line may be called by its speaker's id. Without it, names that target trials join, directly or
    by way of others, are one speaker: the connected components of the graph whose nodes are names
    (one on both sides is one node) and whose edges are target trials. Such units may be finer than
    speakers, where utterances of one speaker are never compared.

    Args:
        trials: the list.
        utt2spk: a Kaldi file of `utterance speaker` lines.

    Returns:
        The speakers, or why target trials cannot tell them.

    Raises:
        ScoreFileError: the file cannot be read, lacks names of the list, or contradicts a label.
    """
    return _listed_speakers(trials, utt2spk) if utt2spk else _joined_speakers(trials)


def _listed_speakers(trials: TrialList, path: Path) -> Speakers:
    listing, numbering = read_utt2spk(path), Numbering()
    enrol = numbering.number(listing.of_models(trials.enrol_names))[trials.enrol]
    test = numbering.number(listing.of_tests(trials.test_names))[trials.test]
    _check_labels(trials, enrol, test, path)
    return Speakers(enrol, test, len(numbering.codes), "utt2spk")


def _check_labels(trials: TrialList, enrol: Codes, test: Codes, path: Path) -> None:
    wrong = np.flatnonzero((enrol == test) != trials.is_target)
    if wrong.size:
        examples = [
            f"{trials.line(trial)} is a {_contradiction(trials, trial)}"
            for trial in wrong[:EXAMPLES].tolist()
        ]
        raise ScoreFileError(
            f"{path}: contradicts the labels of {counted(len(wrong), 'trial')} of {len(trials)} in "
            f"{trials.path}: {listed(examples, len(wrong))}; one of the files is wrong"
        )


def _contradiction(trials: TrialList, trial: int) -> str:
    target = bool(trials.is_target[trial])
    return "target trial of two speakers" if target else "nontarget trial of one speaker"


def _joined_speakers(trials: TrialList) -> Speakers | NoSpeakers:
    nodes = Numbering()
    enrol_node = nodes.number(trials.enrol_names)[trials.enrol]
    test_node = nodes.number(trials.test_names)[trials.test]
    edges = (enrol_node[trials.is_target], test_node[trials.is_target])
    count, component = _components(edges, len(nodes.codes))
    enrol, test = component[enrol_node], component[test_node]
    within = np.flatnonzero((enrol == test) & ~trials.is_target)
    if within.size:
        return NoSpeakers(_reason(trials, within))
    alone = len(nodes.codes) - len(np.union1d(*edges))
    return Speakers(enrol, test, count, "target trials", _note(alone, len(nodes.codes)))


def _components(edges: tuple[Codes, Codes], nodes: int) -> tuple[int, Codes]:
    """How many components there are, and each node's, `[nodes]`."""
    graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(nodes, nodes))
    count, component = connected_components(graph, directed=False)
    return int(count), np.asarray(component, dtype=np.int32)


def _reason(trials: TrialList, within: NDArray[np.intp]) -> str:
    joins = "nontarget trial joins items" if len(within) == 1 else "nontarget trials join items"
    examples = listed([trials.line(trial) for trial in within[:EXAMPLES].tolist()], len(within))
    return (
        f"{len(within)} {joins} of one speaker by the target trials of {trials.path}: {examples}; "
        "give an utt2spk file, or mend the labels"
    )


def _note(alone: int, names: int) -> str:
    if not alone:
        return ""
    stand = (
        "stands in no target trial and counts"
        if alone == 1
        else "stand in no target trial and count"
    )
    return (
        f"{alone} of {names} names {stand} as a speaker of its own; "
        "the units may be finer than speakers"
    )


FEWEST_SPEAKERS = 2
FEWEST_TRIALS = 2
"""Of either side: with less there is no spread to see."""


@dataclass(frozen=True, eq=False)
class Resampling:
    """One set of draws.

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
        """S, how many speakers were resampled."""
        return int(self.draws.shape[1])

    def trials(self, scores: NDArray[np.floating[Any]], is_target: NDArray[np.bool_]) -> Trials:
        """A system's scores with the speakers of both sides."""
        return Trials(scores, is_target, self.speakers.enrol, self.speakers.test)


def resampled(
    trials: TrialList, speakers: Speakers | NoSpeakers, *, resamples: int, seed: int
) -> Resampling | NoSpeakers:
    """Draws the speakers of a trial list, or says why no interval can be given.

    Args:
        trials: the list.
        speakers: who speaks in it.
        resamples: how many draws.
        seed: of the draws.
    """
    if isinstance(speakers, NoSpeakers):
        return speakers
    if speakers.count < FEWEST_SPEAKERS:
        return NoSpeakers("all trials are of one speaker; an interval needs at least 2")
    targets = int(np.count_nonzero(trials.is_target))
    fewest = min(targets, len(trials.is_target) - targets)
    if fewest < FEWEST_TRIALS:
        return NoSpeakers(f"{fewest} trial on one side; an interval needs at least 2 on each")
    speakers = _numbered_by_name(trials, speakers)
    # The draws depend on labels and speakers alone, so any scores will do.
    unscored = np.zeros(len(trials.is_target), dtype=np.float32)
    listed = Trials(unscored, trials.is_target, speakers.enrol, speakers.test)
    draws, redrawn = speaker_draws(listed, resamples=resamples, seed=seed)
    return Resampling(speakers, draws, redrawn, seed)


def _numbered_by_name(trials: TrialList, speakers: Speakers) -> Speakers:
    """The same speakers, numbered in the order of the first of each one's names.

    Draws go by number, and numbers by how a file was read; so one list has one set of draws,
    whatever its order and format, and whichever file tells the same speakers.
    """
    enrol = _by_name(len(trials.enrol_names), trials.enrol, speakers.enrol)
    test = _by_name(len(trials.test_names), trials.test, speakers.test)
    speaker_of = dict(zip(trials.enrol_names, enrol, strict=True))
    speaker_of |= zip(trials.test_names, test, strict=True)
    ordered = list(dict.fromkeys(speaker_of[name] for name in sorted(speaker_of)))
    number = np.empty(speakers.count, dtype=np.int32)
    number[ordered] = np.arange(len(ordered))
    return replace(speakers, enrol=number[speakers.enrol], test=number[speakers.test])


def _by_name(count: int, names: Codes, speakers: Codes) -> list[int]:
    """The speaker of each of `count` names, from those of the trials."""
    found = np.empty(count, dtype=np.int32)
    found[names] = speakers
    return found.tolist()
