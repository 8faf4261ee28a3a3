"""What a section of a report may read of a run, and how a run is found.

A run is a job of ours, with its record, or a folder of logs that another program wrote, with
nothing but its series. Sections ask for what they need and return None where it is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.board.record_paths import is_record, series_path
from harness.config.loader import LoadedBenchmark
from harness.errors import RequestError
from harness.health.health import Health, assess
from harness.records.details_schema import Details, read_details
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.registry.crop_curve import CropCurve, find_crop_curve
from harness.registry.record_details import bind_details, details_beside
from harness.registry.rescoring import (
    NotHereError,
    Rescoring,
    UnusableError,
    difference_from_artefact,
    find_rescoring,
)
from harness.run.job.record_writing import RECORD
from harness.run.job.results import EMBEDDINGS, find_result, load_scores, stage_folder
from harness.series.series import Series

if TYPE_CHECKING:
    from harness.datasets.listing import Listing
    from harness.tasks.task import Lists, Scores, Task

MOST = 8
"""Runs of a page at most: as many as colours and line styles keep apart."""


@dataclass(frozen=True)
class Run:
    """One run of a report.

    Attributes:
        name: what the page calls it, unlike the names of the other runs of the report.
        place: its record's file, or the log that was read.
        record: None of a foreign log.
        series: values over steps and epochs; None if none were kept.
        stages: name of a stage -> its folder, of those that are here.
        benchmark: the benchmark file by which lists and task are found; None if there is none.
    """

    name: str
    place: Path
    record: Record | None = None
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
    def listing(self) -> Listing | None:
        """The dataset that it was judged on: its corpus reads single items."""
        return self._evidence.listing if isinstance(self._evidence, Rescoring) else None

    @property
    def task(self) -> Task | None:
        """The task that judged it, with the parameters of its protocol."""
        return self._evidence.task if isinstance(self._evidence, Rescoring) else None

    @cached_property
    def health(self) -> Health | None:
        """What its curves bear out; None without a series."""
        leaky = self.record is not None and self.record.is_leaky
        return assess(self.series, leaky=leaky) if self.series is not None else None

    @cached_property
    def scores(self) -> Scores | None:
        """The arrays of its evaluation, held against the hash that the record names."""
        return load_scores(self._evidence.path) if isinstance(self._evidence, Rescoring) else None

    @cached_property
    def embeddings(self) -> NDArray[np.float32] | None:
        """Kept embeddings of the test items, `[items, size]`, in the order of the lists' items."""
        path = self.artefact("embeddings", EMBEDDINGS, "evaluate")
        if path is None or self.lists is None:
            return None
        found: NDArray[np.float32] = load_scores(path)["embeddings"].astype(np.float32)
        return found if len(found) == len(self.lists.items) else None

    @cached_property
    def crop_curve(self) -> CropCurve | None:
        """Its test by length and number of crops, if `--test-crops` was asked for once."""
        folder = self.stages.get("evaluate")
        return find_crop_curve(folder, self.record) if folder and self.record else None

    @property
    def lacking(self) -> str:
        """The reason why lists, task and scores are None; empty if they are not."""
        return "" if isinstance(self._evidence, Rescoring) else self._evidence

    @cached_property
    def details(self) -> Details | None:
        """DET points and parts of the test: of the file beside the record, or computed here."""
        beside = details_beside(self.place)
        if self.record is not None and beside.is_file():
            found = read_details(beside)
            if found.is_of(self.place):
                return found
        if not isinstance(self._evidence, Rescoring):
            return None
        return bind_details(self.place, self._evidence.detail())

    @cached_property
    def _evidence(self) -> Rescoring | str:
        if self.record is None or self.benchmark is None:
            return f"{self.place}: a log without a record"
        try:
            found = find_rescoring(self.benchmark, self.record, self.place)
        except (NotHereError, UnusableError) as error:
            return str(error)
        return difference_from_artefact(found.path, self.record, "scores") or found


