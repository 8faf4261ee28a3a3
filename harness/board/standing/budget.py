"""What an entry was predicted to take of the benchmark's memory budget, and what fits in it."""

from __future__ import annotations

from collections.abc import Sequence

from harness.board.standing.rows import Row
from harness.records.record import Record, Resources

GIB = 2**30


def predicted_memory(row: Row) -> int | None:
    """Bytes that a GPU's allocator is predicted to take for a training step; of records, the most.

    A device's context and what kernels take for themselves are not in it.
    """
    told = [each.training_prediction for each in _held(row) if each.training_prediction]
    return max((each.reserved for each in told), default=None)


def memory_to_predict(row: Row) -> int | None:
    """The same, of a row whose memory was not measured on a GPU; None of another.

    What a process holds on a processor says nothing of a GPU.
    """
    measured = [each.training_memory for each in _held(row) if each.training_memory]
    on_gpu = any(memory.counted == "gpu" for memory in measured)
    return None if on_gpu else predicted_memory(row)


def largest_training_batch(row: Row) -> int | None:
    """Items of a training step that fit the budget at once, in whichever record fewest do."""
    found = [each.largest_training_batch for each in _held(row)]
    return min((batch for batch in found if batch is not None), default=None)


def budgets(rows: Sequence[Row]) -> list[int]:
    """The bytes that the largest batches were sought within, each once; as stages tell them."""
    records = [r for row in rows for r in row.records if r.resources.largest_training_batch]
    return sorted({limit for record in records if (limit := _limit(record)) is not None})


def _limit(record: Record) -> int | None:
    stage = record.stages.get("measure")
    limit = stage.inputs.get("memory_limit") if stage else None
    return limit if isinstance(limit, int) else None


def _held(row: Row) -> list[Resources]:
    return [record.resources for record in row.records] if row.done else []
