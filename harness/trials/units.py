"""The speakers behind a trial list: what an interval resamples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from harness.trials.columns import Codes, Numbering
from harness.trials.complaints import EXAMPLES, ScoreFileError, counted, listed
from harness.trials.trials import TrialList
from harness.trials.utt2spk import read_utt2spk


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
