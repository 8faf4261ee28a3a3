"""Find the weights that a recipe's training begins with, and hold what they saw apart from test."""

from __future__ import annotations

from pathlib import Path

from harness.config.init_source import InitialWeights
from harness.config.loader import LoadedBenchmark
from harness.datasets.listing import Listing
from harness.errors import RequestError
from harness.records.documents import sha256_file
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.run.folder import find_run
from harness.run.job.initial import Initial
from harness.run.job.record_writing import RECORD
from harness.run.job.results import stage_folder
from harness.run.plan.checkpoints import HUB, disjoint_datasets, find_checkpoint
from harness.train.training_progress import FINAL


def find_initial(
    loaded: LoadedBenchmark, runs: Path, declared: InitialWeights, tested: Listing
) -> Initial:
    """Return the weights of a recipe's `init`.

    Args:
        loaded: the benchmark; a file is looked for beside its file first.
        runs: the folder of runs.
        declared: the recipe's table.
        tested: the dataset that the new training is judged on.

    Raises:
        RequestError: there are none, they are not what their record names, or what they were
            trained on is tested.
    """
    said = declared.weights
    place = None if said.startswith(HUB) else _record_of(runs, Path(said))
    if place is None:
        beside = loaded.folder / said
        path = find_checkpoint(str(beside) if not _is_address(said) and beside.exists() else said)
        trained_on, key, name = declared.trained_on, "", Path(said).name
    else:
        if declared.trained_on is not None:
            raise RequestError(f"init: {said} is a run, which tells itself what it was trained on")
        record = read_record(place)
        path, key = _weights_of(record, place, runs)
        name = f"{record.entry} on {record.dataset.name}"
        trained_on = _seen_by(record)
    apart = disjoint_datasets(loaded, trained_on or (), tested)
    return Initial(
        path=path,
        sha256=sha256_file(path),
        train=key,
        name=name,
        trained_on=trained_on,
        is_apart=trained_on is not None and set(apart) == set(trained_on),
        unit=tested.corpus.unit,
    )


def _is_address(said: str) -> bool:
    return said.startswith(HUB) or Path(said).expanduser().is_absolute()


def _record_of(runs: Path, said: Path) -> Path | None:
    """Return the record of a run; None if it names none."""
    for folder in (runs / said, said):
        if (folder / RECORD).is_file():
            return folder / RECORD
    return find_run(runs, said) if said.suffix == ".json" else None


def _weights_of(record: Record, place: Path, runs: Path) -> tuple[Path, str]:
    """Return the weights of a run, held against its record, and the key of its training."""
    stage, made = record.stages.get("train"), record.artefacts.get("checkpoint")
    if record.state != "done" or stage is None or made is None:
        raise RequestError(f"init: {place}: is no finished training, so there are no weights of it")
    path = stage_folder(runs, "train", stage.key) / FINAL
    if not path.is_file():
        raise RequestError(
            f"init: {path}: not here; --runs names the folder that the run was made in, or name "
            "the file of its weights"
        )
    if sha256_file(path) != made.sha256:
        raise RequestError(f"init: {path}: not the weights that {place} names; train it again")
    return path, stage.key


def _seen_by(record: Record) -> tuple[str, ...] | None:
    """Return all that a run's weights were trained on; None if that is not known of its own."""
    if (record.recipe or {}).get("init") and record.trained_on is None:
        return None
    return tuple(dict.fromkeys([*(record.trained_on or ()), record.dataset.name]))
