"""A finished run, found with its weights and with what its validation decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from harness.board.record_paths import scores_path
from harness.config.loader import LoadedBenchmark
from harness.config.recipes import Recipe
from harness.datasets.listing import Listing
from harness.errors import RequestError
from harness.records.documents import sha256_file
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.registry.rescoring import (
    NotHereError,
    difference_from_artefact,
    record_listing,
    record_task,
)
from harness.run.folder import find_run
from harness.run.job.record_writing import RECORD
from harness.run.job.results import SCORES, load_scores, stage_folder
from harness.run.plan.checkpoints import find_checkpoint
from harness.tasks.task import Output, Task
from harness.train.training_progress import FINAL
from harness.use.network_source import TrainedNetwork


@dataclass(frozen=True)
class FinishedRun:
    """A run whose weights are here.

    Attributes:
        record: of it.
        place: the record's file.
        checkpoint: the file of its weights.
        scores: the arrays of its evaluation, with what validation decided; empty if they are not
            here.
        benchmark: the benchmark file.
        task: of its suite.
    """

    record: Record
    place: Path
    checkpoint: Path
    scores: Mapping[str, NDArray[Any]]
    benchmark: LoadedBenchmark
    task: Task

    @property
    def name(self) -> str:
        """Its name for a person: entry, dataset and seed."""
        seed = "" if self.record.seed is None else f", seed {self.record.seed}"
        return f"{self.record.entry} on {self.record.dataset.name}{seed}"

    def listing(self) -> Listing:
        """Return the lists of its dataset.

        Raises:
            RequestError: they are not here, or no longer those of the run.
        """
        try:
            return record_listing(self.benchmark, self.record)
        except NotHereError as error:
            raise RequestError(f"{self.place}: {error}") from error

    def listing_if_here(self) -> Listing | None:
        """Return the lists of its dataset; None if they are not here, or no longer these."""
        try:
            return self.listing()
        except RequestError:
            return None

    def network(self, output: Output) -> TrainedNetwork:
        """Return its network for a worker.

        Raises:
            RequestError: logits are asked for, and it has no head or its classes are not known.
        """
        record = self.record
        recipe = Recipe.model_validate(record.recipe) if record.recipe else None
        crops = recipe.test_crops if recipe else None
        if output == "embedding":
            return TrainedNetwork(
                checkpoint=self.checkpoint, model=record.model, output=output, crops=crops
            )
        if record.loss is None:
            raise RequestError(f"{self.name}: has no head, so it tells no classes")
        listing = self.listing()
        items = listing.split_items("train", record.dataset.left_out)["label"].value_counts()
        return TrainedNetwork(
            checkpoint=self.checkpoint,
            model=record.model,
            loss=record.loss,
            output=output,
            classes=listing.classes,
            counts=tuple(int(items.get(label, 0)) for label in listing.classes),
            augment=recipe.augment if recipe else None,
            crops=crops,
        )


def find_finished_run(
    loaded: LoadedBenchmark, run: Path, runs: Path, checkpoint: str | None = None
) -> FinishedRun:
    """Find a run and its weights.

    Args:
        loaded: the benchmark.
        run: as `harness runs list` names it, its own path, or a published record.
        runs: the folder of records and stages.
        checkpoint: its weights, if they lie elsewhere: a file, a folder or `hf://owner/name`.

    Raises:
        RequestError: there is no such run, it has no network, or its weights are not here.
    """
    place = find_run(runs, run)
    record = read_record(place)
    _check_has_network(record, place)
    found = find_checkpoint(checkpoint) if checkpoint else _own_checkpoint(record, place, runs)
    wanted = _checkpoint_hash(record)
    if wanted and sha256_file(found) != wanted:
        raise RequestError(f"{found}: not the weights that {place} names (sha256 {wanted[:12]})")
    try:
        task = record_task(loaded, record)
    except NotHereError as error:
        raise RequestError(f"{place}: {error}") from error
    scores = place.with_name(SCORES if place.name == RECORD else scores_path(place.name))
    is_whole = scores.is_file() and not difference_from_artefact(scores, record, "scores")
    return FinishedRun(
        record,
        place,
        found,
        load_scores(scores) if is_whole else {},
        loaded,
        task,
    )


def _check_has_network(record: Record, place: Path) -> None:
    if record.state != "done":
        raise RequestError(f"{place}: it is {record.state}; there is no network to use")
    if record.is_baseline or record.submission is not None:
        kind = "the baseline, which trains nothing" if record.is_baseline else "computed elsewhere"
        raise RequestError(f"{place}: it is {kind}; there is no network to use")
    if record.track == "ensemble":
        raise RequestError(f"{place}: the mean of several networks; use one of its members' runs")


def _own_checkpoint(record: Record, place: Path, runs: Path) -> Path:
    stage = record.stages.get("train")
    if stage is None:
        raise RequestError(
            f"{place}: its weights were made elsewhere; name their file with --checkpoint"
        )
    path = stage_folder(runs, "train", stage.key) / FINAL
    if not path.is_file():
        raise RequestError(
            f"{path}: not here; --runs names the folder that the run was made in, --checkpoint the "
            "file of its weights"
        )
    return path


def _checkpoint_hash(record: Record) -> str:
    """Return the hash of a run's weights; empty if its record names none."""
    if "checkpoint" in record.artefacts:
        return record.artefacts["checkpoint"].sha256
    stage = record.stages.get("evaluate")
    return str(stage.inputs.get("checkpoint", "")) if stage else ""
