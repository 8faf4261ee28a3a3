"""Trainings of a search that end early, by what validation says of them while they run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.errors import naming
from harness.run.events import ProgressEvent, Watch
from harness.run.job.spec import JobSpec
from harness.series.scalar_names import VALIDATION
from harness.series.series_file import FILE

if TYPE_CHECKING:
    import optuna


class Pruned(Exception):
    """What validation said so far is below the median of the trials before."""


class ValidationWatch:
    """Looks at the validations of a training that runs, and ends it if they are poor.

    Args:
        job: of the training.
        trial: the study's; None if nothing is pruned.
        watch: receives the job's events.

    Attributes:
        seen: step and value of the primary metric of each validation that was looked at.
    """

    def __init__(self, job: JobSpec, trial: optuna.Trial | None, watch: Watch) -> None:
        self._trial, self._watch = trial, watch
        primary = job.protocol.primary
        self._sign = 1 if job.protocol.facts[primary].higher_is_better else -1
        self._name = f"{VALIDATION}/{primary}"
        folder = job.stage_folder("train", job.train.key) if job.train else job.folder
        self._path = folder / FILE
        self.seen: list[tuple[int, float]] = []
        self._forget()

    def _forget(self) -> None:
        self._read, self._points = 0, list[tuple[int, float]]()

    def receive(self, event: ProgressEvent) -> None:
        """Pass an event on; after a step, look at what was added.

        Raises:
            Pruned: the training is to end.
        """
        self._watch(event)
        if event.kind == "advance" and event.loss is not None:
            self._report()

    def look(self) -> None:
        """Look at the whole series: a training that begins or goes on cuts off its end.

        Raises:
            Pruned: after one of its validations the training is to end, or was to.
        """
        self._forget()
        self._report()
        self._forget()

    def _report(self) -> None:
        """Report every validation that was not seen yet, in order, and decide after each."""
        self._read_on()
        for step, value in self._points[len(self.seen) :]:
            self.seen.append((step, value))
            if self._trial is not None:
                self._trial.report(self._sign * value, step)
                if self._trial.should_prune():
                    raise Pruned

    def _read_on(self) -> None:
        """Read the whole lines that were added to the series."""
        if not self._path.is_file():
            return
        with naming(self._path), self._path.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            found = json.loads(line)
            if "vector" not in found and self._name in found.get("values", {}):
                self._points.append((int(found["step"]), float(found["values"][self._name])))
