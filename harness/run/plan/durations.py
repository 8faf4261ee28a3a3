"""Estimate the duration of a job: by the speed measured here, else by a timing trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.config.loader import LoadedBenchmark
from harness.config.recipes import Recipe
from harness.datasets.listing import Listing
from harness.run.job.context import make_task
from harness.run.job.results import TimedShapes
from harness.run.job.spec import JobSpec
from harness.run.plan.item_lengths import ItemLengths, items_together
from harness.run.plan.speeds import Speeds, measured_speed
from harness.run.plan.status import OPEN, EarlierRuns, StageStatus
from harness.tasks.task import Task
from harness.train.training_progress import resume_step

PARTS = {"train": ("steps", "validation"), "evaluate": ("evaluation",), "measure": ("measuring",)}
"""Stage of a job -> its parts."""

SHORTEST = 0.5
"""Seconds to which lengths are rounded, so that datasets that are alike share a timing trial."""


@dataclass(frozen=True)
class Duration:
    """The estimated duration of a job.

    Attributes:
        parts: seconds of each part (see `PARTS`), and of the process's `start`.
        left: seconds of all that is still to be run; None if that is not known.
        source: `measured`, by the speed that was measured of this system on this machine; `trial`,
            by a timing trial of it here.
        why: the reason why it is not known.
    """

    parts: Mapping[str, float] = field(default_factory=dict)
    left: float | None = None
    source: Literal["measured", "trial"] | None = None
    why: str = ""


def estimate_durations(
    loaded: LoadedBenchmark,
    jobs: Sequence[JobSpec],
    statuses: Sequence[Mapping[str, StageStatus]],
    listings: Mapping[str, Listing],
    earlier: EarlierRuns,
    tell: Callable[[str], None],
) -> list[Duration]:
    """Estimate the duration of each job of a call.

    A timing trial is made of each system with something to run that was not measured here.

    Args:
        loaded: the benchmark.
        jobs: of the call.
        statuses: stage -> status, of each job.
        listings: the call's datasets, by name.
        earlier: what was run before.
        tell: receives messages for a person who waits.
    """
    estimates = _Estimates(loaded, jobs, listings, earlier, tell)
    found = []
    for job, stages in zip(jobs, statuses, strict=True):
        waiting = [name for name, status in stages.items() if status.state in OPEN]
        found.append(estimates.of(job, waiting))
    return found


@dataclass(frozen=True)
class _Work:
    """What each part of a job takes, the same for all seeds of an entry.

    Attributes:
        parts: as `Duration` has them.
        steps: of its training, the fine-tuning included.
        is_measured: whether the speed behind it was measured by a stage.
    """

    parts: Mapping[str, float]
    steps: int
    is_measured: bool


class _Estimates:
    """Estimates of the jobs of one call; what those of an entry share is found once."""

    def __init__(
        self,
        loaded: LoadedBenchmark,
        jobs: Sequence[JobSpec],
        listings: Mapping[str, Listing],
        earlier: EarlierRuns,
        tell: Callable[[str], None],
    ) -> None:
        self._listings, self._earlier = listings, earlier
        self._speeds = {cache: Speeds(cache, tell) for cache in {job.cache for job in jobs}}
        suites = {job.protocol.suite for job in jobs}
        self._judged = {suite: _judged(make_task(loaded, suite)) for suite in suites}
        self._items: dict[tuple[Any, ...], ItemLengths] = {}
        self._works: dict[tuple[Any, ...], _Work | str] = {}

    def of(self, job: JobSpec, waiting: list[str]) -> Duration:
        """Estimate the duration of a job, of which some stages are to be run."""
        if job.refused:
            return Duration(why=job.refused)
        if job.measure is None:
            return Duration(left=None if waiting else 0.0)
        # Jobs of an entry hold the same recipe; the key of what is measured has the rest of it.
        shared = (id(job.recipe), job.test_crops, job.protocol.suite, job.left_out, job.cache)
        key = (job.measure.key, bool(waiting), *shared)
        if key not in self._works:
            folder = job.stage_folder("measure", job.measure.key)
            self._works[key] = self._work(job, folder, is_open=bool(waiting))
        work = self._works[key]
        if isinstance(work, str):
            return Duration(why=work)
        if not work.parts:
            return Duration(left=0.0)
        left = {stage: sum(work.parts[part] for part in PARTS[stage]) for stage in waiting}
        done = resume_step(job.stage_folder("train", job.train.key)) if job.train else None
        if done is not None and "train" in left:  # a training that goes on: the rest of it
            left["train"] *= max(0.0, 1 - done / work.steps)
        seconds = work.parts["start"] + sum(left.values()) if waiting else 0.0
        return Duration(work.parts, seconds, "measured" if work.is_measured else "trial")

    def _work(self, job: JobSpec, measure: Path, *, is_open: bool) -> _Work | str:
        """Return what the parts of a job take, nothing if that need not be known; else why not.

        Args:
            job: the job.
            measure: folder of its stage `measure`.
            is_open: whether some stage of it is to be run.
        """
        items, judged = self._lengths(job), self._judged[job.protocol.suite]
        try:
            pieces = items.of(judged, job.test_crops)
            shapes = _shapes(job, items, pieces)
        except LookupError as error:
            return str(error)
        measured = measured_speed(job, shapes, self._earlier.result(measure))
        if measured is None and not is_open:
            return _Work({}, 0, is_measured=False)
        speed = measured or self._speeds[job.cache].system(job, shapes)
        if speed.why:
            return speed.why
        alone = ("validation", "train")
        validated, trained = (items.of([split], job.test_crops) for split in alone)

        def embedding(lengths: NDArray[np.float64]) -> float:
            like_the_mean = lengths.sum() / shapes.item_seconds if items.is_audio else len(lengths)
            return float(like_the_mean) * speed.item

        phases = _phases(job, items)
        trainings = zip(phases, speed.steps, strict=True)
        validations = sum(min(phase.validations, steps) for phase, steps in phases)
        parts = {
            "start": speed.start,
            "steps": sum(steps * seconds for (_, steps), seconds in trainings),
            "validation": validations * (embedding(validated) + items.sampled * embedding(trained)),
            "evaluation": embedding(pieces),
            "measuring": speed.measuring,
        }
        return _Work(parts, sum(steps for _, steps in phases), measured is not None)

    def _lengths(self, job: JobSpec) -> ItemLengths:
        place = job.dataset.name, job.cache, job.left_out
        if place not in self._items:
            listing = self._listings[job.dataset.name]
            self._items[place] = ItemLengths(listing, job.cache, job.left_out)
        return self._items[place]


def _judged(task: Task) -> tuple[str, ...]:
    """Return the splits that a task's evaluation embeds."""
    return ("validation", "test", *["train"] * task.scores_with_training)


