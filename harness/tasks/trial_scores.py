"""Scores of a trial list: from embeddings, or read from a file that somebody else made."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.datasets.listing import Listing
from harness.errors import RequestError
from harness.scoring.cosine import cosine_of_trials
from harness.scoring.normalisation import as_norm, cohort_statistics, speaker_means
from harness.scoring.preparation import average_by_model, subtract_mean
from harness.tasks.task import Side
from harness.trials.index import TrialIndex
from harness.trials.score_file import read_scores
from harness.trials.trial_list import TrialList

Scoring = Literal["cosine", "as-norm", "s-norm"]
SCORINGS: tuple[str, ...] = get_args(Scoring)

Embeddings = NDArray[np.float32]

MERGED = 0.01
"""Of distinct scores, the most that rounding to float32 may make equal."""

BYTES_A_TRIAL = 1_000
"""A line of a score file holds two names and a number."""

LINES_A_TRIAL = 2
"""Lines beyond the trials of the list are named in an error, up to here."""

AT_LEAST = 1_000
"""Lines that any file may have, however short its list."""

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, eq=False)
class Cohort:
    """The statistics of the training split that scoring needs.

    Attributes:
        centre: `[items, size]`, the embeddings whose mean is subtracted; None for no subtraction.
        speakers: `[S, size]`, mean embedding of each speaker, the mean subtracted; None for no
            normalisation.
        top: how many of the nearest speakers normalise a score; None for all.
    """

    centre: Embeddings | None
    speakers: Embeddings | None
    top: int | None

    def subtract_centre(self, embeddings: Embeddings) -> Embeddings:
        """Return embeddings less the mean that is to be subtracted."""
        return embeddings if self.centre is None else subtract_mean(embeddings, self.centre)


def cohort_of(training: Side, *, normalise: bool, top: int | None, centre: bool) -> Cohort:
    """Make a cohort of the training split; at most all of its speakers are the nearest ones."""
    plain = Cohort(training.outputs if centre else None, None, None)
    if not normalise:
        return plain
    units = training.lists.items["unit"].to_numpy(str)
    means = speaker_means(plain.subtract_centre(training.outputs), units)
    return Cohort(plain.centre, means, None if top is None else min(top, len(means)))


def score_trials(
    embeddings: Embeddings, trials: TrialIndex, cohort: Cohort | None = None
) -> NDArray[np.float32]:
    """Score every trial; a model is the mean of its items' embeddings.

    Args:
        embeddings: `[items, size]`.
        trials: rows of the two sides.
        cohort: statistics of training; None for plain cosines.

    Returns:
        `[trials]`, float32.

    Raises:
        MetricError: an embedding of a trial has no direction, or the cohort has no spread.
    """
    tested = embeddings if cohort is None else cohort.subtract_centre(embeddings)
    enrolled, models = tested, trials.models
    if models is not None:
        rows = np.arange(len(models.names))
        enrolled = average_by_model(tested[models.item], models.owner, rows)
    scores = cosine_of_trials(enrolled, tested, trials.enrol, trials.test)
    if cohort is None or cohort.speakers is None:
        return scores
    test_side = cohort_statistics(tested, cohort.speakers, top=cohort.top)
    enrol_side = test_side
    if models is not None:
        enrol_side = cohort_statistics(enrolled, cohort.speakers, top=cohort.top)
    normalised = as_norm(scores, enrol_side, test_side, trials.enrol, trials.test)
    return np.asarray(normalised, dtype=np.float32)


def read_trial_scores(
    path: Path, listing: Listing, split: str
) -> tuple[NDArray[np.floating[Any]], NDArray[np.bool_]]:
    """Read scores of a locked list from a file in one of the field's formats.

    Returns:
        The scores `[trials]` in the list's order, in float32 as our own are, unless that would
        merge many of them; and which trials are targets, `[trials]`.

    Raises:
        RequestError: the dataset has no such trials, the file is too long, or a score is too large
            for float32.
        ScoreFileError: lines cannot be read (NaN and infinity among them), or a trial is missing,
            repeated or unknown; which, and how many.
    """
    trials = _trial_list(listing, split)
    check_length(path, len(trials))
    scores = read_scores(path, trials).scores
    with np.errstate(over="ignore"):
        single = scores.astype(np.float32)
    if not np.isfinite(single).all():
        raise RequestError(f"{path}: a score is beyond {np.finfo(np.float32).max:.3g}")
    is_merged = len(np.unique(single)) < (1 - MERGED) * len(np.unique(scores))
    return scores if is_merged else single, trials.is_target


def check_length(path: Path, trials: int) -> None:
    """Refuse a text file that is too long to be scores of a list, before it is read.

    Args:
        path: a plain or gzip file; the size of its text counts.
        trials: of the list.

    Raises:
        RequestError: too many bytes or lines, or a broken gzip file.
    """
    most_lines = LINES_A_TRIAL * trials + AT_LEAST
    most_bytes, lines, size = BYTES_A_TRIAL * most_lines, 0, 0
    try:
        with _open_text(path) as file:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
                lines += chunk.count(b"\n")
                if size > most_bytes or lines > most_lines:
                    raise RequestError(
                        f"{path}: more than {most_lines:,} lines or {most_bytes:,} bytes of text, "
                        f"and the list has {trials:,} trials; give one line a trial"
                    )
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RequestError(f"{path}: broken gzip file ({error}); make it again") from error


def _open_text(path: Path) -> IO[bytes] | gzip.GzipFile:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return gzip.open(path) if packed else path.open("rb")


def _trial_list(listing: Listing, split: str) -> TrialList:
    table = listing.trial_tables.get(split)
    if table is None:
        raise RequestError(f"{listing.key}: has no {split} trials")
    enrol, enrol_names = pd.factorize(table.trials["enrol"].astype(str))
    test, test_names = pd.factorize(table.trials["test"].astype(str))
    return TrialList(
        path=Path(f"the locked {split} trials of {listing.name}"),
        enrol=enrol.astype(np.int32),
        test=test.astype(np.int32),
        enrol_names=tuple(enrol_names),
        test_names=tuple(test_names),
        is_target=table.trials["target"].to_numpy(bool),
    )
