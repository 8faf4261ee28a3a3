"""Speeds on this machine, each found once by a short trial and kept beside the packed corpora."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from harness.datasets.dataset import pack_folder, pack_request
from harness.datasets.listing import Listing
from harness.datasets.packing.estimates import packing_seconds
from harness.errors import DataError
from harness.measure.environment import environment, environment_digest
from harness.records.documents import digest
from harness.run.execute.process import Crew
from harness.run.job.measurement import Speed, Trial
from harness.run.job.spec import JobSpec
from harness.run.plan.kept import KeptAnswers
from harness.run.plan.questions import COUNTS

SPEED_VERSION = 1
"""Changes whenever the same trial would tell another speed."""


class Speeds:
    """Speeds of systems and of packing in one place.

    Args:
        cache: where they are kept, in a folder of their own.
        tell: is told which trial is made.
    """

    def __init__(self, cache: Path, tell: Callable[[str], None]) -> None:
        self._cache, self._tell = cache, tell
        self._answers = KeptAnswers("speeds", tell)

    def system(self, job: JobSpec, trial: Trial) -> Speed:
        """How fast a job's system is; a trial that fails is not kept, and says why."""
        path = self._path(_system_rests_on(job, trial))
        kept = self._answers.read(path, Speed)
        if kept is not None:
            return kept
        name = f"{job.model.name} + {job.loss.name}" if job.loss else job.model.name
        self._tell(f"{name}: timing a few steps on {job.device}")
        made = _tried(job.model_copy(update={"only": "trial", "trial": trial}))
        if not made.why:
            self._answers.keep(path, _system_rests_on(job, trial), made)
        return made

    def packing(self, listing: Listing) -> float:
        """Seconds of packing a dataset; 0 where it is packed.

        Raises:
            DataError: some of its items cannot be read.
        """
        if pack_folder(listing, self._cache).exists():
            return 0.0
        rests_on = {
            "packed": pack_folder(listing, self._cache).name,
            "environment": environment_digest(environment("cpu", 1)),
        }
        path = self._path(rests_on)
        kept = self._answers.read(path, _Packing)
        if kept is None:
            self._tell(f"{listing.name}: timing how fast a few items are read")
            request = pack_request(listing, self._cache, lambda _: None)
            kept = _Packing(seconds=packing_seconds(request))
            self._answers.keep(path, rests_on, kept)
        return kept.seconds

    def _path(self, rests_on: dict[str, Any]) -> Path:
        return self._cache / "speeds" / f"{digest([SPEED_VERSION, rests_on])[:24]}.json"


def packings(
    listings: Iterable[Listing], cache: Path, tell: Callable[[str], None]
) -> dict[str, float]:
    """Seconds of packing datasets, of each that is not packed yet; folds share a pack.

    One whose items cannot be read is left out, and why is told.
    """
    packs = {pack_folder(listing, cache): listing for listing in listings}
    speeds, found = Speeds(cache, tell), {}
    for listing in packs.values():
        try:
            found[listing.table] = speeds.packing(listing)
        except DataError as error:
            tell(f"{error}; how long packing takes is not known")
    return {name: seconds for name, seconds in found.items() if seconds}


class _Packing(BaseModel):
    seconds: float


def _system_rests_on(job: JobSpec, trial: Trial) -> dict[str, Any]:
    """All that can change how fast a system is."""
    phases = [phase.model_dump(mode="json") for phase in job.recipe.phases] if job.recipe else []
    steps = [{name: each[name] for name in COUNTS if name in each} for each in phases]
    return {
        "model": job.model.model_dump(exclude={"name"}),
        "loss": job.loss.model_dump(exclude={"name"}) if job.loss else None,
        # How fast an optimiser is does not rest on its rates.
        "recipe": [{**each, "optimizer": each["optimizer"]["name"]} for each in steps],
        "trial": trial.model_dump(mode="json"),
        "device": job.device,
        "threads": job.threads,
        "environment": environment_digest(job.environment) if job.environment else "",
    }


class _Unwatched:
    """Nobody watches a trial: it takes a moment."""

    def stage(self, job: JobSpec, name: str, total: int) -> None:
        """It has no stages."""

    def advances(self, job: JobSpec, done: int, loss: float | None) -> None:
        """Nothing of it is shown."""


def _tried(job: JobSpec) -> Speed:
    """Make a trial in a process of its own."""
    crew = Crew(_Unwatched())
    try:
        answer = crew.ask(job)
    finally:
        crew.stop()
    if answer.result is None:
        return Speed(why=answer.why)
    return Speed.model_validate(answer.result)
