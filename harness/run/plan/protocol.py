"""The rules of a table, their version, and all that jobs on one dataset share."""

from __future__ import annotations

import os
from typing import Any

from harness.config.loader import LoadedBenchmark
from harness.datasets.corpus_folders import make_corpus
from harness.datasets.lock import DatasetLock, hold_protocol, protocol_lock
from harness.measure.environment import ALLOCATOR_ENVIRONMENT, environment
from harness.records import record
from harness.records.documents import digest
from harness.records.provenance import code_version
from harness.run.job.context import make_task
from harness.run.job.spec import JobSpec
from harness.run.plan.request import DatasetState, RunRequest


def make_protocol(
    loaded: LoadedBenchmark, suite: str, profile: str, lock: DatasetLock
) -> record.Protocol:
    """Return the rules of one table: task, metric parameters, locked data, budget.

    Raises:
        ConfigError: the benchmark has no such suite.
    """
    table, task = loaded.suite(suite), make_task(loaded, suite)
    return record.Protocol(
        suite=suite,
        suite_title=table.title,
        profile=profile,
        version=table.protocol,
        digest=digest(_contents(loaded, suite, lock.digest)),
        task=table.task,
        primary=task.primary,
        facts={
            metric: facts.model_copy(update={"order": place})
            for place, (metric, facts) in enumerate(task.facts.items())
        },
        parameters=task.parameters(),
    )


def make_data(loaded: LoadedBenchmark, suite: str, name: str, lock: DatasetLock) -> record.Data:
    """Return what a record says of a dataset, or of a fold, that is whole and pinned.

    Raises:
        ConfigError: the benchmark has no such suite or dataset.
    """
    config = loaded.dataset(name)
    return record.Data(
        name=name,
        title=config.title or name,
        synthetic=config.synthetic,
        licence=config.licence,
        publish_scores=config.publish_scores,
        source=config.source,
        lock=lock.digest,
        counts=lock.counts,
        unit=make_corpus(loaded, name).unit,
        fold=_fold(loaded, suite, name, lock),
        leaks=(config.of or "") if config.leak else "",
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
        "dataset": make_data(loaded, request.suite, dataset.listing.name, dataset.lock).model_copy(
            update={"pinned": dataset.pinned}
        ),
    }


def _fold(
    loaded: LoadedBenchmark, suite: str, name: str, pinned: DatasetLock
) -> record.RecordedFold | None:
    """Return the fold as a record holds it; None if the dataset is judged as a whole.

    Each fold has a lock and a protocol digest of its own. All of them share the corpus and the
    rules by which it is cut, compared and judged.
    """
    config, fold = loaded.dataset(name), loaded.fold(name)
    if fold is None:
        return None
    shared = {
        "manifest": pinned.manifest,
        "content": pinned.content,
        "split": config.split and config.split.model_dump(),
        "trials": config.trials,
        "draw_trials": config.draw_trials and config.draw_trials.model_dump(),
        **({"rank_pairs": config.rank_pairs} if config.rank_pairs else {}),
    }
    lock = digest(shared)
    return record.RecordedFold(
        of=fold.of,
        index=fold.index,
        folds=fold.folds,
        lock=lock,
        protocol=digest(_contents(loaded, suite, lock)),
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
