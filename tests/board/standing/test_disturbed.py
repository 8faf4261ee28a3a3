"""Times that were taken while something else ran beside."""

from __future__ import annotations

from harness.board.standing.rows import FiledRecord, Row
from harness.board.standing.table import tables
from harness.board.writing.captions import footnotes
from harness.records.costs import Resources
from harness.records.record import Record

TIMES = {
    "training_per_second": 10.0,
    "inference_per_second": 50.0,
    "latency_p50": 0.1,
    "latency_p95": 0.2,
}


def resources(seconds: float, **waits: float) -> Resources:
    return Resources(training_seconds=seconds, **TIMES, **waits)


def told(*records: Record) -> list[str]:
    return footnotes(tables(FiledRecord(record) for record in records)[0])


def row(*records: Record) -> Row:
    return Row(tuple(FiledRecord(record) for record in records))


def test_a_disturbed_training_tells_no_time(make):
    calm = make(seed=0, resources=resources(100.0, cpu_wait=0.05))
    crowded = make(seed=1, resources=resources(300.0, cpu_wait=0.4))
    found = row(calm, crowded).costs[calm.environment_digest]
    assert found["training_seconds"] == 100.0
    assert found["training_per_second"] == 10.0
    assert any("training times of 1 record," in note for note in told(calm, crowded))


def test_a_disturbed_measurement_tells_no_speed(make):
    record = make(resources=resources(100.0, cpu_wait=0.05, measuring_cpu_wait=0.2))
    found = row(record).costs[record.environment_digest]
    assert found.keys() == {"training_seconds"}
    assert found["training_seconds"] == 100.0
    assert any("the speeds of 1 record, " in note for note in told(record, make("b")))


def test_where_nothing_is_known_nothing_is_left_out(make):
    record = make(resources=resources(100.0))
    assert row(record).costs[record.environment_digest]["training_seconds"] == 100.0
    assert not any("Not shown" in note for note in told(record, make("b")))
