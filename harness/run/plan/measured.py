"""The speed of a system by what the stage `measure` found in this place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from harness.run.job.measurement import Speed, Trial
from harness.run.job.spec import JobSpec
from harness.run.job.stage import find_result

BUSY = 0.5
"""Share of waiting for a processor over which a measured speed is off by more than twice."""


def measured_speed(job: JobSpec, trial: Trial) -> Speed | None:
    """How fast a job's system is; None where it was not measured here, or on a busy machine.

    Args:
        job: the job.
        trial: the lengths of what is trained and embedded.
    """
    stage = job.measure
    found = find_result(job.stage_folder("measure", stage.key)) if stage else None
    if found is None or not found.get("latencies"):
        return None
    if (found.get("measuring_cpu_wait") or 0.0) > BUSY:
        return None
    return Speed(
        steps=tuple(_steps(job, trial, found)),
        item=_item(job, trial, found),
        measuring=found["stage"]["seconds"] or 0.0,
    )


def _steps(job: JobSpec, trial: Trial, found: Mapping[str, Any]) -> Iterator[float]:
    """Seconds of a step of each training: the first was measured, others grow with their sound."""
    phases = job.recipe.phases if job.recipe else ()
    works = [
        phase.batch * (seconds or 1.0)
        for phase, seconds in zip(phases, trial.crop_seconds, strict=True)
    ]
    for work in works:
        yield phases[0].batch / found["training_per_second"] * work / works[0]


def _item(job: JobSpec, trial: Trial, found: Mapping[str, Any]) -> float:
    """Seconds to embed an item: with others by the throughput, alone by its latency."""
    if trial.together > 1:
        return float((trial.item_seconds or 1.0) / found["inference_per_second"])
    times = {
        each["seconds"]: each["p50"]
        for each in found["latencies"]
        if each["threads"] == job.threads
    }
    lengths = sorted(times)
    longer = max(1.0, trial.item_seconds / lengths[-1]) if lengths[-1] else 1.0
    return longer * float(np.interp(trial.item_seconds, lengths, [times[each] for each in lengths]))
