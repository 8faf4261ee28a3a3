"""What an export costs: a paired difference with its interval."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from harness.errors import RequestError
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.tasks.task import Judgement
from harness.use.after_export import AfterExport, JudgedFile, costs
from harness.use.after_export_page import page
from harness.use.export_facts import ExportedFile
from tests.places import RECORDS


@pytest.fixture(scope="module")
def record() -> Record:
    folder = RECORDS / "speaker" / "quick" / "speechocean762"
    path = next(
        each for each in sorted(folder.glob("ecapa-512*.json")) if each.name.count(".") == 1
    )
    return read_record(path)


def moved(record: Record, by: float) -> Judgement:
    """The record's figures as if every unit's own part had grown a little."""
    left = {
        name: {
            unit: value * (1 + by * (place % 5)) for place, (unit, value) in enumerate(own.items())
        }
        for name, own in record.left_one_out.items()
    }
    metrics = {
        name: metric.model_copy(update={"value": metric.value * (1 + 2 * by)})
        for name, metric in record.metrics.items()
    }
    return Judgement(metrics, left)


def test_the_interval_is_that_of_the_paired_difference(record: Record) -> None:
    exported = moved(record, 0.01)
    found = {cost.metric: cost for cost in costs(record, exported)}
    assert found.keys() == record.left_one_out.keys()
    cost, left = found["eer"], record.left_one_out["eer"]
    apart = [exported.left_one_out["eer"][unit] - value for unit, value in left.items()]
    count, mean = len(apart), math.fsum(apart) / len(apart)
    error = math.sqrt((count - 1) / count * math.fsum((each - mean) ** 2 for each in apart))
    reach = stats.t.ppf(0.975, count - 1) * error
    value = 0.02 * record.metrics["eer"].value
    assert cost.difference.value == pytest.approx(value)
    assert cost.difference.low == pytest.approx(value - reach)
    assert cost.difference.high == pytest.approx(value + reach)


def test_the_same_outputs_cost_nothing(record: Record) -> None:
    for cost in costs(record, moved(record, 0.0)):
        assert (cost.difference.value, cost.difference.low, cost.difference.high) == (0, 0, 0)


def test_other_units_are_refused(record: Record) -> None:
    exported = moved(record, 0.0)
    exported.left_one_out["eer"].popitem()
    with pytest.raises(RequestError, match="judged on other units"):
        costs(record, exported)


def test_the_table_has_each_file_beside_the_run(record: Record) -> None:
    exported = moved(record, 0.01)
    file = ExportedFile(
        name="model-int8.onnx", input="waveforms", input_shape=("batch", "samples"),
        output="embedding", output_size=192, items=16, difference=0.01, score_difference=0.02,
        bytes=7 * 2**20, latency=0.02, latency_of_pytorch=0.05,
    )  # fmt: skip
    found = tuple(costs(record, exported))
    judged = JudgedFile(
        file=file, sha256="0" * 64, costs=found, metrics=exported.metrics, record=""
    )
    whole = AfterExport(
        run=record, files=(judged,), processor="A processor",
        libraries={"onnxruntime": "1.2"}, made="2026-11-30T09:00:00Z",
    )  # fmt: skip
    lines = page(whole).splitlines()
    rows = [line.split("|") for line in lines if line.startswith("|")]
    assert len({len(row) for row in rows}) == 1
    assert lines[0].endswith("after export")
    assert "EER % ↓" in rows[0][2]
    assert rows[-1][1].strip() == "`model-int8.onnx`"
    assert rows[-1][-3].strip() == "7.0"
    assert rows[-1][-2].strip() == "20.0"
    assert rows[2][-2].strip() == "50.0"
    shown = f"+{2 * record.metrics['eer'].value:.2f} ("
    assert rows[-1][3].strip().startswith(shown)
    assert "2026-11-30, A processor, onnxruntime 1.2." in lines[-1]
    # A latency that others disturbed is not told.
    busy = judged.model_copy(update={"file": file.model_copy(update={"cpu_wait": 0.5})})
    table = page(whole.model_copy(update={"files": (busy,)})).splitlines()
    assert [line.split("|")[-2].strip() for line in table if line.startswith("|")][2:] == ["–", "–"]
