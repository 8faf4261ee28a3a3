"""The rules of a table, and their version."""

from __future__ import annotations

from typing import Any

from harness.config.loader import LoadedBenchmark
from harness.datasets.lock import hold_protocol, protocol_lock
from harness.records import record
from harness.records.documents import digest
from harness.run.job.parts import make_task
from harness.run.job.spec import JobSpec
from harness.run.plan.request import RunRequest, Source


def make_protocol(loaded: LoadedBenchmark, request: RunRequest, source: Source) -> record.Protocol:
    """The rules of one table: task, metric parameters, locked data, budget."""
    suite, task = loaded.suite(request.suite), make_task(loaded, request.suite)
    return record.Protocol(
        suite=request.suite,
        suite_title=suite.title,
        profile=request.profile,
        version=suite.protocol,
        digest=digest(rests_on(loaded, request.suite, source.lock.digest)),
        task=suite.task,
        primary=task.primary,
        facts={
            metric: facts.model_copy(update={"order": place})
            for place, (metric, facts) in enumerate(task.facts.items())
        },
        parameters=task.parameters(),
    )


def pin_protocols(loaded: LoadedBenchmark, jobs: list[JobSpec]) -> None:
    """Hold every protocol of some jobs against the lock.

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
        covered = rests_on(loaded, job.protocol.suite, job.dataset.lock)
        found = protocol_lock(job.protocol.version, covered)
        hold_protocol(loaded.lock_path, "/".join(name), found)


def rests_on(loaded: LoadedBenchmark, suite: str, dataset: str) -> dict[str, Any]:
    """All that a protocol's digest covers, on a dataset known by the digest of its lock."""
    table, task = loaded.suite(suite), make_task(loaded, suite)
    return {
        "task": table.task,
        "task_version": task.version,
        "parameters": task.parameters(),
        "dataset": dataset,
        "budget": loaded.benchmark.budget.model_dump(),
        **({"given": table.parameters} if table.parameters else {}),
    }
