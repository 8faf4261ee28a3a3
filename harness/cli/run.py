"""`harness run`: run what is missing of a suite and print its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from harness.cli import options
from harness.cli.health import health_line
from harness.cli.output import complain, give, give_json, say
from harness.cli.progress import ProgressDisplay
from harness.config.numbers import EMBEDDINGS_MIB
from harness.errors import PathError, StorageError

if TYPE_CHECKING:
    from harness.board.standing.rows import FiledRecord
    from harness.datasets.corpus_folders import Absence
    from harness.run.plan.request import RunRequest
    from harness.run.session import Outcome


def run(
    *,
    suite: options.Suite,
    profile: options.ProfileOption = options.Profile.quick,
    dataset: options.Datasets = None,
    model: options.Models = None,
    loss: options.Losses = None,
    recipe: options.Recipes = None,
    budget: options.Budgets = None,
    seeds: options.Seeds = "",
    device: options.DeviceOption = options.Device.auto,
    executor: options.ExecutorOption = "local",
    workers: options.Workers = 1,
    data_workers: options.DataWorkers = 0,
    keep_states: options.KeepStates = 0,
    keep_embeddings: options.KeepEmbeddings = EMBEDDINGS_MIB,
    config: options.Config = None,
    runs: options.Runs = options.DEFAULT_RUNS,
    settings: options.Settings = None,
    job_hours: options.JobHours = None,
    silence_minutes: options.SilenceMinutes = None,
    leave_out_damaged: options.LeaveOut = False,
    json: options.Json = False,
) -> None:
    """Run what is missing of a suite, print its table, keep its records."""
    from harness.config.loader import load
    from harness.run.execute.executor import choose_executor
    from harness.run.session import run_suite

    request = options.make_request(
        suite, profile, runs, device=device, workers=workers, executor=executor,
        seeds=seeds, settings=settings,
        datasets=dataset, models=model, losses=loss, recipes=recipe, budgets=budget,
        leave_out_damaged=leave_out_damaged,
        data_workers=data_workers, job_hours=job_hours, silence_minutes=silence_minutes,
        keep_states=keep_states, keep_embeddings=keep_embeddings,
    )  # fmt: skip
    loaded = load(config)
    engine = choose_executor(executor, loaded.benchmark.executors)
    with ProgressDisplay() as display:
        outcome = run_suite(loaded, request, workers=workers, watch=display.show, executor=engine)
    if not show(outcome, request, as_json=json):
        raise typer.Exit(1)


def show(outcome: Outcome, request: RunRequest, *, as_json: bool) -> bool:
    """Print the call's tables and what is absent, and write the tables beside the records.

    Returns:
        False where a job has no result, or the tables could not be written.
    """
    from harness.board.publishing.local_records import file_record
    from harness.board.standing.rows import FiledRecord
    from harness.board.standing.table import tables
    from harness.board.writing.console import renderable
    from harness.board.writing.json_document import document

    filed = {path: file_record(path, record) for path, record in outcome.filed.items()}
    written = write_tables(request, filed)
    made = tables([*map(FiledRecord, outcome.beside), *filed.values()])
    if as_json:
        absent = [vars(absence) for absence in outcome.absent]
        give_json({**document(made), "ran": len(outcome.ran), "absent": absent})
    else:
        give(*(renderable(table) for table in made))
        say_absent(outcome.absent)
    if written and not as_json:
        say(f"{len(outcome.ran)} of {len(outcome.jobs)} jobs were run now; table: {written}")
    if line := health_line(outcome.made, request.runs):
        say(line)
    return outcome.all_done and written is not None


def write_tables(request: RunRequest, known: Mapping[Path, FiledRecord]) -> Path | None:
    """Write the tables beside the records; None, and a message, where the disk takes none.

    Args:
        request: the call.
        known: absolute path -> record of those that need not be read again.
    """
    from harness.board.publishing.local_records import write_local

    try:
        return write_local(request.runs, request.suite, request.profile, known)
    except (PathError, StorageError) as error:
        complain(str(error))
        return None


def say_absent(absent: Sequence[Absence]) -> None:
    """List the datasets of the suite that are not here."""
    from harness.datasets.corpus_folders import absence_lines

    for line in absence_lines(absent):
        say(line)
