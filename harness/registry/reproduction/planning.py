"""The job behind a record, planned once more, and whether it is still the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.config.loader import LoadedBenchmark
from harness.errors import ConfigError, RequestError
from harness.records.canonical import canonical_json
from harness.records.record import Record
from harness.run.job.spec import JobSpec
from harness.run.plan.jobs import plan_jobs
from harness.run.plan.request import DatasetState, RunRequest, requested_suite

TOLD = 5
"""Differences that a refusal names."""

LATER = ("loss", "left_out", "test_crops")
"""Parts of an evaluation's key that first records do not have."""


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
    if record.dataset.left_out:
        left = len(record.dataset.left_out)
        raise RequestError(f"{where}: {left} items were left out of its data")


def planned_again(
    loaded: LoadedBenchmark, request: RunRequest, record: Record, source: DatasetState
) -> JobSpec:
    """The job that a record was made by, as the benchmark plans it now.

    Raises:
        RequestError: it plans no such job, or another one; what differs, and the commit that
            planned the record's.
    """
    back = f"check out {record.code[:12]} to make it again"
    try:
        jobs = plan_jobs(loaded, request, {source.listing.name: source})
    except ConfigError as error:
        raise RequestError(f"this benchmark plans no such job: {error}; {back}") from error
    alike = [job for job in jobs if _names(job) == _names(record)]
    named = [job for job in alike if job.recipe_name == record.recipe_name]
    if not alike:
        raise RequestError(f"this benchmark plans no job for {record.entry}; {back}")
    job = (named or alike)[0]
    if job.refused:
        raise RequestError(f"this benchmark cannot plan {record.entry}: {job.refused}; {back}")
    found = list(differences(record, job, opened=source.opened))
    if found:
        more = f"; and {len(found) - TOLD} more" if len(found) > TOLD else ""
        raise RequestError(
            f"this benchmark plans another job for {record.entry}: {'; '.join(found[:TOLD])}"
            f"{more}; {back}, or give what it was changed by with --set"
        )
    return job


def request_for(loaded: LoadedBenchmark, record: Record, request: RunRequest) -> RunRequest:
    """A request for a record's job alone; a baseline comes with whatever is planned beside it."""
    model, loss = record.model.name, record.loss.name if record.loss else ""
    if record.is_baseline:
        first = requested_suite(loaded, request).systems[0]
        model, loss = first.model, first.loss
    seeds = () if record.seed is None else (record.seed,)
    return replace(request, models=(model,), losses=(loss,), seeds=seeds)


def differences(record: Record, job: JobSpec, *, opened: bool) -> Iterator[str]:
    """Where a job is not the one that made a record: of all that its weights and numbers rest on.

    What is measured rests on the machine too, and is not compared.

    Args:
        record: a record.
        job: of the same names.
        opened: whether the job's data are read, so that it knows what noises are drawn from.
    """
    yield from _changes("protocol", _rules(record), _rules(job))
    yield from _changes("", {"recipe_name": record.recipe_name}, {"recipe_name": job.recipe_name})
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
    """What a table is known by."""
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
            yield from _changes(f"{where}.{key}".lstrip("."), then.get(key), now.get(key))
    elif then != now:
        yield f"{where}: recorded {_short(then)}, planned {_short(now)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else canonical_json(value)
    return f"{text[:12]}..." if isinstance(value, str) and len(text) == 64 else text[:60]
