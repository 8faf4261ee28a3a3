"""Speeds on this machine: measured by a stage, else found by a timing trial and kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from harness.datasets.dataset import pack_folder, pack_request
from harness.datasets.listing import Listing
from harness.datasets.packing.estimates import packing_seconds
from harness.errors import DataError
from harness.measure.environment import environment, environment_digest
from harness.records.documents import digest
from harness.run.events import ignore
from harness.run.execute.subprocesses import LocalExecutor
from harness.run.job.results import KeptAnswers, Speed, TimedShapes
from harness.run.job.spec import JobSpec
from harness.run.plan.memory_questions import COUNTS

SPEED_VERSION = 1
"""Changes whenever the same trial would give another speed."""

BUSY = 0.5
"""Share of waiting for a processor over which a speed is off by more than twice.

Waiting is taken off a trial's times, but for that of threads that wait for one another.
"""


class Speeds:
    """Speeds of systems and of packing on one machine.

    Args:
        cache: they are kept there, in a folder of their own.
        tell: receives a message before each trial.
    """

    def __init__(self, cache: Path, tell: Callable[[str], None]) -> None:
        self._cache, self._tell = cache, tell
        self._answers = KeptAnswers("speeds", tell)

    def system(self, job: JobSpec, shapes: TimedShapes) -> Speed:
        """Return the speed of a job's system; a trial that fails is not kept, and says why.

        Nor is one of a busy machine, which says so.
        """
        rests_on = _rests_on(job, shapes)
        path = self._path(rests_on)
        kept = self._answers.read(path, rests_on, Speed)
        if kept is not None:
            return kept
        name = f"{job.model.name} + {job.loss.name}" if job.loss else job.model.name
        self._tell(f"{name}: timing a few steps on {job.device}")
        made = run_trial(job.model_copy(update={"only": "time", "shapes": shapes}))
        if made.waited > BUSY:
            self._tell(
                f"{name}: timed while other work held the processor for {100 * made.waited:.0f} % "
                "of the time: it may take a fraction of what is told; ask again when that is done"
            )
            self._answers.remember(path, made)
        elif not made.why:
            self._answers.keep(path, rests_on, made)
        return made

    def packing(self, listing: Listing) -> float:
        """Return the seconds of packing a dataset; 0 if it is packed.

        Raises:
            DataError: some of its items cannot be read.
        """
        folder = pack_folder(listing, self._cache)
        if folder.exists():
            return 0.0
        where = environment_digest(environment("cpu", 1))
        rests_on = {"packed": folder.name, "environment": where}
        path = self._path(rests_on)
        kept = self._answers.read(path, rests_on, _Packing)
        if kept is None:
            self._tell(f"{listing.name}: timing how fast a few items are read")
            request = pack_request(listing, self._cache, lambda _: None)
            kept = _Packing(seconds=packing_seconds(request))
            self._answers.keep(path, rests_on, kept)
        return kept.seconds

    def _path(self, rests_on: dict[str, Any]) -> Path:
        return self._cache / "speeds" / f"{digest([SPEED_VERSION, rests_on])[:24]}.json"


class _Packing(BaseModel):
    seconds: float


def packing_times(
    listings: Iterable[Listing], cache: Path, tell: Callable[[str], None]
) -> dict[str, float]:
    """Return the seconds of packing each dataset that is not packed yet; folds share a pack.

    One whose items cannot be read is left out, with a message.
    """
    packs = {pack_folder(listing, cache): listing for listing in listings}
    speeds, found = Speeds(cache, tell), {}
    for listing in packs.values():
        try:
            found[listing.table] = speeds.packing(listing)
        except DataError as error:
            tell(f"{error}; how long packing takes is not known")
    return {name: seconds for name, seconds in found.items() if seconds}


def run_trial(job: JobSpec) -> Speed:
    """Run a timing trial in a process of its own."""
    executor = LocalExecutor(job.device, 1)
    try:
        answer = executor.ask(job, executor.slots[0], ignore)
    finally:
        executor.stop()
    if answer.result is None:
        return Speed(why=answer.why)
    return Speed.model_validate(answer.result)


def measured_speed(
    job: JobSpec, shapes: TimedShapes, found: Mapping[str, Any] | None
) -> Speed | None:
    """Return the speed that the stage `measure` found here; None if not, or on a busy machine.

    Args:
        job: the job.
        shapes: lengths of what is trained and embedded.
        found: the result of its stage `measure`; None if it has none.
    """
    if found is None or not found.get("latencies"):
        return None
    if (found.get("measuring_cpu_wait") or 0.0) > BUSY:
        return None
    # A step of the first training was measured; others grow with their sound.
    phases = job.recipe.phases if job.recipe else ()
    works = [
        phase.batch * (seconds or 1.0)
        for phase, seconds in zip(phases, shapes.crop_seconds, strict=True)
    ]
    steps = tuple(
        phases[0].batch / found["training_per_second"] * work / works[0] for work in works
    )
    if shapes.together > 1:
        item = float((shapes.item_seconds or 1.0) / found["inference_per_second"])
    else:
        times = {
            each["seconds"]: each["p50"]
            for each in found["latencies"]
            if each["threads"] == job.threads
        }
        lengths = sorted(times)
        longer = max(1.0, shapes.item_seconds / lengths[-1]) if lengths[-1] else 1.0
        medians = [times[each] for each in lengths]
        item = longer * float(np.interp(shapes.item_seconds, lengths, medians))
    return Speed(steps=steps, item=item, measuring=found["stage"]["seconds"] or 0.0)


def _rests_on(job: JobSpec, shapes: TimedShapes) -> dict[str, Any]:
    """Return all that can change the speed of a system."""
    phases = [phase.model_dump(mode="json") for phase in job.recipe.phases] if job.recipe else []
    steps = [{name: each[name] for name in COUNTS if name in each} for each in phases]
    return {
        "model": job.model.model_dump(exclude={"name"}),
        "loss": job.loss.model_dump(exclude={"name"}) if job.loss else None,
        # An optimiser's speed does not rest on its rates.
        "recipe": [{**each, "optimizer": each["optimizer"]["name"]} for each in steps],
        "trial": shapes.model_dump(mode="json"),
        "device": job.device,
        "threads": job.threads,
        "environment": environment_digest(job.environment) if job.environment else "",
    }
