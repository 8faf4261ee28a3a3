"""What a section of a report may read of a run, and how a run is found.

A run is a job of ours, with its record, or a folder of logs that another program wrote, with
nothing but its series. Sections ask for what they need and return None where it is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.config.loader import LoadedBenchmark
from harness.errors import RequestError
from harness.records.details_schema import Details, read_details
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.registry.record_details import details_beside
from harness.registry.rescoring import (
    NotHereError,
    Rescoring,
    UnusableError,
    difference_from_artefact,
    find_rescoring,
)
from harness.run.job.results import find_result, load_scores

if TYPE_CHECKING:
    from harness.series.series import Series
    from harness.tasks.task import Lists, Scores, Task


@dataclass(frozen=True)
class Run:
    """One run of a report.

    Attributes:
        name: what the page calls it, unlike the names of the other runs of the report.
        place: its record's file, or the log that was read.
        record: None of a foreign log.
        details: what lies beside the record, or is computed of its scores; None if neither can be.
        series: values over steps and epochs; None if none were kept.
        stages: name of a stage -> its folder, of those that are here.
        benchmark: the benchmark file by which lists and task are found; None if there is none.
    """

    name: str
    place: Path
    record: Record | None = None
    details: Details | None = None
    series: Series | None = None
    stages: Mapping[str, Path] = field(default_factory=dict)
    benchmark: LoadedBenchmark | None = None

    @cached_property
    def results(self) -> Mapping[str, dict[str, Any]]:
        """Stage -> its result, as its folder keeps it (`selected_step`, `validation`, ...)."""
        found = {name: find_result(folder) for name, folder in self.stages.items()}
        return {name: result for name, result in found.items() if result is not None}

    def artefact(self, name: str, file: str, stage: str) -> Path | None:
        """Return a file of a stage, if it is here and is the one that the record names.

        Args:
            name: of the artefact in the record: `scores`, `checkpoint`.
            file: its name within the stage's folder.
            stage: the stage that wrote it.
        """
        path = self.stages.get(stage, self.place.parent) / file
        if self.record is None or name not in self.record.artefacts or not path.is_file():
            return None
        return None if difference_from_artefact(path, self.record, name) else path

    @property
    def lists(self) -> Lists | None:
        """The locked lists of the test split: items, classes, trials; see `lacking` for why not."""
        return self._evidence.lists if isinstance(self._evidence, Rescoring) else None

    @property
    def task(self) -> Task | None:
        """The task that judged it, with the parameters of its protocol."""
        return self._evidence.task if isinstance(self._evidence, Rescoring) else None

    @cached_property
    def scores(self) -> Scores | None:
        """The arrays of its evaluation, held against the hash that the record names."""
        return load_scores(self._evidence.path) if isinstance(self._evidence, Rescoring) else None

    @property
    def lacking(self) -> str:
        """The reason why lists, task and scores are None; empty if they are not."""
        return "" if isinstance(self._evidence, Rescoring) else self._evidence

    @cached_property
    def _evidence(self) -> Rescoring | str:
        raise NotImplementedError


def find_runs(
    given: Sequence[str], runs: Path, benchmark: LoadedBenchmark | None
) -> tuple[Run, ...]:
    """Find the runs that are asked for, each under a name of its own.

    Args:
        given: each the folder of a run or its record, by its own path or by its place below `runs`
            as `harness runs list` names it; the first digits of a stage's key; or a folder or file
            of another program's logs.
        runs: the folder of records and stages.
        benchmark: the benchmark file that the runs were made with.

    Raises:
        RequestError: there is no such run or log, or more than one; the message names what there
            is.
    """
    raise NotImplementedError
