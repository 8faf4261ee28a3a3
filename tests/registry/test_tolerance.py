"""The range in which a result counts as a record made again, by rules that can be computed."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import pytest
from scipy import stats

from harness.records.record import Data, Metric, Record, RecordedComponent
from harness.records.record_files import read_record, write_record
from harness.registry.tolerance import ToleratedRange, others_of, reproduction_range
from harness.tasks.task import smallest_step
from tests.places import ROOT

OLD = ROOT / "tests" / "records" / "old"
TRAINED = read_record(next(OLD.glob("ecapa*.json")))
UNTRAINED = read_record(next(OLD.glob("nearest*.json")))


def range_of(record: Record, others: list[Record]) -> ToleratedRange:
    return reproduction_range(record, others, smallest_step(record.dataset.counts["test"]))


def with_value(
    value: float, seed: int, model: str = "ecapa-512", record: Record = TRAINED
) -> Record:
    metric = record.metrics["eer"].model_copy(update={"value": value})
    named = record.model.model_copy(update={"name": model})
    changes = {"metrics": {**record.metrics, "eer": metric}, "seed": seed, "model": named}
    return record.model_copy(update=changes)


def test_seeds_of_the_other_records_decide() -> None:
    values = {"a": [0.16, 0.18, 0.17], "b": [0.2, 0.22]}
    others = [with_value(v, s, m) for m, row in values.items() for s, v in enumerate(row)]
    found = range_of(with_value(0.17, 0), others)
    squares = 0.0
    for row in values.values():
        mean = statistics.fmean(row)
        squares += sum(((v - mean) / (mean * (1 - mean))) ** 2 for v in row)
    spread = math.sqrt(squares / 3) * 0.17 * 0.83
    reach = stats.t.ppf(0.975, 3) * math.sqrt(2) * spread
    assert found.rule == "seeds"
    assert (found.low, found.high) == pytest.approx((0.17 - reach, 0.17 + reach))
    assert "3 degrees of freedom" in found.told


def test_a_record_has_no_say_in_its_own_range() -> None:
    others = [with_value(v, s) for s, v in enumerate((0.16, 0.18, 0.17, 0.175)) if s]
    honest = range_of(with_value(0.16, 0), others)
    assert range_of(with_value(0.16, 0), [*others, with_value(0.9, 0)]) == honest


def test_the_interval_holds_where_seeds_tell_nothing() -> None:
    eer = TRAINED.metrics["eer"]
    for others in ([], [with_value(0.1, 0, "a"), with_value(0.2, 1, "a")]):
        found = range_of(TRAINED, others)
        assert (found.rule, found.low, found.high) == ("interval", eer.low, eer.high)
    bare = {"metrics": {"eer": Metric(value=0.1, unit="%")}}
    found = range_of(TRAINED.model_copy(update=bare), [])
    assert (found.rule, found.low, found.high) == ("equal", 0.1, 0.1)


def test_claims_and_submissions_tell_nothing_of_seeds() -> None:
    for trust in ("claimed", "rescored"):
        others = [
            with_value(0.1 * (s + 1), s, "a").model_copy(update={"trust": trust}) for s in range(5)
        ]
        assert range_of(TRAINED, others).rule == "interval"


def test_what_is_not_trained_may_move_by_one_item() -> None:
    found = range_of(UNTRAINED, [])
    items = UNTRAINED.dataset.counts["test"]["items"]
    value = UNTRAINED.metrics["accuracy"].value
    assert found.rule == "one trial"
    assert (found.low, found.high) == pytest.approx((value - 1 / items, value + 1 / items))
    counts = {"test": {"units": 5, "items": 20, "trials": 190, "targets": 30}}
    trials = UNTRAINED.dataset.model_copy(update={"counts": counts})
    found = range_of(UNTRAINED.model_copy(update={"dataset": trials}), [])
    assert found.high - value == pytest.approx(1 / 30)


def test_the_others_are_those_of_its_table(tmp_path: Path) -> None:
    data = TRAINED.dataset.model_dump() | {"lock": "0" * 64}
    elsewhere = TRAINED.model_copy(update={"dataset": Data(**data)})
    own, other = with_value(0.1, 0), with_value(0.2, 1)
    for name, record in {"own": own, "other": other, "elsewhere": elsewhere}.items():
        write_record(tmp_path / f"{name}.json", record)
        write_record(tmp_path / "suite-quick" / "data" / "entry" / name / "record.json", record)
    (tmp_path / "other.details.json").write_text("{}")
    (tmp_path / "own.attestation-0.json").write_text("{}")
    assert others_of(tmp_path / "own.json", own) == [other]
    run = tmp_path / "suite-quick" / "data" / "entry" / "own" / "record.json"
    assert others_of(run, own) == [other]


def test_an_entry_of_the_same_name_and_other_content_is_another() -> None:
    changed = RecordedComponent(name="ecapa-512", adapter="x:Y", version=2, fields={})
    others = [
        with_value(0.1, 0).model_copy(update={"model": changed}),
        with_value(0.3, 1),
        with_value(0.2, 2),
    ]
    assert range_of(with_value(0.17, 0), others).rule == "interval"


def test_published_records_without_evidence_tell_nothing_of_seeds(tmp_path: Path) -> None:
    """Else whoever adds wild records would widen the range of all."""
    folder = tmp_path / "records" / "suite" / "quick" / "data"
    for seed in range(5):
        write_record(folder / f"wild-{seed}.json", with_value(0.1 * (seed + 1), seed, "wild"))
    write_record(folder / "own.json", TRAINED)
    others = others_of(folder / "own.json", TRAINED)
    assert {other.trust for other in others} == {"claimed"}
    assert range_of(TRAINED, others).rule == "interval"
    assert range_of(TRAINED, [o.model_copy(update={"trust": "measured"}) for o in others]).rule == (
        "seeds"
    )
