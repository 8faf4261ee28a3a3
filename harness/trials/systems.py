"""Several systems on one trial list: read, calibrated, fused and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import RequestError
from harness.metrics.comparison import PairedDifference, compare_replicates, holm
from harness.metrics.operating_point import OperatingPoint
from harness.metrics.validation import MetricError
from harness.scoring.calibration import fit_calibration, fit_fusion
from harness.trials.score_file import read_scores
from harness.trials.system_report import SystemReport
from harness.trials.text_lines import STANDARD_INPUT
from harness.trials.trial_list import TrialList, read_trials

Systems = Mapping[str, NDArray[np.float64]]
"""Name of a system -> its scores, in the order of one trial list."""

FUSION = "fusion"
"""The name of the fusion of all systems."""


def read_systems(
    paths: Sequence[Path], trials: TrialList | None, *, layout: str | None = None
) -> tuple[TrialList, Systems]:
    """Read the scores of some systems on one trial list.

    Args:
        paths: one score file a system.
        trials: the list; None takes that of the first file, which must hold labels.
        layout: of all the files, one of `SCORE_LAYOUTS`; None detects it from the content.

    Raises:
        RequestError: there is no file, or one is given twice.
        ScoreFileError: a file cannot be read or is not of this list.
    """
    systems = {}
    for name, path in zip(system_names(paths), paths, strict=True):
        joined = read_scores(path, trials, layout=layout)
        trials, systems[name] = joined.trials, joined.scores
    if trials is None:
        raise RequestError("no score file; give at least one with --scores")
    return trials, systems


def system_names(paths: Sequence[Path]) -> list[str]:
    """Name each file: its own name without ending, or its path if two share that.

    Raises:
        RequestError: a file is given twice.

    >>> system_names([Path("a/ecapa.txt.gz"), Path("resnet.txt")])
    ['ecapa', 'resnet']
    >>> system_names([Path("a/scores.txt"), Path("b/scores.txt")])
    ['a/scores.txt', 'b/scores.txt']
    """
    if twice := [path for place, path in enumerate(paths) if path in paths[:place]]:
        raise RequestError(f"{twice[0]}: given twice; give each system's score file once")
    titles = ["standard input" if path == STANDARD_INPUT else path.name for path in paths]
    short = [title.removesuffix(".gz").rsplit(".", 1)[0] or title for title in titles]
    names = [
        str(path) if short.count(name) > 1 else name
        for name, path in zip(short, paths, strict=True)
    ]
    return names if len(set(names)) == len(names) else list(map(str, paths))


def calibrate_systems(
    systems: Systems, trials: Path, scores: Sequence[Path], point: OperatingPoint, *, fuse: bool
) -> Systems:
    """Turn scores into natural-log likelihood ratios, by trials that are not the ones judged.

    Args:
        systems: the systems that are judged.
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
    held_out, tuning = read_systems(scores, read_trials(trials))
    is_target, prior = held_out.is_target, point.effective_prior
    calibrated = {}
    for path, name, tuned in zip(scores, systems, tuning.values(), strict=True):
        try:
            calibration = fit_calibration(tuned, is_target, p_target=prior)
        except MetricError as error:
            raise RequestError(f"{path}: no calibration can be fitted to it: {error}") from error
        calibrated[name] = calibration.apply(systems[name])
    if fuse:
        fusion = fit_fusion(list(tuning.values()), is_target, p_target=prior)
        calibrated[FUSION] = fusion.apply(list(systems.values()))
    return calibrated


@dataclass(frozen=True)
class SystemDifference:
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
    difference: PairedDifference
    p: float


def compare_systems(reports: Sequence[SystemReport], units: int) -> list[SystemDifference]:
    """Compare every pair of systems in EER and in minDCF at every operating point.

    Args:
        reports: with the replicates of one set of draws.
        units: the number of speakers that were drawn.
    """
    metrics = {"eer": [report.eer for report in reports]}
    for place, cost in enumerate(reports[0].costs):
        point = cost.point
        name = f"min_dcf(p_target={point.p_target:g}, c_miss={point.c_miss:g}, c_fa={point.c_fa:g})"
        metrics[name] = [report.costs[place].least for report in reports]
    names = list(combinations([report.name for report in reports], 2))
    rows = []
    for metric, estimates in metrics.items():
        differences = [
            compare_replicates(a.value, a.replicates, b.value, b.replicates, units)
            for a, b in combinations(estimates, 2)
        ]
        corrected = holm([difference.p for difference in differences]).tolist()
        for pair, difference, p in zip(names, differences, corrected, strict=True):
            rows.append(SystemDifference(*pair, metric, difference, p))
    return rows
