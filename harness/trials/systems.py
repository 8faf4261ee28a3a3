"""Several systems on one trial list: read, calibrated, fused and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import RequestError
from harness.metrics.comparison import Difference, holm, paired_difference
from harness.metrics.errors import MetricError
from harness.metrics.operating_point import OperatingPoint
from harness.scoring.calibration import Calibration, fit_calibration, fit_fusion
from harness.trials.score_file import read_scores
from harness.trials.system_report import Estimate, Report
from harness.trials.text_lines import STANDARD_INPUT
from harness.trials.trial_list import TrialList, read_trials

Systems = Mapping[str, NDArray[np.float64]]
"""Name of a system -> its scores, in the order of one trial list."""

FUSION = "fusion"
"""The name of what all systems together make."""


def read_systems(
    paths: Sequence[Path], trials: TrialList | None, *, layout: str | None = None
) -> tuple[TrialList, Systems]:
    """Reads the scores of some systems on one trial list.

    Args:
        paths: one score file a system.
        trials: the list; None takes that of the first file, which must hold labels.
        layout: of all the files, one of `SCORE_LAYOUTS`; None tells it from the content.

    Raises:
        ScoreFileError: a file cannot be read or is not of this list.
    """
    systems = {}
    for name, path in zip(names_of(paths), paths, strict=True):
        scored = read_scores(path, trials, layout=layout)
        trials, systems[name] = scored.trials, scored.scores
    if trials is None:
        raise RequestError("no score file; give at least one with --scores")
    return trials, systems


def names_of(paths: Sequence[Path]) -> list[str]:
    """A name for each file: its own without ending, or where two share that, its path.

    Raises:
        RequestError: a file is given twice.

    >>> names_of([Path("a/ecapa.txt.gz"), Path("resnet.txt")])
    ['ecapa', 'resnet']
    >>> names_of([Path("a/scores.txt"), Path("b/scores.txt")])
    ['a/scores.txt', 'b/scores.txt']
    """
    if twice := [path for place, path in enumerate(paths) if path in paths[:place]]:
        raise RequestError(f"{twice[0]}: given twice; give each system's score file once")
    short = [_called(path).removesuffix(".gz").rsplit(".", 1)[0] or path.name for path in paths]
    names = [
        str(path) if short.count(name) > 1 else name
        for name, path in zip(short, paths, strict=True)
    ]
    return names if len(set(names)) == len(names) else list(map(str, paths))


def _called(path: Path) -> str:
    return "standard input" if path == STANDARD_INPUT else path.name


def calibrated(
    systems: Systems, trials: Path, scores: Sequence[Path], point: OperatingPoint, *, fuse: bool
) -> Systems:
    """Turns scores into natural-log likelihood ratios, by trials that are not the ones judged.

    Args:
        systems: what is judged.
        trials: the trial list of the calibration.
        scores: the same systems' score files on it, in the same order.
        point: where the ratios will be used.
        fuse: whether to add the fusion of all systems.

    Raises:
        RequestError: another number of systems, a single one to fuse, one that is called like the
            fusion, or scores that nothing can be fitted to.
        ScoreFileError: a file cannot be read or is not of the list.
        MetricError: the fit of the fusion is impossible.
    """
    _check_systems(systems, scores, fuse=fuse)
    held, tuning = read_systems(scores, read_trials(trials))
    prior = point.effective_prior
    made = {
        name: _fitted(path, tuned, held, prior).apply(judged)
        for path, (name, judged), tuned in zip(
            scores, systems.items(), tuning.values(), strict=True
        )
    }
    if fuse:
        fitted = fit_fusion(list(tuning.values()), held.is_target, p_target=prior)
        made[FUSION] = fitted.apply(list(systems.values()))
    return made


def _check_systems(systems: Systems, scores: Sequence[Path], *, fuse: bool) -> None:
    if len(scores) != len(systems):
        raise RequestError(
            f"{len(scores)} calibration score files for {len(systems)} systems; give "
            "--calibration-scores once for each --scores, in the same order"
        )
    if fuse and len(systems) < 2:
        raise RequestError("--fuse: there is one system; give --scores at least twice")
    if fuse and FUSION in systems:
        raise RequestError(
            f"--fuse: a score file is called {FUSION!r}, like the fusion of all; rename it"
        )


def _fitted(
    path: Path, scores: NDArray[np.float64], held: TrialList, p_target: float
) -> Calibration:
    try:
        return fit_calibration(scores, held.is_target, p_target=p_target)
    except MetricError as error:
        raise RequestError(f"{path}: no calibration can be fitted to it: {error}") from error


@dataclass(frozen=True)
class Compared:
    """Two systems' difference in one metric, paired on the same draws of speakers.

    Attributes:
        first, second: names of the systems.
        metric: `eer`, or `min_dcf` with its operating point.
        difference: the first less the second.
        p: of no difference, Holm-corrected over all pairs of systems.
    """

    first: str
    second: str
    metric: str
    difference: Difference
    p: float


def differences(reports: Sequence[Report], units: int) -> list[Compared]:
    """Compares every pair of systems in EER and in minDCF at every operating point.

    Args:
        reports: with the replicates of one set of draws.
        units: how many speakers were drawn.
    """
    metrics: dict[str, Callable[[Report], Estimate]] = {"eer": lambda report: report.eer}
    for place, cost in enumerate(reports[0].costs):
        point = cost.point
        name = f"min_dcf(p_target={point.p_target:g}, c_miss={point.c_miss:g}, c_fa={point.c_fa:g})"
        metrics[name] = lambda report, place=place: report.costs[place].least  # type: ignore[misc]
    return [row for name, of in metrics.items() for row in _pairs(reports, name, of, units)]


def _pairs(
    reports: Sequence[Report], metric: str, of: Callable[[Report], Estimate], units: int
) -> list[Compared]:
    pairs = list(combinations(reports, 2))
    found = [_difference(of(first), of(second), units) for first, second in pairs]
    corrected = holm([difference.p for difference in found])
    return [
        Compared(first.name, second.name, metric, difference, float(p))
        for (first, second), difference, p in zip(pairs, found, corrected, strict=True)
    ]


def _difference(first: Estimate, second: Estimate, units: int) -> Difference:
    return paired_difference(first.value, first.replicates, second.value, second.replicates, units)
