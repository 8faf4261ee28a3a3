"""Records come back as they were written, or are refused with file and place."""

import json
import math

import pytest
from pydantic import ValidationError

from harness.errors import RequestError
from harness.records.costs import Memory, Resources
from harness.records.record import (
    Artefact,
    Data,
    Environment,
    Metric,
    MetricFacts,
    Protocol,
    Record,
    RecordedComponent,
    Stage,
)
from harness.records.record_files import read_record, to_document, write_record

RECORD = Record(
    state="done",
    protocol=Protocol(
        suite="speaker",
        suite_title="Speaker verification",
        profile="quick",
        version=2,
        digest="ab" * 32,
        task="harness.tasks.verification:Verification",
        primary="eer",
        facts={"eer": MetricFacts(title="EER", unit="%", higher_is_better=False)},
        parameters={"p_target": 0.01},
    ),
    dataset=Data(
        name="tiny",
        title="Tiny é",
        synthetic=True,
        licence="Apache-2.0",
        publish_scores=True,
        source="",
        lock="cd" * 32,
        counts={"test": {"units": 2, "items": 4}},
        unit="speaker",
        left_out=("u1",),
    ),
    model=RecordedComponent(name="net", adapter="a:B", version=1, fields={"channels": 3}),
    loss=RecordedComponent(name="aam", adapter="a:C", version=1, fields={}),
    recipe={"steps": 3},
    recipe_name="short",
    track="matched",
    seed=0,
    code="ef" * 20,
    stages={"train": Stage(key="k", inputs={"seed": 0}, seconds=1.5)},
    metrics={"eer": Metric(value=0.1, low=0.05, high=0.2, unit="%")},
    left_one_out={"eer": {"s1": 0.11, "s2": 0.09}},
    resources=Resources(training_memory=Memory(bytes=5, counted="gpu")),
    environment=Environment(
        device="cpu",
        processor="p",
        threads=1,
        python="3.11",
        platform="linux",
        libraries={"torch": "2"},
        allocator={},
    ),
    artefacts={"scores": Artefact(sha256="00", bytes=3)},
    notes=("a note",),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "job" / "record.json"


def test_a_record_comes_back_as_it_was(path):
    write_record(path, RECORD)
    assert read_record(path) == RECORD


def test_writing_twice_gives_the_same_bytes(path):
    write_record(path, RECORD)
    first = path.read_bytes()
    write_record(path, read_record(path))
    assert path.read_bytes() == first


def test_the_document_holds_its_schema_number(path):
    assert to_document(RECORD)["schema"] == 2
    assert "record_schema" not in to_document(RECORD)


def test_the_row_is_named_by_model_and_loss():
    assert RECORD.entry == "net + aam"
    assert RECORD.model_copy(update={"loss": None}).entry == "net"
    assert not RECORD.is_baseline
    assert RECORD.model_copy(update={"track": "baseline"}).is_baseline


def test_a_record_is_never_edited():
    with pytest.raises(ValidationError, match="frozen"):
        RECORD.state = "failed"


def test_a_metric_that_is_not_a_number_leaves_the_old_record(path):
    write_record(path, RECORD)
    with pytest.raises(ValidationError, match="finite number"):
        Metric(value=math.nan, unit="%")
    unchecked = Metric.model_construct(value=math.nan, unit="%")
    broken = RECORD.model_copy(update={"metrics": {"eer": unchecked}})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_record(path, broken)
    assert read_record(path) == RECORD


def spoilt(path, **changes):
    document = {**to_document(RECORD), **changes}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({key: value for key, value in document.items() if value != "GONE"}))


@pytest.mark.parametrize("schema", [0, -1, "1", 1.0, True, None, "GONE"])
def test_an_unknown_schema_is_refused(path, schema):
    spoilt(path, schema=schema)
    with pytest.raises(RequestError, match=r"record\.json: record schema .* reads 1 to 2"):
        read_record(path)


def test_a_newer_schema_asks_for_a_newer_program(path):
    spoilt(path, schema=3)
    with pytest.raises(RequestError, match=r"record\.json: record schema 3 .*update the program"):
        read_record(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"state": "finished"}, "state: "),
        ({"colour": "red"}, "colour: Extra inputs"),
        ({"model": {"name": "net"}}, r"model\.adapter: Field required"),
        ({"protocol": "GONE"}, "protocol: Field required"),
    ],
)
def test_a_document_that_is_no_record_is_refused_with_its_place(path, changes, message):
    spoilt(path, **changes)
    with pytest.raises(RequestError, match=rf"record\.json: not a record: {message}"):
        read_record(path)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b""])
def test_a_file_that_is_not_json_is_refused(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(RequestError, match=r"record\.json: not JSON"):
        read_record(path)


def test_a_list_is_not_a_record(path):
    path.parent.mkdir()
    path.write_text("[1]")
    with pytest.raises(RequestError, match="record schema None"):
        read_record(path)


def test_an_absent_record_is_refused(path):
    with pytest.raises(RequestError, match=r"record\.json: cannot be read: No such file"):
        read_record(path)
