"""Join the records of a dataset's folds: one record for each training of an entry."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from harness.board.standing.rows import FiledRecord, seed_of
from harness.errors import RequestError
from harness.metrics.intervals import half_trial, jackknife_interval
from harness.metrics.k_folds import over_folds
from harness.metrics.validation import MetricError
from harness.records.record import Data, Metric, Record, RecordedFold

INTERVAL = "interval"
"""The parameter of a protocol that says how intervals are made."""


def join_folds(filed: Iterable[FiledRecord]) -> list[FiledRecord]:
    """Join records of one table over the folds; a record of a whole dataset stays as it is.

    A training of which a fold is missing or failed becomes a record that is not done and says why.

    Args:
        filed: the latest record of each entry, seed and fold.

    Raises:
        RequestError: folds that cannot be joined, as they share units.
    """
    ordered = sorted(filed, key=lambda each: (_training(each), _index(each.record)))
    groups = [list(group) for _, group in groupby(ordered, _training)]
    return [
        each
        for group in groups
        for each in (group if group[0].record.dataset.fold is None else [_join(group)])
    ]


def _training(filed: FiledRecord) -> tuple[str, tuple[bool, int]]:
    return filed.entry, seed_of(filed.record)


def _index(record: Record) -> int:
    return record.dataset.fold.index if record.dataset.fold else 0


def _join(parts: list[FiledRecord]) -> FiledRecord:
    records = [part.record for part in parts]
    first, fold, data = records[0], _fold(records[0]), _whole(records)
    parameters, lacking = first.protocol.parameters, _lacking(records, fold.folds)
    if INTERVAL in parameters:  # those of the folds are not those of the table
        own = f"95 %, each {data.unit} left out once (jackknife), logit-t"
        parameters = {**parameters, INTERVAL: own}
    values, left = ({}, {}) if lacking else _metrics(records, data)
    joined: dict[str, Any] = {
        "state": "skipped" if lacking else "done",
        "reason": lacking,
        "dataset": data,
        "protocol": first.protocol.model_copy(
            update={"digest": fold.protocol, "parameters": parameters}
        ),
        "metrics": values,
        "left_one_out": left,
    }
    return FiledRecord(first.model_copy(update=joined), parts=tuple(parts))


def _whole(records: Sequence[Record]) -> Data:
    """Return the dataset of some folds, with its test counts if all folds are there."""
    first, fold = records[0].dataset, _fold(records[0])
    return first.model_copy(
        update={
            "name": fold.of,
            "lock": fold.lock,
            "pinned": all(record.dataset.pinned for record in records),
            "counts": {"test": _test_counts(records)} if len(records) == fold.folds else {},
            "left_out": tuple(
                dict.fromkeys(item for record in records for item in record.dataset.left_out)
            ),
            "fold": None,
        }
    )


def _test_counts(records: Sequence[Record]) -> dict[str, int]:
    """Return the test counts over all folds."""
    counts = [record.dataset.counts.get("test", {}) for record in records]
    keys = [key for key in counts[0] if all(key in each for each in counts)]
    return {key: sum(each[key] for each in counts) for key in keys}


def _fold(record: Record) -> RecordedFold:
    if record.dataset.fold is None:
        raise TypeError(f"{record.dataset.name} is no fold")
    return record.dataset.fold


def _lacking(records: Sequence[Record], folds: int) -> str:
    """Name the folds without a result, and why; empty if all have one."""
    there = {_index(record): record for record in records}
    why = {index: _why(there.get(index)) for index in range(1, folds + 1)}
    reasons = dict.fromkeys(reason for reason in why.values() if reason)
    indices = {reason: [i for i, each in why.items() if each == reason] for reason in reasons}
    return "; ".join(f"{_folds_text(i)} of {folds}: {reason}" for reason, i in indices.items())


def _folds_text(indices: Sequence[int]) -> str:
    *before, last = map(str, indices)
    return f"folds {', '.join(before)} and {last}" if before else f"fold {last}"


def _why(record: Record | None) -> str:
    if record is None:
        return "no record"
    if record.state == "done":
        return ""
    return f"{record.state}: {record.reason}" if record.reason else record.state


def _metrics(
    records: Sequence[Record], data: Data
) -> tuple[dict[str, Metric], dict[str, dict[str, float]]]:
    """Average every metric that all folds have; without each unit too, if that is known."""
    first, found, left = records[0], dict[str, Metric](), dict[str, dict[str, float]]()
    for name in (name for name in first.metrics if all(name in r.metrics for r in records)):
        values = [record.metrics[name].value for record in records]
        # Intervals of the folds are none of the mean.
        found[name] = Metric(value=statistics.fmean(values), unit=first.metrics[name].unit)
        folds = [record.left_one_out.get(name, {}) for record in records]
        if any(len(fold) < 2 or not all(map(math.isfinite, fold.values())) for fold in folds):
            continue
        try:
            value, left[name] = over_folds(values, folds)
        except MetricError as error:
            where = f"{_fold(first).of}: {first.entry}: {name}"
            raise RequestError(f"{where}: folds that cannot be joined: {error}") from error
        found[name] = _with_interval(found[name], value, left[name], data)
    return found, left


def _with_interval(metric: Metric, value: float, left: dict[str, float], data: Data) -> Metric:
    """Return the joined value with its interval; without one if the metric is no rate."""
    counted, floor = {"value": value}, _floor(data.counts["test"])
    values = [value, *left.values()]
    if floor is None or not all(0 <= each <= 1 for each in values):
        return metric.model_copy(update=counted)
    found = jackknife_interval(value, list(left.values()), floor=floor)
    return metric.model_copy(update=counted | {"low": found.low, "high": found.high})


def _floor(tested: dict[str, int]) -> float | None:
    """Return half a trial of the rarer kind, or half an item; None if nobody counted them."""
    targets, trials = tested.get("targets"), tested.get("trials")
    rarer = min(targets, trials - targets) if targets and trials else tested.get("items", 0)
    return half_trial(rarer) if rarer > 1 else None
