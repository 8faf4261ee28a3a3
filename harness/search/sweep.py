"""A sweep: one entry trained with each of several settings, the best on validation tested.

Every setting is trained and judged on validation. Test is scored for the chosen one alone, whose
record says how many were tried.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.board.standing.rows import FiledRecord, Row, seed_of
from harness.board.standing.table_ranks import TableRanks, pair_p_values, rank
from harness.config.loader import LoadedBenchmark
from harness.config.tables import ExecutorTable
from harness.errors import ConfigError
from harness.records.damage import hear_damage
from harness.records.files import keep_from_git
from harness.records.recipe_name import changed_name, read_recipe_name
from harness.records.record import MetricFacts, Record
from harness.run.events import ProgressEvent, Watch, message_sender
from harness.run.execute.executor import LOCAL, make_executor, refuse_crowd, run_jobs
from harness.run.job.evaluate_stage import count_configurations
from harness.run.job.record_writing import write_attempt
from harness.run.job.spec import JobSpec
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.jobs import plan_suite
from harness.run.plan.protocol import pin_protocols
from harness.run.plan.request import RunRequest, listing_states
from harness.run.session import find_datasets, open_state, run_missing
from harness.search.settings import Setting, grid

Place = tuple[str, str]
"""Dataset and entry (model + loss) of a sweep."""


@dataclass(frozen=True)
class Sweep:
    """The settings of one entry on one dataset, judged on validation.

    Attributes:
        settings: what was tried.
        rows: the figures of validation of each, over its seeds, in the same order; of one that
            failed its failure.
        ranking: ranks of the rows on validation.
        chosen: place of the best mean over seeds on validation; None if every setting failed.
        tested: records of the chosen setting on test.
        tried: configurations of this entry that were tried on this dataset, here and before.
        recipe: name of the recipe, with its budget and what the call changed for all settings.
    """

    settings: tuple[Setting, ...]
    rows: tuple[Row, ...]
    ranking: TableRanks
    chosen: int | None
    tested: tuple[Record, ...] = ()
    tried: int = 0
    recipe: str = ""

    @property
    def first(self) -> Record:
        """A record that speaks for protocol, dataset and entry."""
        return self.rows[0].first

    @property
    def facts(self) -> MetricFacts:
        """The primary metric."""
        return self.first.protocol.facts[self.first.protocol.primary]

    @property
    def test_row(self) -> Row | None:
        """The chosen setting's figures on test; None if it has none."""
        done = [each for each in self.tested if each.state == "done"]
        return Row(tuple(map(FiledRecord, done))) if done else None

    def p_values(self) -> list[float | None]:
        """Return of each setting the p value of its difference from the chosen one's.

        Paired on validation's units, Holm-corrected over all pairs; None where there is none.
        """
        if self.chosen is None:
            return [None] * len(self.rows)
        best, found = self.rows[self.chosen], dict[Row, float]()
        for (one, other), p in pair_p_values(self.rows, self.ranking, self.first.protocol).items():
            if best in (one, other):
                found[other if one is best else one] = p
        return [found.get(row) for row in self.rows]


def run_sweep(
    loaded: LoadedBenchmark,
    request: RunRequest,
    over: Mapping[str, Sequence[Any]],
    *,
    workers: int,
    watch: Watch,
    executor: ExecutorTable = LOCAL,
) -> list[Sweep]:
    """Train and validate each setting of each entry of a request, and test the chosen ones.

    Args:
        loaded: the benchmark.
        request: the call; its own settings hold for all.
        over: recipe keys and the values to try.
        workers: jobs at a time.
        watch: receives the call's progress.
        executor: where jobs run.

    Raises:
        ConfigError: the settings cannot be built, a dataset is judged by folds, or an entry has
            several recipes or budgets.
        CorpusAbsent: one that was asked for by name is absent, or all are.
    """
    settings = grid(over)
    for key in over.keys() & request.settings.keys():
        raise ConfigError(f"{key}: is given by --set and by --over; leave one of them out")
    refuse_crowd(make_executor(executor, request.device, workers), loaded.benchmark.budget)
    with hear_damage(message_sender(watch)):
        baselines, jobs = _plan(loaded, request, settings, watch)
        judged = _validate(jobs, executor, request, workers, watch)
        sweeps = {
            place: replace(_judge(settings, each), recipe=_shared(jobs[place][0][0], request))
            for place, each in judged.items()
        }
        chosen = {
            place: jobs[place][sweep.chosen]
            for place, sweep in sweeps.items()
            if sweep.chosen is not None
        }
        tested = [job for place in chosen for job in chosen[place]]
        records, _ = run_missing([*baselines, *tested], executor, request, workers, watch)
    of = dict(zip([job.digest for job in (*baselines, *tested)], records, strict=True))
    return [
        _with_test(sweep, chosen.get(place, []), of, count_configurations(jobs[place][0][0]))
        for place, sweep in sweeps.items()
    ]


