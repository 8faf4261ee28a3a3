"""The rules of a table, and their version."""

from __future__ import annotations

from harness.config.loader import LoadedBenchmark
from harness.data.lock import ProtocolLock, hold_protocol
from harness.job.parts import make_task
from harness.job.spec import JobSpec
from harness.plan.request import RunRequest, Source
from harness.records import record
from harness.records.canonical import digest


def make_protocol(loaded: LoadedBenchmark, request: RunRequest, source: Source) -> record.Protocol:
    """The rules of one table: task, metric parameters, locked data, budget."""
    suite, task = loaded.suite(request.suite), make_task(loaded, request.suite)
    rests_on = {
        "task": suite.task,
        "task_version": task.version,
        "parameters": task.parameters(),
        "dataset": source.lock.digest,
        "budget": loaded.benchmark.budget.model_dump(),
        **({"given": suite.parameters} if suite.parameters else {}),
    }
    return record.Protocol(
        suite=request.suite,
        suite_title=suite.title,
        profile=request.profile,
        version=suite.protocol,
        digest=digest(rests_on),
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
    pinned: it would not be that of the mended corpus.

    Raises:
        LockError: a protocol changed and its version did not.
    """
    seen = {
        f"{job.protocol.suite}/{job.profile}/{job.dataset.name}": ProtocolLock(
            version=job.protocol.version, digest=job.protocol.digest
        )
        for job in jobs
        if not job.left_out
    }
    for name, found in seen.items():
        hold_protocol(loaded.lock_path, name, found)
