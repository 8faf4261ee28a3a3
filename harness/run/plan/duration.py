"""About how long a job will take: at the speed that was measured here, else by a short trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.config.loader import LoadedBenchmark
from harness.config.recipes import Recipe
from harness.datasets.listing import Listing
from harness.run.job.measurement import Speed, Trial
from harness.run.job.parts import make_task
from harness.run.job.spec import JobSpec
from harness.run.plan.judged import Items, embedded_together
from harness.run.plan.measured import measured_speed
from harness.run.plan.speeds import Speeds
from harness.run.plan.status import Status
from harness.train.training_progress import last_logged_step

OPEN = ("to run", "resumes")
"""States of a stage that is still to be run."""

PARTS = {"train": ("steps", "validation"), "evaluate": ("evaluation",), "measure": ("measuring",)}
"""What each stage of a job consists of."""

SHORTEST = 0.5
"""Seconds to which lengths are rounded, so that datasets that are alike share a trial."""

Source = Literal["measured", "trial"]


@dataclass(frozen=True)
class Duration:
    """About how long a job takes.

    Attributes:
        parts: seconds of each part (see `PARTS`), and of the process's `start`.
        left: seconds of all that is still to be run; None where that is not known.
        source: `measured`, at the speed that was measured of this system in this place; `trial`,
            by a short trial of it here.
        why: why it is not known.
    """

    parts: Mapping[str, float] = field(default_factory=dict)
    left: float | None = None
    source: Source | None = None
    why: str = ""


def durations(
    loaded: LoadedBenchmark,
    jobs: Sequence[JobSpec],
    statuses: Sequence[Mapping[str, Status]],
    listings: Mapping[str, Listing],
    tell: Callable[[str], None],
) -> list[Duration]:
    """About how long each job of a call takes.

    A trial is made of each system of which something is to be run and nothing was measured here.

    Args:
        loaded: the benchmark.
        jobs: of the call.
        statuses: how far the stages of each are.
        listings: the call's datasets, by name.
        tell: is told what a person waits for.
    """
    found, speeds = [], {cache: Speeds(cache, tell) for cache in {job.cache for job in jobs}}
    for job, stages in zip(jobs, statuses, strict=True):
        items = Items(listings[job.dataset.name], job.cache, job.left_out)
        judged = ["validation", "test"]
        if make_task(loaded, job.protocol.suite).scores_with_training:
            judged.append("train")
        found.append(_duration(job, stages, items, judged, speeds[job.cache]))
    return found


def _duration(
    job: JobSpec, stages: Mapping[str, Status], items: Items, judged: list[str], speeds: Speeds
) -> Duration:
    waiting = [name for name, status in stages.items() if status.state in OPEN]
    if job.refused:
        return Duration(why=job.refused)
    if job.measure is None:
        return Duration(left=None if waiting else 0.0)
    try:
        pieces = items.of(judged, job.test_crops)
        trial = _trial(job, items, pieces)
    except LookupError as error:
        return Duration(why=str(error))
    speed, source = _speed(job, trial, speeds, is_open=bool(waiting))
    if speed is None or speed.why:
        return Duration(left=None if speed else 0.0, why=speed.why if speed else "")
    parts = _parts(job, items, pieces, trial, speed)
    return Duration(parts, _left(job, items, waiting, parts), source)


def _parts(
    job: JobSpec, items: Items, pieces: NDArray[np.float64], trial: Trial, speed: Speed
) -> dict[str, float]:
    validated = items.of(["validation"], job.test_crops)

    def embedding(lengths: NDArray[np.float64]) -> float:
        items_like_it = lengths.sum() / trial.item_seconds if items.is_audio else len(lengths)
        return float(items_like_it) * speed.item

    phases = _phases(job, items)
    trainings = zip(phases, speed.steps, strict=True)
    validations = sum(min(phase.validations, steps) for phase, steps in phases)
    return {
        "start": speed.start,
        "steps": sum(steps * seconds for (_, steps), seconds in trainings),
        "validation": validations * embedding(validated),
        "evaluation": embedding(pieces),
        "measuring": speed.measuring,
    }


def _left(job: JobSpec, items: Items, waiting: list[str], parts: Mapping[str, float]) -> float:
    """Seconds of the stages that wait; of a training that goes on, the rest."""
    seconds = {stage: sum(parts[part] for part in PARTS[stage]) for stage in waiting}
    done = last_logged_step(job.stage_folder("train", job.train.key)) if job.train else None
    if done is not None and "train" in seconds:
        steps = sum(steps for _, steps in _phases(job, items))
        seconds["train"] *= max(0.0, 1 - done / steps)
    return parts["start"] + sum(seconds.values()) if waiting else 0.0


def _phases(job: JobSpec, items: Items) -> list[tuple[Recipe, int]]:
    """The trainings of a job and their steps."""
    phases = job.recipe.phases if job.recipe else ()
    return [
        (phase, phase.steps or max(1, round((phase.epochs or 1) * (items.trained // phase.batch))))
        for phase in phases
    ]


def _trial(job: JobSpec, items: Items, pieces: NDArray[np.float64]) -> Trial:
    """The shapes of a job's dataset, rounded so that datasets that are alike share a trial."""
    mean = max(SHORTEST, _rounded(float(pieces.mean()))) if items.is_audio else 0.0
    together = embedded_together(pieces, is_audio=items.is_audio)
    phases = job.recipe.phases if job.recipe else ()
    longest = float(items.of(["train"]).max(initial=0.0))
    return Trial(
        classes=2 ** math.ceil(math.log2(max(2, len(items.listing.classes)))),
        crop_seconds=tuple(phase.crop_seconds or longest for phase in phases),
        item_seconds=mean,
        together=2 ** round(math.log2(together)),
    )


def _rounded(seconds: float) -> float:
    return round(seconds / SHORTEST) * SHORTEST


def _speed(
    job: JobSpec, trial: Trial, speeds: Speeds, *, is_open: bool
) -> tuple[Speed | None, Source | None]:
    """How fast a job's system is here, and who says so."""
    measured = measured_speed(job, trial)
    if measured is not None:
        return measured, "measured"
    return (speeds.system(job, trial), "trial") if is_open else (None, None)
