"""The job of a published record: planned anew, held against the record, and what differs named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.board.standing.budgets import crops_seen
from harness.config.loader import LoadedBenchmark
from harness.datasets.dataset import open_dataset
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError, LockError, RequestError
from harness.measure.device import choose_device, default_threads
from harness.records.documents import canonical_json
from harness.records.files import keep_from_git
from harness.records.provenance import DIRTY
from harness.records.record import Record
from harness.run.events import Watch, message_sender, reading_counter
from harness.run.job.limits import Limits
from harness.run.job.spec import JobSpec
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.call_plan import CallPlan
from harness.run.plan.jobs import plan_suite
from harness.run.plan.request import DatasetState, RunRequest, listing_state, requested_suite

SHOWN = 5
"""Differences that a refusal names."""

LATER = ("loss", "left_out", "test_crops")
"""Parts of an evaluation's key that first records do not have."""


@dataclass(frozen=True, kw_only=True)
class Rerun:
    """How the job of a record is run again; none of it is in a key but the settings.

    Attributes:
        runs: the folder of the job's stages.
        settings: recipe keys that the record's run changed, as `--set` gave them.
        limits: the time that it may take.
        threads: that it computes with; None for what a run takes.
    """

    runs: Path
    settings: dict[str, Any] = field(default_factory=dict)
    limits: Limits = field(default=Limits())
    threads: int | None = None


def check_reproducible(record: Record, where: Path) -> None:
    """Refuse a record of which there is nothing to make again.

    Raises:
        RequestError: why.
    """
    if record.state != "done":
        raise RequestError(f"{where}: it is {record.state} and holds no numbers")
    if record.submission is not None or record.trust in ("claimed", "rescored"):
        raise RequestError(
            f"{where}: computed elsewhere ({record.trust}), so that there is no job of it to run"
        )
    if record.track == "checkpoint":
        raise RequestError(
            f"{where}: its weights were made elsewhere; `harness evaluate` evaluates them again"
        )
    if record.is_exported:
        raise RequestError(
            f"{where}: a file of another runtime; `harness export --judge` judges it again"
        )
    if record.track == "ensemble":
        raise RequestError(
            f"{where}: the mean of other entries' networks; `harness reproduce` makes those again"
        )
    if "train" in record.stages and record.stages["train"].inputs.get("parent"):
        raise RequestError(
            f"{where}: goes on from another training; make that again, and `harness extend` its run"
        )
    if record.dataset.left_out:
        left = len(record.dataset.left_out)
        raise RequestError(f"{where}: {left} items were left out of its data")


def plan_record(loaded: LoadedBenchmark, record: Record, rerun: Rerun, watch: Watch) -> JobSpec:
    """Plan the job of a record once, and hold it by its lists alone, then with its data opened.

    Args:
        loaded: the benchmark.
        record: the record.
        rerun: how it is run again.
        watch: receives the progress of its data.

    Raises:
        RequestError: this benchmark plans another job, its data are not here, or its code is in no
            commit.
    """
    WORKERS.minutes = rerun.limits.silence_minutes
    request = request_for(loaded, record, rerun)
    try:
        listing = list_dataset(loaded, record.dataset.name, request.profile)
    except LockError as error:
        raise RequestError(f"{error}\nIt was made by {record.code[:12]}") from error
    keep_from_git(rerun.runs)
    listed = listing_state(loaded, listing)
    plan = plan_again(loaded, request, record, listed)
    # Before anything is decoded, as far as lists tell; then with all that the data tell.
    job = planned_job(plan, record, listed)
    if job.code.endswith(DIRTY):
        raise RequestError(
            f"{job.code}: code that is in no commit attests nothing; commit or stash your changes"
        )
    opened = open_dataset(
        loaded,
        listing,
        request.cache,
        advance=reading_counter(listing, watch),
        tell=message_sender(watch),
    )
    source = DatasetState(listing, opened.lock, opened.left_out, opened.pinned)
    return planned_job(plan, record, source)


