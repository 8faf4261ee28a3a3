"""A search: settings proposed one after the other by what validation said of those before.

Every trial is a job whose stages are kept, and every proposal rests on the search's seed and the
trials before it alone. So a search that goes on proposes what it proposed before, finds what is
done, and ends with the numbers of one that was never stopped. The chosen setting alone is scored on
test, and its record says how many were tried.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from harness.config.loader import LoadedBenchmark
from harness.config.tables import ExecutorTable
from harness.errors import ConfigError
from harness.records.damage import hear_damage
from harness.records.files import keep_from_git
from harness.records.record import Record
from harness.run.events import ProgressEvent, Watch, message_sender
from harness.run.execute.executor import LOCAL, make_executor, refuse_crowd, run_jobs
from harness.run.job.evaluate_stage import count_configurations
from harness.run.job.record_writing import write_attempt
from harness.run.job.spec import JobSpec
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.jobs import plan_suite
from harness.run.plan.protocol import pin_protocols
from harness.run.plan.request import DatasetState, RunRequest, listing_states
from harness.run.session import find_datasets, open_state, run_missing
from harness.search.proposals import SearchPlan, make_study, propose
from harness.search.pruning import Pruned, ValidationWatch
from harness.search.settings import Setting

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Trial:
    """One setting that was tried.

    Attributes:
        setting: recipe keys and values.
        state: of it.
        value: of the primary metric on validation, the mean over seeds; None if it has none.
        validations: step and value of each validation of its first seed.
        reason: why it failed.
    """

    setting: Setting
    state: Literal["done", "pruned", "failed"]
    value: float | None = None
    validations: tuple[tuple[int, float], ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Search:
    """A finished search of one entry's settings on one dataset.

    Attributes:
        job: the first trial's first job, for names and protocol.
        plan: what was searched.
        trials: in their order.
        chosen: place of the best on validation; None if none is done.
        tested: records of the chosen setting on test.
        tried: configurations of this entry that were tried on this dataset, here and before.
    """

    job: JobSpec
    plan: SearchPlan
    trials: tuple[Trial, ...]
    chosen: int | None
    tested: tuple[Record, ...] = ()
    tried: int = 0


def run_search(
    loaded: LoadedBenchmark,
    request: RunRequest,
    plan: SearchPlan,
    *,
    watch: Watch,
    executor: ExecutorTable = LOCAL,
) -> Search:
    """Try settings of the one entry of a request on its one dataset, and test the best.

    Args:
        loaded: the benchmark.
        request: the call; its own settings hold for all trials.
        plan: of the search.
        watch: receives the call's progress.
        executor: where jobs run.

    Raises:
        ConfigError: a setting cannot be built, or the request has several entries or datasets.
        CorpusAbsent: the dataset is not here.
        RequestError: Optuna is not installed.
    """
    for key in plan.space.keys() & request.settings.keys():
        raise ConfigError(f"{key}: is given by --set and by --over; leave one of them out")
    study, count = make_study(), plan.count
    refuse_crowd(make_executor(executor, request.device, 1), loaded.benchmark.budget)
    run = _Searching(loaded, request, executor, watch)
    with hear_damage(message_sender(watch)):
        for number in range(count):
            watch(ProgressEvent("message", f"trial {number + 1} of {count}"))
            proposed = propose(study, plan, number)
            tried = run.one(proposed, plan.prunes)
            run.trials.append(tried)
            _tell(study, proposed, tried, run.sign)
        return run.finish(plan)


def _tell(study: optuna.Study, proposed: optuna.Trial, tried: Trial, sign: int) -> None:
    """Tell a study how a trial ended."""
    from optuna.trial import TrialState

    if tried.value is not None:
        study.tell(proposed, sign * tried.value)
    else:
        ended = TrialState.PRUNED if tried.state == "pruned" else TrialState.FAIL
        study.tell(proposed, state=ended)


@dataclass
class _Searching:
    """A search that goes on: its dataset is opened once for all trials."""

    loaded: LoadedBenchmark
    request: RunRequest
    executor: ExecutorTable
    watch: Watch
    trials: list[Trial] = field(default_factory=list)
    jobs: list[list[JobSpec]] = field(default_factory=list)
    baselines: list[JobSpec] = field(default_factory=list)
    opened: dict[str, DatasetState] = field(default_factory=dict)

    @property
    def sign(self) -> int:
        """1 where a higher primary metric is better, else -1."""
        protocol = self.jobs[0][0].protocol
        return 1 if protocol.facts[protocol.primary].higher_is_better else -1

    def one(self, proposed: optuna.Trial, prunes: bool) -> Trial:
        """Train and validate a setting with every seed."""
        setting = dict(proposed.params)
        jobs = self._plan(setting)
        self.jobs.append(jobs)
        looks = ValidationWatch(jobs[0], proposed if prunes else None, self.watch)
        values = list[float]()
        for job in jobs:
            try:
                looks.look()  # what was pruned before is pruned at once
                record = self._validate(job, looks.receive if job is jobs[0] else self.watch)
                looks.look()
            except Pruned:
                return Trial(setting, "pruned", validations=tuple(looks.seen))
            if record.state != "done":
                seen = tuple(looks.seen)
                return Trial(setting, "failed", validations=seen, reason=record.reason)
            values.append(record.metrics[job.protocol.primary].value)
        return Trial(setting, "done", statistics.fmean(values), tuple(looks.seen))

    def finish(self, plan: SearchPlan) -> Search:
        """Score the best setting on test, and file how many were tried."""
        first = self.jobs[0][0]
        merits = {
            place: self.sign * each.value
            for place, each in enumerate(self.trials)
            if each.value is not None
        }
        chosen = max(merits, key=lambda place: (merits[place], -place), default=None)
        tried, tested = count_configurations(first), list[Record]()
        if chosen is not None:
            every = [*self.baselines, *self.jobs[chosen]]
            records, _ = run_missing(every, self.executor, self.request, 1, self.watch)
            pairs = zip(every, records, strict=True)
            tested = [_with_tried(*pair, tried) for pair in pairs if not pair[0].is_baseline]
        return Search(first, plan, tuple(self.trials), chosen, tuple(tested), tried)

    def _plan(self, setting: Mapping[str, Any]) -> list[JobSpec]:
        """Return the jobs of a setting, one for each seed."""
        WORKERS.minutes = self.request.limits.silence_minutes
        request = replace(self.request, settings={**self.request.settings, **setting})
        here, _ = find_datasets(self.loaded, request)
        if len(here) != 1 or here[0].fold is not None:
            told = ", ".join(each.name for each in here)
            raise ConfigError(
                "a search is on one dataset with a validation split of its own, and this call has "
                f"{told}; give --dataset"
            )
        tell = message_sender(self.watch)
        plan = plan_suite(self.loaded, request, listing_states(self.loaded, here), tell)
        if not self.opened:
            keep_from_git(request.runs)
            for each in here:
                self.opened[each.name] = open_state(self.loaded, each, request, self.watch)
        planned = plan.jobs(self.opened)
        WORKERS.close()
        pin_protocols(self.loaded, planned)
        self.baselines = [job for job in planned if job.is_baseline]
        jobs = [job for job in planned if not job.is_baseline and not job.members]
        entries = {(job.model.name, job.loss and job.loss.name, job.recipe_name) for job in jobs}
        if len(entries) != 1:
            raise ConfigError(
                f"a search is of one entry, and this call has {len(entries)}; give --model, --loss "
                "and one --budget at most"
            )
        return jobs

    def _validate(self, job: JobSpec, watch: Watch) -> Record:
        engine = make_executor(self.executor, self.request.device, 1)
        asked = job.model_copy(update={"only": "validate"})
        ((_, record),) = run_jobs([asked], engine, watch)
        return record


def _with_tried(job: JobSpec, record: Record, tried: int) -> Record:
    if record.state == "done" and record.searched < tried:  # it was tested before the search
        return write_attempt(job, record.model_copy(update={"searched": tried}), None)
    return record
