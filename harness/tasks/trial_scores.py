"""Scores of a trial list from embeddings, plain or measured against the training speakers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from harness.scoring.cosine import cosine_of_trials
from harness.scoring.normalisation import as_norm, cohort_statistics, speaker_means
from harness.scoring.preparation import average_by_model
from harness.scoring.preparation import subtract_mean as centred
from harness.tasks.task import Side
from harness.trials.index import Models, TrialIndex

Scoring = Literal["cosine", "as-norm", "s-norm"]
SCORINGS: tuple[str, ...] = get_args(Scoring)

Embeddings = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Cohort:
    """What scoring takes from the training split.

    Attributes:
        centre: `[items, size]`, the embeddings whose mean is subtracted; None for no subtraction.
        speakers: `[S, size]`, mean embedding of each speaker, the mean subtracted; None for no
            normalisation.
        top: how many of the nearest speakers normalise a score; None for all.
    """

    centre: Embeddings | None
    speakers: Embeddings | None
    top: int | None

    def moved(self, embeddings: Embeddings) -> Embeddings:
        """Embeddings less the mean that is to be subtracted."""
        return embeddings if self.centre is None else centred(embeddings, self.centre)


def cohort_of(training: Side, *, normalise: bool, top: int | None, subtract_mean: bool) -> Cohort:
    """Makes a cohort of the training split; at most all of its speakers are the nearest ones."""
    plain = Cohort(training.outputs if subtract_mean else None, None, None)
    if not normalise:
        return plain
    units = training.lists.items["unit"].to_numpy(str)
    means = speaker_means(plain.moved(training.outputs), units)
    return Cohort(plain.centre, means, None if top is None else min(top, len(means)))


def score_trials(
    embeddings: Embeddings, trials: TrialIndex, cohort: Cohort | None = None
) -> NDArray[np.float32]:
    """Scores every trial; a model is the mean of its items' embeddings.

    Args:
        embeddings: `[items, size]`.
        trials: rows of the two sides.
        cohort: what training gives; None for plain cosines.

    Returns:
        `[trials]`, float32.

    Raises:
        MetricError: an embedding of a trial has no direction, or the cohort has no spread.
    """
    tested = embeddings if cohort is None else cohort.moved(embeddings)
    enrolled = tested if trials.models is None else _models(tested, trials.models)
    scores = cosine_of_trials(enrolled, tested, trials.enrol, trials.test)
    if cohort is None or cohort.speakers is None:
        return scores
    test_side = cohort_statistics(tested, cohort.speakers, top=cohort.top)
    enrol_side = test_side
    if trials.models is not None:
        enrol_side = cohort_statistics(enrolled, cohort.speakers, top=cohort.top)
    normalised = as_norm(scores, enrol_side, test_side, trials.enrol, trials.test)
    return np.asarray(normalised, dtype=np.float32)


def _models(embeddings: Embeddings, models: Models) -> Embeddings:
    rows = np.arange(len(models.names))
    return average_by_model(embeddings[models.item], models.owner, rows)