def find_runs(
    given: Sequence[str], runs: Path, benchmark: LoadedBenchmark | None
) -> tuple[Run, ...]:
    """Find the runs that are asked for, each under a name of its own.

    Args:
        given: each the folder of a run, or of several, or its record, by its own path or by its
            place below `runs` as `harness runs list` names it; the first digits of the key of a
            job or a stage; or a folder or file of another program's logs.
        runs: the folder of records and stages.
        benchmark: the benchmark file that the runs were made with.

    Raises:
        RequestError: there is no such run or log, or there are more than a page can show.
    """
    found = [run for text in given for run in _find(text, runs, benchmark)]
    once = list({(run.place.resolve(), run.name): run for run in found}.values())
    if len(once) > MOST:
        raise RequestError(
            f"{len(once)} runs were asked for, and a page shows {MOST}; name fewer, as "
            f"`harness runs list` has them"
        )
    return tuple(_named(once))


def _find(text: str, runs: Path, benchmark: LoadedBenchmark | None) -> Iterator[Run]:
    for place in (runs / text, Path(text)):
        if records := _records(place):
            yield from (_own(record, runs, benchmark) for record in records)
            return
    if records := _by_key(text, runs):
        yield from (_own(record, runs, benchmark) for record in records)
    elif Path(text).exists():
        from harness.series.reading import read_series

        found = read_series(Path(text))
        for series in found:
            name = series.source if len(found) > 1 else Path(text).resolve().name
            yield Run(name, Path(text), series=series)
    else:
        raise RequestError(
            f"{text}: no such run under {runs}, and no such log; `harness runs list` names all runs"
        )


def _records(place: Path) -> list[Path]:
    """Return the record that a path names, or those below it."""
    if place.is_file():
        return [place] if place.suffix == ".json" and is_record(place.name) else []
    return [place / RECORD] if (place / RECORD).is_file() else sorted(place.rglob(RECORD))


def _by_key(text: str, runs: Path) -> list[Path]:
    """Return the records whose job or one of whose stages has a key that begins so."""
    if not re.fullmatch(r"[0-9a-f]{6,64}", text):
        return []
    return [
        path
        for path in sorted(runs.glob(f"*/*/*/*/{RECORD}"))
        if path.parent.name.rpartition("-")[2].startswith(text[:12])
        or any(stage.key.startswith(text) for stage in read_record(path).stages.values())
    ]


def _own(path: Path, runs: Path, benchmark: LoadedBenchmark | None) -> Run:
    """Return the run of a record, with what lies beside it and in the folders of its stages."""
    record, runs = read_record(path), _runs_of(path) or runs
    folders = {name: stage_folder(runs, name, stage.key) for name, stage in record.stages.items()}
    stages = {name: folder for name, folder in folders.items() if folder.is_dir()}
    return Run(
        name=record.entry,
        place=path,
        record=record,
        series=_series(stages.get("train"), path),
        stages=stages,
        benchmark=benchmark,
    )


def _runs_of(record: Path) -> Path | None:
    """Return the folder of runs that a record's place is in; None if it is filed elsewhere."""
    above = record.resolve().parents
    return above[4] if len(above) > 4 and (above[4] / "stages").is_dir() else None


def _series(stage: Path | None, record: Path) -> Series | None:
    """Return the series of a training: of its stage, or beside its record; None if neither is."""
    from harness.series.reading import read_series

    for place in (stage, record.with_name(series_path(record.name))):
        if place is not None and place.exists():
            return read_series(place)[0]
    return None


def _named(runs: Sequence[Run]) -> Iterator[Run]:
    """Give each run as much of a name as tells it from the others."""
    with_seed = [f"{r.name}, seed {r.record.seed}" if r.record else r.name for r in runs]
    with_data = [
        f"{name}, {run.record.dataset.name}" if run.record else str(run.place)
        for name, run in zip(with_seed, runs, strict=True)
    ]
    with_place = [f"{run.name} ({run.place.parent.name}/{run.place.stem})" for run in runs]
    names = [run.name for run in runs]
    for longer in (with_seed, with_data, with_place):
        if len(set(names)) == len(names):
            break
        names = longer
    return (replace(run, name=name) for run, name in zip(runs, names, strict=True))
