"""About how long a job will take: from what was measured in its place, else from a trial there."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from harness.job.measurement import ITEM_SECONDS
from harness.job.spec import JobSpec
from harness.measure.environment import environment_digest
from harness.measure.probe import multiply_adds_per_second
from harness.records.files import read_text
from harness.records.record import Environment

BACKWARD = 2
"""Multiply-adds of a backward pass over those of its forward pass."""

OF_TRIAL = 0.4
"""Share of the rate of one large convolution that a whole training reaches."""

Source = Literal["measured", "like others here", "trial"]


@dataclass(frozen=True)
class Duration:
    """Seconds of training that a job has before it.

    Attributes:
        seconds: about how many.
        source: `measured`, this system's own speed in this place; `like others here`, by its
            multiply-adds at the pace of other systems; `trial`, at that of one convolution.
    """

    seconds: float
    source: Source


def durations(jobs: Sequence[JobSpec]) -> list[Duration | None]:
    """How long each job of a call trains.

    None where it trains nothing, or where its multiply-adds are not known.
    """
    measured = {runs: _measured(runs) for runs in {job.runs for job in jobs}}
    return [_duration(job, measured[job.runs]) for job in jobs]


def _duration(job: JobSpec, measured: Mapping[str, _Speed]) -> Duration | None:
    items = _items(job)
    if items is None:
        return None
    own = measured.get(job.measure.key) if job.measure else None
    if own is not None:
        return Duration(items / own.per_second, "measured")
    if job.item_macs is None:
        return None
    here = [each.pace for each in measured.values() if each.environment == _environment(job)]
    work = (1 + BACKWARD) * job.item_macs * items
    if here:
        return Duration(work / statistics.median(here), "like others here")
    return Duration(work / (OF_TRIAL * _trial(job.device, job.threads)), "trial")


@dataclass(frozen=True)
class _Speed:
    environment: str
    per_second: float
    pace: float


def _measured(runs: Path) -> dict[str, _Speed]:
    """Training speeds that were measured: key of the stage -> items and multiply-adds a second."""
    found = {}
    for path in (runs / "stages").glob("measure-*/result.json"):
        result = json.loads(read_text(path))
        speed = _speed(result)
        if speed is not None:
            found[result["stage"]["key"]] = speed
    return found


def _speed(result: dict[str, Any]) -> _Speed | None:
    inputs, per_second = result["stage"]["inputs"], result.get("training_per_second")
    macs, seconds = result.get("macs"), inputs.get("crop_seconds")
    if per_second is None or macs is None:
        return None
    # Multiply-adds are told for a sound of that length, or for one picture.
    length = seconds / ITEM_SECONDS if seconds else 1.0
    environment = environment_digest(Environment.model_validate(inputs["environment"]))
    return _Speed(environment, per_second, (1 + BACKWARD) * macs * length * per_second)


def _environment(job: JobSpec) -> str:
    return environment_digest(job.environment) if job.environment else ""


def _items(job: JobSpec) -> float | None:
    """Items that a job's trainings see."""
    if job.recipe is None:
        return None
    each = job.dataset.counts["train"]["items"]
    factor = job.recipe.augment.class_factor
    return sum(
        phase.steps * phase.batch if phase.steps else (phase.epochs or 1) * each * factor
        for phase in job.recipe.phases
    )


@cache
def _trial(device: str, threads: int) -> float:
    return multiply_adds_per_second(device, threads)
