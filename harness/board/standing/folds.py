"""Records of the folds of one dataset, joined: one record for each training of an entry."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from harness.board.standing.rows import Filed, seed_of
from harness.errors import RequestError
from harness.metrics.intervals import half_trial, jackknife_interval
from harness.metrics.k_folds import over_folds
from harness.metrics.validation import MetricError
from harness.records.record import Data, Metric, Record, RecordedFold, State

INTERVAL = "interval"
"""The parameter of a protocol that says how intervals are made."""


def join_folds(filed: Iterable[Filed]) -> list[Filed]:
    """Join records of one table over the folds; what is judged as a whole stays as it is.

    A training of which a fold is missing or failed becomes a record that is not done and says why.

    Args:
        filed: the latest record of each entry, seed and fold.

    Raises:
        RequestError: folds that cannot be joined, as they share units.
    """
    ordered = sorted(filed, key=lambda each: (_training(each), _index(each.record)))
    groups = [list(group) for _, group in groupby(ordered, _training)]
    return [
        joined
        for group in groups
        for joined in (group if group[0].record.dataset.fold is None else [_joined(group)])
    ]


def _training(filed: Filed) -> tuple[str, tuple[bool, int]]:
    return filed.entry, seed_of(filed.record)


def _index(record: Record) -> int:
    return record.dataset.fold.index if record.dataset.fold else 0


def _joined(parts: list[Filed]) -> Filed:
    records = [part.record for part in parts]
    first, fold = records[0], _fold(records[0])
    data = _whole(records)
    protocol = first.protocol.model_copy(
        update={
            "digest": fold.protocol,
            "parameters": _parameters(first.protocol.parameters, data.unit),
        }
    )
    lacking = _lacking(records, fold.folds)
    state: State = "skipped" if lacking else "done"
    values, left = ({}, {}) if lacking else _metrics(records, data)
    joined: dict[str, Any] = {
        "state": state,
        "reason": lacking,
        "dataset": data,
        "protocol": protocol,
        "metrics": values,
        "left_one_out": left,
    }
    return Filed(first.model_copy(update=joined), parts=tuple(parts))


def _whole(records: Sequence[Record]) -> Data:
    """The dataset that the folds of some records are of; what is tested where all are there."""
    first, fold = records[0].dataset, _fold(records[0])
    return first.model_copy(
        update={
            "name": fold.of,
            "lock": fold.lock,
            "pinned": all(record.dataset.pinned for record in records),
            "counts": {"test": _tested(records)} if len(records) == fold.folds else {},
            "left_out": tuple(
                dict.fromkeys(item for record in records for item in record.dataset.left_out)
            ),
            "fold": None,
        }
    )


def _tested(records: Sequence[Record]) -> dict[str, int]:
    """How much all folds test."""
    counts = [record.dataset.counts.get("test", {}) for record in records]
    keys = [key for key in counts[0] if all(key in each for each in counts)]
    return {key: sum(each[key] for each in counts) for key in keys}


def _fold(record: Record) -> RecordedFold:
    if record.dataset.fold is None:
        raise TypeError(f"{record.dataset.name} is no fold")
    return record.dataset.fold


def _parameters(given: dict[str, object], unit: str) -> dict[str, object]:
    """A protocol's parameters; the intervals of its folds are not those of the table."""
    if INTERVAL not in given:
        return given
    return {**given, INTERVAL: f"95 %, each {unit} left out once (jackknife), logit-t"}


def _lacking(records: Sequence[Record], folds: int) -> str:
    """Which folds have no result, and why; empty where all have."""
    there = {_index(record): record for record in records}
    why = {index: _why(there.get(index)) for index in range(1, folds + 1)}
    reasons = dict.fromkeys(reason for reason in why.values() if reason)
    return "; ".join(
        f"{_named([index for index, each in why.items() if each == reason])} of {folds}: {reason}"
        for reason in reasons
    )


def _named(indices: Sequence[int]) -> str:
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
    """Every metric that all folds have, averaged; without each unit, where that is known."""
    names = [name for name in records[0].metrics if all(name in r.metrics for r in records)]
    values = {name: _mean(records, name) for name in names}
    left: dict[str, dict[str, float]] = {}
    for name in names:
        folds = [record.left_one_out.get(name, {}) for record in records]
        if all(_joinable(fold) for fold in folds):
            value, left[name] = _over_folds(records, name, folds)
            values[name] = _with_interval(values[name], value, left[name], data)
    return values, left


def _mean(records: Sequence[Record], name: str) -> Metric:
    """The mean over folds; intervals of the folds are none of it."""
    values = [record.metrics[name].value for record in records]
    return Metric(value=statistics.fmean(values), unit=records[0].metrics[name].unit)


def _joinable(fold: dict[str, float]) -> bool:
    return len(fold) > 1 and all(math.isfinite(value) for value in fold.values())


def _over_folds(
    records: Sequence[Record], name: str, folds: Sequence[dict[str, float]]
) -> tuple[float, dict[str, float]]:
    try:
        return over_folds([record.metrics[name].value for record in records], folds)
    except MetricError as error:
        where = f"{_fold(records[0]).of}: {records[0].entry}: {name}"
        raise RequestError(f"{where}: folds that cannot be joined: {error}") from error


def _with_interval(metric: Metric, value: float, left: dict[str, float], data: Data) -> Metric:
    """The joined value with its interval; none where the metric is no rate."""
    counted, floor = {"value": value}, _floor(data.counts["test"])
    values = [value, *left.values()]
    if floor is None or not all(0 <= each <= 1 for each in values):
        return metric.model_copy(update=counted)
    found = jackknife_interval(value, list(left.values()), floor=floor)
    return metric.model_copy(update=counted | {"low": found.low, "high": found.high})


def _floor(tested: dict[str, int]) -> float | None:
    """Half a trial of the rarer kind, or half an item; None where nobody counted them."""
    targets, trials = tested.get("targets"), tested.get("trials")
    rarer = min(targets, trials - targets) if targets and trials else tested.get("items", 0)
    return half_trial(rarer) if rarer > 1 else None
