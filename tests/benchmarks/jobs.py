"""The jobs that are measured whole, each in a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness.metrics.detection import eer, min_dcf
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.scored_trials import ScoredTrials
from harness.metrics.speakers import speaker_replicates
from harness.scoring.cosine import cosine_of_trials
from harness.scoring.normalisation import as_norm, cohort_statistics
from harness.trials.score_file import read_scores
from harness.trials.trial_list import read_trials
from tests.benchmarks.alone import Stopwatch
from tests.benchmarks.corpus import SCORE_FILE, TRIAL_FILE

RESAMPLES = 1000


def evaluate(folder: Path) -> Stopwatch:
    """Goes from embeddings to both metrics, and then to their spread over resampled speakers."""
    enrol, test, cohort, speaker = (
        np.load(folder / f"{name}.npy") for name in ("enrol", "test", "cohort", "speaker")
    )
    point, watch = OperatingPoint(), Stopwatch()
    with watch.step("cosines"):
        enrol_rows = np.repeat(np.arange(len(enrol)), len(test))
        test_rows = np.tile(np.arange(len(test)), len(enrol))
        scores = cosine_of_trials(enrol, test, enrol_rows, test_rows)
    with watch.step("AS-norm"):
        sides = cohort_statistics(enrol, cohort, top=300), cohort_statistics(test, cohort, top=300)
        scores = as_norm(scores, *sides, enrol_rows, test_rows)
    with watch.step("EER and minDCF"):
        test_speaker = speaker[test_rows]
        is_target = enrol_rows == test_speaker
        parted = scores[is_target], scores[~is_target]
        watch.values["eer"] = eer(*parted).value
        watch.values["min_dcf"] = min_dcf(*parted, point).value
    with watch.step("resamples"):
        trials = ScoredTrials(scores, is_target, enrol_rows, test_speaker)
        replicates = speaker_replicates(trials, point, resamples=RESAMPLES, seed=0)
        watch.values["eer_spread"] = float(replicates.eer.std())
        watch.values["min_dcf_spread"] = float(replicates.min_dcf.std())
    return watch


def read(folder: Path) -> Stopwatch:
    """Reads a trial list, and a score file that is joined to it."""
    watch = Stopwatch()
    with watch.step("trials"):
        trials = read_trials(folder / TRIAL_FILE)
    with watch.step("scores"):
        scored = read_scores(folder / SCORE_FILE, trials)
    watch.values["trials"] = float(len(scored.scores))
    watch.values["targets"] = float(np.count_nonzero(trials.is_target))
    return watch
