"""Estimate the duration of a job: by the speed measured here, else by a timing trial."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.config.loader import LoadedBenchmark
from harness.config.recipes import EvenCrops, Recipe
from harness.data.corpus import SAMPLE_RATE
from harness.data.split import SPLITS
from harness.datasets.dataset import pack_folder
from harness.datasets.listing import Listing
from harness.datasets.packing.pack_files import open_pack
from harness.datasets.subset import MOST_SAMPLED
from harness.run.job.context import make_task
from harness.run.job.results import TimedShapes
from harness.run.job.spec import JobSpec
from harness.run.plan.speeds import Speeds, measured_speed
from harness.run.plan.status import OPEN, EarlierRuns, StageStatus
from harness.train.training_progress import resume_step

PARTS = {"train": ("steps", "validation"), "evaluate": ("evaluation",), "measure": ("measuring",)}
"""Stage of a job -> its parts."""

SHORTEST = 0.5
"""Seconds to which lengths are rounded, so that datasets that are alike share a timing trial."""

FRAMES_PER_SECOND = 100
"""Sounds with equally many frames are embedded together."""

TOGETHER_SECONDS = 64.0
"""Seconds of sound that are embedded at once (see `harness.train.system.MOST_NUMBERS`)."""

TOGETHER_PICTURES = 32
"""Pictures from which on embedding more at once is no faster."""


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


@dataclass(frozen=True)
class ItemLengths:
    """The lengths of a dataset's items, as far as its lists or its pack have them.

    Attributes:
        listing: the dataset.
        cache: the folder of its pack, if it has one.
        left_out: ids of damaged items.
    """

    listing: Listing
    cache: Path
    left_out: tuple[str, ...] = ()

    @property
    def is_audio(self) -> bool:
        """True if they have lengths at all."""
        return self.listing.corpus.kind == "audio"

    @cached_property
    def seconds(self) -> NDArray[np.float64] | None:
        """Length of each item, `[items]`; None if neither lists nor pack have it."""
        told = self.listing.items["seconds"].to_numpy(np.float64)
        if told.all():
            return told
        pack = open_pack(pack_folder(self.listing, self.cache))
        return pack.shapes[:, 0] / SAMPLE_RATE if pack is not None else None

    @cached_property
    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Split -> whether each item is in it and not left out."""
        return {split: self.listing.split_mask(split, self.left_out) for split in SPLITS}

    @cached_property
    def training_items(self) -> int:
        """Items of the training split, short ones joined if that is asked; at least one."""
        mask = self.masks["train"]
        least = self.listing.config.join_seconds
        if least is None or self.seconds is None:
            return max(1, int(mask.sum()))
        units = int(self.listing.items.loc[mask, "unit"].nunique())
        return min(int(mask.sum()), max(units, int(self.seconds[mask].sum() / least), 1))

    @cached_property
    def sampled(self) -> float:
        """The share of training items that are judged beside validation."""
        train, validation = (int(self.masks[split].sum()) for split in ("train", "validation"))
        return min(1.0, MOST_SAMPLED / max(1, train), validation / max(1, train))

    def of(self, splits: Sequence[str], crops: EvenCrops | None = None) -> NDArray[np.float64]:
        """Return the lengths of all that is embedded of some splits, `[pieces]`; 0 for pictures.

        Raises:
            LookupError: they are not known.
        """
        masks = [self.masks[split] for split in splits]
        if not self.is_audio:
            return np.zeros(sum(int(mask.sum()) for mask in masks))
        if self.seconds is None:
            raise LookupError("its lists do not tell how long its sounds are, and it is not packed")
        lengths = np.concatenate([self.seconds[mask] for mask in masks])
        if crops is None:
            return lengths
        long = lengths > crops.seconds
        cut = np.full(int(long.sum()) * crops.count, crops.seconds)
        return np.concatenate([lengths[~long], cut])


def items_together(lengths: NDArray[np.float64], *, is_audio: bool) -> int:
    """Return how many items go through the network at once in embedding, on average."""
    if not is_audio:
        return min(TOGETHER_PICTURES, len(lengths))
    frames = np.floor(lengths * FRAMES_PER_SECOND)
    alike = len(lengths) / len(np.unique(frames))
    return int(max(1, min(alike, TOGETHER_SECONDS / lengths.mean())))


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
    found, speeds = [], {cache: Speeds(cache, tell) for cache in {job.cache for job in jobs}}
    tasks = {suite: make_task(loaded, suite) for suite in {job.protocol.suite for job in jobs}}
    places: dict[tuple[Any, ...], ItemLengths] = {}
    for job, stages in zip(jobs, statuses, strict=True):
        place = job.dataset.name, job.cache, job.left_out
        if place not in places:
            places[place] = ItemLengths(listings[job.dataset.name], job.cache, job.left_out)
        items = places[place]
        judged = ["validation", "test"]
        if tasks[job.protocol.suite].scores_with_training:
            judged.append("train")
        waiting = [name for name, status in stages.items() if status.state in OPEN]
        found.append(_estimate(job, waiting, items, judged, speeds[job.cache], earlier))
    return found


def _estimate(
    job: JobSpec,
    waiting: list[str],
    items: ItemLengths,
    judged: list[str],
    speeds: Speeds,
    earlier: EarlierRuns,
) -> Duration:
    if job.refused:
        return Duration(why=job.refused)
    if job.measure is None:
        return Duration(left=None if waiting else 0.0)
    try:
        pieces = items.of(judged, job.test_crops)
        shapes = _shapes(job, items, pieces)
    except LookupError as error:
        return Duration(why=str(error))
    costs = earlier.result(job.stage_folder("measure", job.measure.key))
    measured = measured_speed(job, shapes, costs)
    if measured is None and not waiting:
        return Duration(left=0.0)
    speed = measured or speeds.system(job, shapes)
    if speed.why:
        return Duration(why=speed.why)
    validated, trained = (items.of([split], job.test_crops) for split in ("validation", "train"))

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
    left = {stage: sum(parts[part] for part in PARTS[stage]) for stage in waiting}
    done = resume_step(job.stage_folder("train", job.train.key)) if job.train else None
    if done is not None and "train" in left:  # a training that goes on: the rest of it
        left["train"] *= max(0.0, 1 - done / sum(steps for _, steps in phases))
    seconds = parts["start"] + sum(left.values()) if waiting else 0.0
    return Duration(parts, seconds, "measured" if measured else "trial")


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
