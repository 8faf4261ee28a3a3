"""Costs of entries in each environment, and the memory that was predicted for the budget.

A quantity is declared by `CostFacts` in `harness.records.record`; nothing here knows one by name
but the predictions.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.board.standing.figures import plural, significant
from harness.records.costs import COSTS, CostFacts, Latency, Memory, Resources
from harness.records.record import Record

if TYPE_CHECKING:
    from harness.board.standing.rows import Row

GIB = 2**30

DISTURBED = 0.1
"""Share of waiting for a processor above which a time tells more of the neighbours.

Alone on its processors a training waits a little too: the thread that makes its inputs is one more
than there are processors.
"""

SHOWN = {name: facts for name, facts in COSTS.items() if "table" in facts.places}


@dataclass(frozen=True)
class Amount:
    """A cost as it is shown: a value in the record's unit, and the text behind the number."""

    value: float
    note: str = ""


def is_disturbed(wait: float | None) -> bool:
    """Check if something else ran beside; False if nothing is known of it."""
    return wait is not None and wait > DISTURBED


def cost_of(records: Iterable[Record], name: str) -> Any:
    """Return a quantity over seeds and folds as records hold it; None if no record knows it.

    Values that were taken while something else ran beside are left out.
    """
    facts = COSTS[name]
    held = [
        getattr(each.resources, name)
        for each in records
        if not facts.disturbed_by or not is_disturbed(getattr(each.resources, facts.disturbed_by))
    ]
    known = [value for value in held if value is not None and value != ()]
    if not known:
        return None
    if all(value == known[0] for value in known):
        return known[0]
    if facts.seeds == "max":
        return max(known, key=lambda each: (amount(each), getattr(each, "counted", "")))
    return statistics.fmean(known) if not isinstance(known[0], tuple) else _mean_latencies(known)


def _mean_latencies(seeds: Iterable[Iterable[Latency]]) -> tuple[Latency, ...]:
    groups: dict[tuple[float, int], list[Latency]] = defaultdict(list)
    for each in (latency for seed in seeds for latency in seed):
        groups[each.seconds, each.threads].append(each)
    return tuple(
        Latency(
            seconds=seconds,
            threads=threads,
            p50=statistics.fmean(each.p50 for each in group),
            p95=statistics.fmean(each.p95 for each in group),
        )
        for (seconds, threads), group in sorted(groups.items())
    )


def amount(value: Any) -> float:
    """Return the number of a quantity as a record holds it."""
    number: float = value.bytes if isinstance(value, Memory) else value
    return number


def amounts(value: Any, facts: CostFacts) -> dict[str, Amount]:
    """Return what a table shows of a quantity: column title, without the unit -> amount."""
    if value is None:
        return {}
    if isinstance(value, Memory):
        return {facts.title: Amount(value.bytes, value.counted)}
    if isinstance(value, tuple):
        return {
            _latency_title(each, facts): Amount(each.p50, f"({cost_text(each.p95, facts)})")
            for each in value
        }
    return {facts.title: Amount(value)}


def _latency_title(each: Latency, facts: CostFacts) -> str:
    length = f" of {each.seconds:g} s" if each.seconds else ""
    return f"{facts.title}{length} on {plural(each.threads, 'thread')}"


def cost_text(value: float, facts: CostFacts) -> str:
    """Return a value in the unit that people read, without the unit."""
    shown = value / facts.scale
    return significant(shown) if facts.decimals is None else f"{shown:,.{facts.decimals}f}"


def environments(rows: Iterable[Row]) -> dict[str, str]:
    """Return the environments in which done rows measured a cost: digest -> name, by name."""
    named = {digest: name for row in rows for digest, name in row.environments.items()}
    return dict(sorted(named.items(), key=lambda item: (item[1], item[0])))


def environments_of(records: Iterable[Record]) -> dict[str, str]:
    """Return the environments in which records measured a cost: digest -> name."""
    return {
        record.environment_digest: environment_name(record)
        for record in records
        if any(
            getattr(record.resources, name) not in (None, ())
            for name, facts in SHOWN.items()
            if facts.per_environment
        )
    }


def environment_name(record: Record) -> str:
    """Return device, processor and threads, and the first digits of the digest."""
    where = record.environment
    if where is None:
        return "environment not recorded"
    machine = where.device
    if where.device != where.processor:
        machine = f"{where.device}, {where.processor}"
    return f"{machine}, {plural(where.threads, 'thread')} ({record.environment_digest[:8]})"


def throughput_unit(rows: Iterable[Row]) -> str:
    """Return the noun of what entries embed, in the plural."""
    units = {record.resources.throughput_unit for row in rows for record in row.records}
    return " or ".join(sorted(units - {""})) or "items"


def memory_prediction(row: Row) -> int | None:
    """Return the most bytes that a GPU's allocator is predicted to take for a training step.

    A device's context and what kernels take for themselves are not in it.
    """
    told = [each.training_prediction for each in _resources(row) if each.training_prediction]
    return max((each.reserved for each in told), default=None)


def inference_prediction(row: Row) -> int | None:
    """Return the most bytes that the allocator is predicted to take to embed one batch."""
    told = [each.inference_prediction for each in _resources(row) if each.inference_prediction]
    return max((each.reserved for each in told), default=None)


def gpu_memory(row: Row) -> int | None:
    """Return the most bytes that a GPU's allocator took in training; None if none measured it.

    Main memory of a process tells nothing of a GPU.
    """
    measured = [each.training_memory for each in _resources(row) if each.training_memory]
    return max((memory.bytes for memory in measured if memory.counted == "gpu"), default=None)


def largest_training_batch(row: Row) -> int | None:
    """Return the items of a training step that fit the budget, in the record that fits fewest."""
    found = [each.largest_training_batch for each in _resources(row)]
    return min((batch for batch in found if batch is not None), default=None)


def fit_of(row: Row) -> str:
    """Return whether the batch that a recipe asks for fits the memory budget at once, in words.

    Empty if that was not predicted.
    """
    largest = largest_training_batch(row)
    asked = max((each.batch_asked or 0 for each in _resources(row)), default=0)
    if largest is None or not asked:
        return ""
    if asked <= largest:
        return "fits"
    parts = max((each.micro_batches or 1 for each in _resources(row)), default=1)
    return f"fits in {parts} parts" if parts > 1 else "does not fit"


def budgets(rows: Sequence[Row]) -> list[int]:
    """Return the bytes within which largest batches were sought, each once, as stages have them."""
    records = [r for row in rows for r in row.records if r.resources.largest_training_batch]
    stages = [record.stages["measure"] for record in records if "measure" in record.stages]
    limits = {stage.inputs.get("memory_limit") for stage in stages}
    return sorted(limit for limit in limits if isinstance(limit, int))


def _resources(row: Row) -> list[Resources]:
    return [record.resources for record in row.records] if row.is_done else []
