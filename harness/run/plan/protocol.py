"""The rules of a table, their version, and all that jobs on one dataset share."""

from __future__ import annotations

import os
from typing import Any

from harness.config.loader import LoadedBenchmark
from harness.datasets.lock import hold_protocol, protocol_lock
from harness.measure.environment import ALLOCATOR_ENVIRONMENT, environment
from harness.records import record
from harness.records.documents import digest
from harness.records.provenance import code_version
from harness.run.job.context import make_task
from harness.run.job.spec import JobSpec
from harness.run.plan.request import DatasetState, RunRequest


def make_protocol(
    loaded: LoadedBenchmark, request: RunRequest, dataset: DatasetState
) -> record.Protocol:
    """Return the rules of one table: task, metric parameters, locked data, budget."""
    suite, task = loaded.suite(request.suite), make_task(loaded, request.suite)
    return record.Protocol(
        suite=request.suite,
        suite_title=suite.title,
        profile=request.profile,
        version=suite.protocol,
        digest=digest(_contents(loaded, request.suite, dataset.lock.digest)),
        task=suite.task,
        primary=task.primary,
        facts={
            metric: facts.model_copy(update={"order": place})
            for place, (metric, facts) in enumerate(task.facts.items())
        },
        parameters=task.parameters(),
    )


def pin_protocols(loaded: LoadedBenchmark, jobs: list[JobSpec]) -> None:
    """Check every protocol of some jobs against the lock, and pin the new ones.

    One that rests on data which nobody has decoded whole (damaged items were left out) is not
    pinned: it would not be that of the mended corpus. Nor is one that rests on unpinned data.

    Raises:
        LockError: a protocol changed and its version did not.
    """
    seen = {
        (job.protocol.suite, job.profile, job.dataset.name): job
        for job in jobs
        if not job.left_out and job.dataset.pinned
    }
    for name, job in seen.items():
        covered = _contents(loaded, job.protocol.suite, job.dataset.lock)
        found = protocol_lock(job.protocol.version, covered)
        hold_protocol(loaded.lock_path, "/".join(name), found)


def common_fields(
    loaded: LoadedBenchmark, request: RunRequest, dataset: DatasetState, protocol: record.Protocol
) -> dict[str, Any]:
    """Return what all jobs of a call on one dataset share, and records of work done elsewhere."""
    listing = dataset.listing
    return {
        "benchmark": loaded.path,
        "runs": request.runs.resolve(),
        "cache": request.cache.resolve(),
        "profile": request.profile,
        "leave_out_damaged": request.leave_out_damaged,
        "left_out": dataset.left_out,
        "device": request.device,
        "threads": request.threads,
        "data_workers": request.data_workers,
        "limits": request.limits,
        "keep_states": request.keep_states,
        "keep_embeddings": request.keep_embeddings,
        "options": request.options,
        "memory_limit": loaded.benchmark.budget.usable,
        "protocol": protocol,
        "environment": environment(
            request.device, request.threads, {**os.environ, **ALLOCATOR_ENVIRONMENT}
        ),
        "code": code_version(),
        "dataset": record.Data(
            name=listing.name,
            title=listing.config.title or listing.name,
            synthetic=listing.config.synthetic,
            licence=listing.config.licence,
            publish_scores=listing.config.publish_scores,
            source=listing.config.source,
            lock=dataset.lock.digest,
            pinned=dataset.pinned,
            counts=dataset.lock.counts,
            unit=listing.corpus.unit,
            fold=_fold(loaded, request, dataset),
        ),
    }


def _fold(
    loaded: LoadedBenchmark, request: RunRequest, dataset: DatasetState
) -> record.RecordedFold | None:
    """Return the fold as a record holds it; None if the dataset is judged as a whole.

    Each fold has a lock and a protocol digest of its own. All of them share the corpus and the
    rules by which it is cut, compared and judged.
    """
    config, fold = dataset.listing.config, dataset.listing.fold
    if fold is None:
        return None
    shared = {
        "manifest": dataset.lock.manifest,
        "content": dataset.lock.content,
        "split": config.split and config.split.model_dump(),
        "trials": config.trials,
        "draw_trials": config.draw_trials and config.draw_trials.model_dump(),
    }
    lock = digest(shared)
    return record.RecordedFold(
        of=fold.of,
        index=fold.index,
        folds=fold.folds,
        lock=lock,
        protocol=digest(_contents(loaded, request.suite, lock)),
    )


def _contents(loaded: LoadedBenchmark, suite: str, dataset: str) -> dict[str, Any]:
    """Return all that a protocol's digest covers, for a dataset given by the digest of its lock."""
    table, task = loaded.suite(suite), make_task(loaded, suite)
    return {
        "task": table.task,
        "task_version": task.version,
        "parameters": task.parameters(),
        "dataset": dataset,
        "budget": loaded.benchmark.budget.model_dump(),
        **({"given": table.parameters} if table.parameters else {}),
    }
