"""A score file in the field's formats, joined to a locked trial list."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.data.corpus import HeldOut
from harness.datasets.listing import Listing
from harness.errors import RequestError
from harness.metrics.errors import MetricError
from harness.metrics.operating_point import OperatingPoint
from harness.registry.submit.received import check_length
from harness.tasks.task import Scores
from harness.tasks.trial_metrics import decide
from harness.trials.join import read_scores
from harness.trials.trials import TrialList

MERGED = 0.01
"""Of distinct scores, the most that rounding to float32 may make equal."""


def locked_trials(listing: Listing, split: HeldOut) -> TrialList:
    """A split's trials as files of scores are joined to them.

    Raises:
        RequestError: the dataset has none.
    """
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


def trial_scores(path: Path, listing: Listing, split: HeldOut) -> NDArray[np.floating[Any]]:
    """Scores of a locked list, `[trials]`, in its order.

    Raises:
        RequestError: the file is too long.
        ScoreFileError: lines cannot be read (NaN and infinity among them), or a trial is missing,
            repeated or unknown; which, and how many.
    """
    trials = locked_trials(listing, split)
    check_length(path, len(trials))
    return stored(read_scores(path, trials).scores, str(path))


def stored(scores: NDArray[np.float64], where: str) -> NDArray[np.floating[Any]]:
    """Scores as they are kept: float32 as our own are, unless that would merge many of them.

    Raises:
        RequestError: one is too large for float32.
    """
    with np.errstate(over="ignore"):
        single = scores.astype(np.float32)
    if not np.isfinite(single).all():
        raise RequestError(f"{where}: a score is beyond {np.finfo(np.float32).max:.3g}")
    distinct = len(np.unique(scores))
    return single if len(np.unique(single)) >= (1 - MERGED) * distinct else scores


def decided(
    scores: NDArray[np.floating[Any]], listing: Listing, parameters: Mapping[str, Any]
) -> Scores:
    """What validation decides of a system's scores, as `Verification.score` has it.

    Args:
        scores: `[trials]` of validation.
        listing: the dataset's lists.
        parameters: of the task: prior and costs.

    Returns:
        `threshold`, that of validation's EER; `calibration`, scale and offset, absent where the
        scores are all one value.

    Raises:
        RequestError: the scores cannot be calibrated.
    """
    target = locked_trials(listing, "validation").is_target
    point = OperatingPoint(*(parameters[name] for name in ("p_target", "c_miss", "c_fa")))
    try:
        return decide(scores, target, point)
    except MetricError as error:
        raise RequestError(f"validation scores cannot be calibrated: {error}") from error
