"""The environments whose speeds a table holds, and what an entry cost in each."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from harness.board.standing.numbers import counted
from harness.board.standing.rows import Row
from harness.records.record import Memory, Record, Resources

DISTURBED = 0.1
"""Share of waiting for a processor above which a time tells more of the neighbours.

Alone on its processors a training waits a little too: the thread that makes its inputs is one more
than there are processors.
"""


@dataclass(frozen=True)
class Costs:
    """What a row cost in one environment: the mean over its seeds; of memory, the most.

    Times taken while something else ran beside are left out.
    """

    memory: Memory | None
    training_per_second: float | None
    inference_per_second: float | None
    latency_p50: float | None
    latency_p95: float | None
    training_seconds: float | None


def environments(rows: Iterable[Row]) -> dict[str, str]:
    """The environments in which done rows measured a cost: digest -> name, sorted by name."""
    found = [row.once("environments", partial(_measured_in, row)) for row in rows if row.done]
    named = {digest: name for each in found for digest, name in each.items()}
    return dict(sorted(named.items(), key=lambda item: (item[1], item[0])))


def environment_name(record: Record) -> str:
    """Device, processor and threads; the digest's first digits tell apart what these do not."""
    where = record.environment
    if where is None:
        return "environment not recorded"
    threads = counted(where.threads, "thread")
    machine = where.device if where.device == where.processor else _device(record)
    return f"{machine}, {threads} ({record.environment_digest[:8]})"


def costs(row: Row, digest: str) -> Costs:
    """What the row cost in the environment of that digest."""
    return row.once(("costs", digest), partial(_costs, row, digest))


def _costs(row: Row, digest: str) -> Costs:
    there = [r.resources for r in row.records if row.done and r.environment_digest == digest]
    memories = [each.training_memory for each in there if each.training_memory]
    measured = [each for each in there if not disturbed(each.measuring_cpu_wait)]
    trained = [each for each in there if not disturbed(each.cpu_wait)]
    return Costs(
        memory=max(memories, key=lambda memory: (memory.bytes, memory.counted), default=None),
        training_per_second=mean_of(measured, lambda each: each.training_per_second),
        inference_per_second=mean_of(measured, lambda each: each.inference_per_second),
        latency_p50=mean_of(measured, lambda each: each.latency_p50),
        latency_p95=mean_of(measured, lambda each: each.latency_p95),
        training_seconds=mean_of(trained, lambda each: each.training_seconds),
    )


def disturbed(wait: float | None) -> bool:
    """Whether something else ran beside; not where nothing is known of it."""
    return wait is not None and wait > DISTURBED


def mean_of(
    resources: Sequence[Resources], read: Callable[[Resources], float | None]
) -> float | None:
    """The mean of a cost over the seeds that know it."""
    known = [value for each in resources if (value := read(each)) is not None]
    return statistics.fmean(known) if known else None


def _measured_in(row: Row) -> dict[str, str]:
    """The environments in which a row measured a cost: digest -> name."""
    measured = [record for record in row.records if _has_costs(record.resources)]
    return {record.environment_digest: environment_name(record) for record in measured}


def _has_costs(resources: Resources) -> bool:
    measured = (
        resources.training_memory,
        resources.training_per_second,
        resources.inference_per_second,
        resources.latency_p50,
        resources.training_seconds,
    )
    return any(value is not None for value in measured)


def _device(record: Record) -> str:
    where = record.environment
    return f"{where.device}, {where.processor}" if where else ""
