"""`harness score`: what score files in the field's formats say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import options
from harness.cli.output import give, give_json, say
from harness.cli.standard_input import check_standard_input
from harness.errors import RequestError

if TYPE_CHECKING:
    from harness.metrics.operating_point import OperatingPoint

SEED = 20261120


def score(
    *,
    scores: Annotated[
        list[Path],
        typer.Option(
            "--scores", help="Score file, a system each (repeatable); - is standard input."
        ),
    ],
    trials: Annotated[
        Path | None,
        typer.Option(
            "--trials",
            help="Trial list; left out where the score file holds labels; - is standard input.",
        ),
    ] = None,
    trials_layout: Annotated[
        str | None,
        typer.Option("--trials-layout", help="Columns, as in 'label enrol test'; else told."),
    ] = None,
    scores_layout: Annotated[
        str | None,
        typer.Option("--scores-layout", help="Columns, as in 'score enrol test'; else told."),
    ] = None,
    utt2spk: Annotated[
        Path | None,
        typer.Option("--utt2spk", help="Whose each utterance is; else told from target trials."),
    ] = None,
    p_target: Annotated[
        list[float] | None,
        typer.Option("--p-target", help="Prior of a target (repeatable; default 0.01)."),
    ] = None,
    c_miss: Annotated[
        list[float] | None, typer.Option("--c-miss", help="Cost of a miss: one, or one a prior.")
    ] = None,
    c_fa: Annotated[
        list[float] | None,
        typer.Option("--c-fa", help="Cost of a false alarm: one, or one a prior."),
    ] = None,
    calibration_trials: Annotated[
        Path | None,
        typer.Option("--calibration-trials", help="Trial list to calibrate on: others."),
    ] = None,
    calibration_scores: Annotated[
        list[Path] | None,
        typer.Option("--calibration-scores", help="Scores on it, one for each --scores."),
    ] = None,
    fuse: Annotated[
        bool, typer.Option("--fuse", help="Judge the fusion of all systems too.")
    ] = False,
    det: Annotated[
        Path | None, typer.Option("--det", help="Draw a DET plot: .png, .svg or .pdf.")
    ] = None,
    resamples: Annotated[
        int,
        typer.Option("--resamples", min=2, max=10**6, help="Draws of speakers behind an interval."),
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, max=2**32 - 1, help="Of the draws.")] = SEED,
    json: options.Json = False,
) -> None:
    """EER, minDCF, actDCF and Cllr of score files, with intervals over speakers."""
    from harness.metrics.validation import MetricError
    from harness.trials.det_plot import check_plot, draw_det
    from harness.trials.report_output import report_document, report_text
    from harness.trials.system_report import judge
    from harness.trials.systems import calibrate_systems, compare_systems, read_systems
    from harness.trials.trial_list import read_trials
    from harness.trials.trial_speakers import Resampling, resample_speakers, speakers_of

    points = _points(p_target, c_miss, c_fa)
    check_standard_input(trials, utt2spk, calibration_trials, *scores, *(calibration_scores or ()))
    if det:
        check_plot(det)
    listed = read_trials(trials, layout=trials_layout) if trials else None
    held, systems = read_systems(scores, listed, layout=scores_layout)
    is_calibrated = _asks_calibration(calibration_trials, calibration_scores, fuse=fuse)
    sample = resample_speakers(held, speakers_of(held, utt2spk), resamples=resamples, seed=seed)
    draws = sample if isinstance(sample, Resampling) else None
    try:
        if calibration_trials and calibration_scores:
            systems = calibrate_systems(
                systems, calibration_trials, calibration_scores, points[0], fuse=fuse
            )
        reports = [
            judge(name, values, held.is_target, points, draws) for name, values in systems.items()
        ]
    except MetricError as error:
        raise RequestError(str(error)) from error
    compared = compare_systems(reports, draws.units) if draws and len(reports) > 1 else []
    if det:
        draw_det(det, reports)
        say(f"DET plot: {det}")
    if json:
        give_json(report_document(reports, compared, sample))
    else:
        give(*report_text(reports, compared, sample, is_calibrated=is_calibrated))


def _points(
    p_target: Sequence[float] | None, c_miss: Sequence[float] | None, c_fa: Sequence[float] | None
) -> list[OperatingPoint]:
    """The operating points asked for; one cost holds for all priors.

    Raises:
        RequestError: a prior or cost out of range, or numbers of them that do not fit.
    """
    from harness.metrics.operating_point import OperatingPoint
    from harness.metrics.validation import MetricError

    priors = list(p_target or [OperatingPoint.p_target])
    columns = [
        _column("--c-miss", c_miss, OperatingPoint.c_miss, len(priors)),
        _column("--c-fa", c_fa, OperatingPoint.c_fa, len(priors)),
    ]
    try:
        return [OperatingPoint(*each) for each in zip(priors, *columns, strict=True)]
    except MetricError as error:
        raise RequestError(str(error)) from error


def _column(option: str, values: Sequence[float] | None, default: float, count: int) -> list[float]:
    given = list(values or [default])
    if len(given) not in (1, count):
        raise RequestError(
            f"{option} is given {len(given)} times and --p-target {count}; give it once, or once "
            "for each prior"
        )
    return given if len(given) == count else given * count


def _asks_calibration(trials: Path | None, scores: list[Path] | None, *, fuse: bool) -> bool:
    if bool(trials) != bool(scores):
        raise RequestError("--calibration-trials and --calibration-scores go together; give both")
    if fuse and not scores:
        raise RequestError(
            "--fuse learns its weights from other trials; give --calibration-trials and "
            "--calibration-scores"
        )
    return bool(scores)