def request_for(loaded: LoadedBenchmark, record: Record, rerun: Rerun) -> RunRequest:
    """Return a request for a record's job alone; a baseline is planned beside any system."""
    trained = record.stages.get("train")
    request = RunRequest(
        suite=record.protocol.suite,
        profile="quick" if record.protocol.profile == "quick" else "full",
        datasets=(record.dataset.name,),
        runs=rerun.runs,
        device=choose_device(trained.inputs["device"] if trained else "cpu"),
        threads=rerun.threads or default_threads(1),
        settings=rerun.settings,
        limits=rerun.limits,
    )
    model, loss = record.model.name, record.loss.name if record.loss else ""
    if record.is_baseline:
        first = requested_suite(loaded, request).systems[0]
        model, loss = first.model, first.loss
    seeds = () if record.seed is None else (record.seed,)
    crops = crops_seen(record)
    fold = record.dataset.fold
    plan = requested_suite(loaded, request).profiles[request.profile]
    named = plan.budgets_for(fold.of if fold else record.dataset.name)
    budgets = (crops,) if crops in named and crops is not None else ()
    return replace(request, models=(model,), losses=(loss,), seeds=seeds, budgets=budgets)


def plan_again(
    loaded: LoadedBenchmark, request: RunRequest, record: Record, source: DatasetState
) -> CallPlan:
    """Plan the jobs among which a record's has to be.

    Raises:
        RequestError: this benchmark plans no such job.
    """
    with _naming_the_commit(record):
        return plan_suite(loaded, request, {source.listing.name: source})


def planned_job(plan: CallPlan, record: Record, source: DatasetState) -> JobSpec:
    """Return the job that a record was made by, as it is planned now.

    Args:
        plan: as `plan_again` makes it.
        record: the record.
        source: its dataset, as far as it is known.

    Raises:
        RequestError: there is no such job, or it is another one; what differs, and the commit that
            planned the record's.
    """
    with _naming_the_commit(record):
        jobs = plan.jobs({source.listing.name: source})
    back = _check_out(record)
    alike = [job for job in jobs if _names(job) == _names(record)]
    named = [job for job in alike if job.recipe_name == record.recipe_name]
    if not alike:
        raise RequestError(f"this benchmark plans no job for {record.entry}; {back}")
    job = (named or alike)[0]
    if job.refused:
        raise RequestError(f"this benchmark cannot plan {record.entry}: {job.refused}; {back}")
    found = list(_differences(record, job, opened=source.opened))
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise RequestError(
            f"this benchmark plans another job for {record.entry}: {'; '.join(found[:SHOWN])}"
            f"{more}; {back}, or give what it was changed by with --set"
        )
    return job


@contextmanager
def _naming_the_commit(record: Record) -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        told = f"this benchmark plans no such job: {error}; {_check_out(record)}"
        raise RequestError(told) from error


def _check_out(record: Record) -> str:
    return f"check out {record.code[:12]} to make it again"


def _differences(record: Record, job: JobSpec, *, opened: bool) -> Iterator[str]:
    """Name the differences of a job from a record's, in all that its weights and numbers rest on.

    Costs rest on the machine too, and are not compared.

    Args:
        record: a record.
        job: of the same names.
        opened: True if the job's data are read, so that it knows what noises are drawn from.
    """
    yield from _changes("protocol", _rules(record), _rules(job))
    yield from _changes("recipe_name", record.recipe_name, job.recipe_name)
    trained = record.stages.get("train")
    if (trained is None) != (job.train is None):
        yield "train: one of them trains nothing"
    elif trained is not None and job.train is not None:
        unread = () if opened else ("disturbances",)
        then, now = _without(trained.inputs, unread), _without(job.train.inputs, unread)
        yield from _changes("train", then, now)
    if "evaluate" in record.stages:
        then = record.stages["evaluate"].inputs
        older = [name for name in LATER if not isinstance(then.get(name), dict | list)]
        unknown = ("checkpoint", *older)
        now = job.evaluate("").inputs
        yield from _changes("evaluate", _without(then, unknown), _without(now, unknown))


def _rules(of: Record | JobSpec) -> dict[str, Any]:
    protocol, dataset = of.protocol, of.dataset
    return {
        "dataset": dataset.lock,
        "digest": protocol.digest,
        "parameters": protocol.parameters,
        "version": protocol.version,
    }


def _names(of: Record | JobSpec) -> tuple[str, str | None, int | None, bool]:
    return of.model.name, of.loss.name if of.loss else None, of.seed, of.is_baseline


def _without(inputs: Mapping[str, Any], unknown: tuple[str, ...]) -> dict[str, Any]:
    kept = {key: value for key, value in inputs.items() if key not in unknown}
    plain: dict[str, Any] = json.loads(canonical_json(kept))
    return plain


def _changes(where: str, then: Any, now: Any) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            yield from _changes(f"{where}.{key}", then.get(key), now.get(key))
    elif then != now:
        yield f"{where}: recorded {_short(then)}, planned {_short(now)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else canonical_json(value)
    return f"{text[:12]}..." if isinstance(value, str) and len(text) == 64 else text[:60]