def training_steps(job: JobSpec, items: ItemLengths) -> int:
    """Return the steps of a job's training, its fine-tuning included."""
    return sum(steps for _, steps in _phases(job, items))


def _phases(job: JobSpec, items: ItemLengths) -> list[tuple[Recipe, int]]:
    """Return the trainings of a job, each with its steps."""
    phases, count = job.recipe.phases if job.recipe else (), items.training_items
    return [
        (phase, phase.steps or max(1, round((phase.epochs or 1) * (count // phase.batch))))
        for phase in phases
    ]


def _shapes(job: JobSpec, items: ItemLengths, pieces: NDArray[np.float64]) -> TimedShapes:
    """Return the shapes of a dataset, rounded so that datasets that are alike share a trial."""
    mean = 0.0
    if items.is_audio:
        mean = max(SHORTEST, round(float(pieces.mean()) / SHORTEST) * SHORTEST)
    together = items_together(pieces, is_audio=items.is_audio)
    phases = job.recipe.phases if job.recipe else ()
    longest = float(items.of(["train"]).max(initial=0.0))
    return TimedShapes(
        classes=2 ** math.ceil(math.log2(max(2, len(items.listing.classes)))),
        crop_seconds=tuple(phase.crop_seconds or longest for phase in phases),
        item_seconds=mean,
        together=2 ** round(math.log2(together)),
    )
