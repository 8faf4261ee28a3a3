"""A call that trains on from where a finished run stands."""

from __future__ import annotations

from harness.config.loader import LoadedBenchmark
from harness.config.recipes import Recipe
from harness.config.tables import ExecutorTable
from harness.records.damage import hear_damage
from harness.run.events import Watch, message_sender
from harness.run.execute.executor import LOCAL
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.extension import FinishedTraining, check_unchanged, plan_extension
from harness.run.plan.request import RunRequest, listing_states
from harness.run.session import Outcome, find_datasets, open_and_complete, run_missing


def extend_run(
    loaded: LoadedBenchmark,
    request: RunRequest,
    finished: FinishedTraining,
    recipe: Recipe,
    *,
    watch: Watch,
    executor: ExecutorTable = LOCAL,
) -> Outcome:
    """Train on from a finished training, evaluate and measure the result: a run of its own.

    Args:
        loaded: the benchmark that the run was made with.
        request: its suite, profile, dataset and device.
        finished: its training.
        recipe: of the continuation (see `continued_recipe`).
        watch: receives the call's progress.
        executor: where jobs run.

    Returns:
        The job, with the finished run's record before its own.

    Raises:
        CorpusAbsent: the dataset is not here.
        RequestError: adapters, data or task are not those of the finished training.
    """
    WORKERS.minutes = request.limits.silence_minutes
    here, absent = find_datasets(loaded, request, [finished.record.model.name])
    tell = message_sender(watch)
    with hear_damage(tell):
        states = listing_states(loaded, here)
        plan = plan_extension(loaded, request, states, finished, recipe, tell)
        jobs = open_and_complete(loaded, request, plan, here, watch)
        for job in jobs:
            check_unchanged(job, finished)
        records, ran = run_missing(jobs, executor, request, 1, watch)
    return Outcome(jobs, records, ran, absent, beside=(finished.record,))