def _plan(
    loaded: LoadedBenchmark, request: RunRequest, settings: Sequence[Setting], watch: Watch
) -> tuple[list[JobSpec], dict[Place, list[list[JobSpec]]]]:
    """Return the baselines of a request, and of each entry the jobs of each setting."""
    WORKERS.minutes = request.limits.silence_minutes
    here, _ = find_datasets(loaded, request)
    for each in here:
        if loaded.fold(each.name) is not None:
            raise ConfigError(
                f"{each.table}: is judged by folds, whose test units are other folds' training; "
                "sweep on a dataset with a validation split of its own"
            )
    states, tell = listing_states(loaded, here), message_sender(watch)
    changed = [replace(request, settings={**request.settings, **each}) for each in settings]
    # All are planned before anything is decoded: a wrong value of the last one is refused at once.
    plans = [plan_suite(loaded, each, states, tell) for each in changed]
    _check_alike(plans[0].jobs(states))
    keep_from_git(request.runs)
    opened = {each.name: open_state(loaded, each, request, watch) for each in here}
    planned = [plan.jobs(opened) for plan in plans]
    WORKERS.close()
    pin_protocols(loaded, planned[0])
    found: dict[Place, list[list[JobSpec]]] = defaultdict(list)
    for jobs in planned:
        groups: dict[Place, list[JobSpec]] = defaultdict(list)
        for job in jobs:
            if not job.is_baseline and not job.members:
                groups[job.dataset.name, _entry(job)].append(job)
        for place, group in groups.items():
            found[place].append(group)
    return [job for job in planned[0] if job.is_baseline], found


def _check_alike(jobs: Sequence[JobSpec]) -> None:
    """Refuse entries of which a setting would be several: their figures would be averaged."""
    names: dict[Place, dict[str, None]] = defaultdict(dict)
    for job in jobs:
        if job.recipe_name and not job.is_baseline and not job.members:
            names[job.dataset.name, _entry(job)][job.recipe_name] = None
    for (dataset, entry), recipes in names.items():
        if len(recipes) > 1:
            raise ConfigError(
                f"{dataset}: a sweep is of one recipe and one budget an entry, and {entry} has "
                f"{' and '.join(recipes)}; give --budget once, or a suite that has one of them"
            )


def _shared(job: JobSpec, request: RunRequest) -> str:
    """Return the name of a setting's recipe without the setting."""
    return changed_name(read_recipe_name(job.recipe_name).base, request.settings)


def _entry(job: JobSpec) -> str:
    return f"{job.model.name} + {job.loss.name}" if job.loss else job.model.name


def _validate(
    jobs: Mapping[Place, list[list[JobSpec]]],
    executor: ExecutorTable,
    request: RunRequest,
    workers: int,
    watch: Watch,
) -> dict[Place, list[list[Record]]]:
    """Return the figures of validation of every job, in the jobs' places."""
    every = {job.digest: job for groups in jobs.values() for group in groups for job in group}
    asked = [job.model_copy(update={"only": "validate"}) for job in every.values()]
    watch(ProgressEvent("jobs", total=len(asked)))
    engine = make_executor(executor, request.device, workers)
    found = {job.digest: record for job, record in run_jobs(asked, engine, watch)}
    return {
        place: [[found[job.digest] for job in group] for group in groups]
        for place, groups in jobs.items()
    }


def _judge(settings: Sequence[Setting], judged: Sequence[Sequence[Record]]) -> Sweep:
    """Rank settings by their figures of validation, and choose the best mean over seeds."""
    rows = tuple(_row(records) for records in judged)
    protocol, dataset = rows[0].first.protocol, rows[0].first.dataset
    facts = protocol.facts[protocol.primary]
    merits = {
        place: figure.value * (1 if facts.higher_is_better else -1)
        for place, row in enumerate(rows)
        if row.is_done and (figure := row.figure(protocol.primary))
    }
    chosen = max(merits, key=lambda place: (merits[place], -place), default=None)
    return Sweep(tuple(settings), rows, rank(rows, protocol, dataset.unit), chosen)


def _row(records: Sequence[Record]) -> Row:
    """Join a setting over its seeds; one of which a seed failed is that failure."""
    failed = [record for record in records if record.state != "done"]
    joined = failed[:1] or sorted(records, key=seed_of)
    return Row(tuple(map(FiledRecord, joined)))


def _with_test(
    sweep: Sweep, jobs: Sequence[JobSpec], records: Mapping[str, Record], tried: int
) -> Sweep:
    """Add the chosen setting's records of test; each says how many were tried."""
    tested = []
    for job in jobs:
        record = records[job.digest]
        if record.state == "done" and record.searched < tried:  # it was tested before the sweep
            told = record.model_copy(update={"searched": tried})
            record = write_attempt(job, told, None)
        tested.append(record)
    return replace(sweep, tested=tuple(tested), tried=tried)
