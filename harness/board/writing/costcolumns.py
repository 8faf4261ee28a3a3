"""The columns of what entries cost; a column that nobody fills is left away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.board.standing.budget import GIB, largest_training_batch, memory_to_predict
from harness.board.standing.environments import Costs, costs, mean_of
from harness.board.standing.numbers import UNKNOWN, significant
from harness.board.standing.rows import Row
from harness.board.writing.grid import Column, cell
from harness.records.record import Memory, Resources


def size_columns(rows: Sequence[Row]) -> list[Column]:
    """What no environment changes: parameters, multiply-adds, what is predicted for the budget."""
    return _filled(
        {
            "params (M)": (_scaled(_mean(row, lambda each: each.parameters), 1e6) for row in rows),
            "MACs (G)": (_scaled(_mean(row, lambda each: each.macs), 1e9) for row in rows),
            "predicted GPU memory of training (GiB)": map(_predicted, rows),
            "predicted largest training batch": map(_largest, rows),
        }
    )


def cost_columns(rows: Sequence[Row], digest: str) -> list[Column]:
    """What entries cost in one environment."""
    held, unit = [costs(row, digest) for row in rows], throughput_unit(rows)
    written: dict[str, Callable[[Costs], str]] = {
        "peak training memory (GiB)": lambda each: memory_text(each.memory),
        "training (items/s)": lambda each: significant(each.training_per_second),
        f"embedding ({unit}/s)": lambda each: significant(each.inference_per_second),
        "latency p50 (ms)": lambda each: _scaled(each.latency_p50, 1e-3),
        "latency p95 (ms)": lambda each: _scaled(each.latency_p95, 1e-3),
        "training time (min)": lambda each: _scaled(each.training_seconds, 60),
    }
    return _filled({title: map(write, held) for title, write in written.items()})


def memory_text(memory: Memory | None) -> str:
    """A peak in GiB, and what was counted."""
    return f"{significant(memory.bytes / GIB)} {memory.counted}" if memory else UNKNOWN


def throughput_unit(rows: Sequence[Row]) -> str:
    """What is embedded, in the plural."""
    units = {record.resources.throughput_unit for row in rows for record in row.records}
    return " or ".join(sorted(units - {""})) or "items"


def _filled(columns: Mapping[str, Iterable[str]]) -> list[Column]:
    texts = {title: list(column) for title, column in columns.items()}
    return [
        Column(title, tuple(map(cell, column)))
        for title, column in texts.items()
        if set(column) != {UNKNOWN}
    ]


def _mean(row: Row, read: Callable[[Resources], float | None]) -> float | None:
    return mean_of([record.resources for record in row.records], read)


def _predicted(row: Row) -> str:
    told = memory_to_predict(row)
    return significant(None if told is None else told / GIB)


def _largest(row: Row) -> str:
    batch = largest_training_batch(row)
    return UNKNOWN if batch is None else f"{batch:,}"


def _scaled(value: float | None, unit: float) -> str:
    return significant(None if value is None else value / unit)
