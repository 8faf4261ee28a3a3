"""Whose records may join a published entry, and which rows a change makes worse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.board.publishing.published_tables import build
from harness.board.record_paths import record_path
from harness.board.record_store import record_files
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.records.documents import digest
from harness.records.record import Record, RecordedComponent
from harness.records.record_files import read_record, write_record
from harness.registry.admission import admit
from harness.registry.replacement import declared_version, worsened, wrong_replacements
from tests.board.conftest import make_left_out, make_metrics, make_protocol, make_record, make_stage
from tests.board.published_copy import ROOT, Copy
from tests.keys import list_key, make_key, needs_keys, sign_records

LATER = "2027-01-01T00:00:00Z"
OWN = [make_record(seed=seed, value=0.05 + seed / 1000) for seed in range(2)]
RIVALS = [make_record("campplus", value=0.06), make_record("resnet34", value=0.2)]
OLD = {f"{record.entry}-{record.seed}": record for record in [*OWN, *RIVALS]}


def joined(new: Record, sources: Path = ROOT, old: dict[str, Record] = OLD) -> str:
    return "\n".join(wrong_replacements({**old, "new": new}, old, sources))


def again(**changes: Any) -> Record:
    """A later record of an entry that is published, of the same training unless told."""
    return make_record(finished=LATER, **{"value": 0.055} | changes)


@pytest.mark.parametrize("seed", [0, 7], ids=["its own seed", "a new seed"])
def test_the_same_training_goes_on_with_its_entry(seed: int) -> None:
    assert joined(again(seed=seed)) == ""


def test_every_published_record_goes_on_with_the_others_of_its_entry() -> None:
    """Seeds and folds, as if each was the last to come; an older version comes too late."""
    published = ROOT / "leaderboards"
    records = {path.as_posix(): read_record(path) for path in record_files(published)}
    assert len({record.entry for record in records.values()}) < len(records) / 2
    newest: dict[str, int] = {}
    for record in records.values():
        newest[record.model.name] = max(record.model.version, newest.get(record.model.name, 0))
    for path, record in records.items():
        said = list(wrong_replacements(records, records.keys() - {path}, ROOT))
        if record.model.version == newest[record.model.name]:
            assert said == []
        elif said:  # unless no newer one stands in its table
            assert f"is of version {record.model.version} of {record.model.name}" in said[0]


def test_an_entry_of_a_name_of_its_own_is_nobodys_concern() -> None:
    for trust in ("claimed", "rescored"):
        assert joined(again(model="newcomer", trust=trust, left_one_out={})) == ""
    rules = make_protocol(version=2, digest="c" * 64)
    assert joined(again(protocol=rules, recipe={"steps": 1})) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trust": "claimed"}, "less evidence (claimed) than behind the published records of"),
        ({"trust": "rescored", "seed": 7}, "less evidence (rescored)"),
        ({"left_one_out": {}}, "eer is not given without each speaker of ecapa-512 + aam, which"),
        ({"units": 25}, "which would lose its rank"),
        ({"state": "failed", "metrics": {}}, "has no result (failed), and would take the place of"),
        ({"recipe": {"steps": 1}}, "is of another training than the published ecapa-512 + aam"),
        ({"recipe": {"steps": 1}, "seed": 7}, "give the entry another name"),
    ],
)
def test_what_would_take_an_entrys_row_is_refused(changes: dict[str, Any], said: str) -> None:
    assert said in joined(again(**changes))


@pytest.mark.parametrize("seed", [0, 7])
def test_scores_alone_lower_no_row_that_has_scores_alone(seed: int) -> None:
    old = {name: each.model_copy(update={"trust": "rescored"}) for name, each in OLD.items()}
    said = joined(again(seed=seed, value=0.4, trust="rescored"), old=old)
    assert "eer is worse than the interval of every published record of ecapa-512 + aam" in said
    assert joined(again(seed=seed, value=0.4, trust="measured"), old=old) == ""
    for value in (0.055, 0.001):
        assert joined(again(seed=seed, value=value, trust="rescored"), old=old) == ""


def test_only_what_was_made_again_is_told_so() -> None:
    assert "made again" not in joined(again(trust="claimed"))


def test_what_was_made_again_is_followed_by_what_was_made_again() -> None:
    attested = OWN[0].model_copy(update={"trust": "reproduced"})
    old = {**OLD, "attested": attested}
    assert "new: would follow attested, which was made again; attest that of this one too" in (
        joined(again(), old=old)
    )
    assert joined(again(trust="reproduced"), old=old) == joined(again(seed=1), old=old) == ""


def test_a_second_claim_of_a_name_is_of_somebody_else() -> None:
    def claim(value: float) -> Record:
        record = make_record("Theirs", None, trust="claimed", metrics=make_metrics(value))
        stage = make_stage(dict(record) | {"stage": "claim"})
        inputs = {"stage": "claim", "metrics": {"eer": value}, "source": "a paper"}
        stages = {"claim": stage.model_copy(update={"inputs": inputs})}
        return record.model_copy(update={"stages": stages, "left_one_out": {}})

    assert "is of another training" in joined(claim(0.4), old={"old": claim(0.01)})


def versioned(version: int, **changes: Any) -> Record:
    adapter = changes.pop("adapter", "adapters.speechbrain:Ecapa")
    model = RecordedComponent(name="ecapa-512", adapter=adapter, version=version, fields={})
    record = again()
    stage = make_stage(dict(record) | {"model": model})
    return record.model_copy(update={"model": model, "stages": {"train": stage}} | changes)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The sources of a change in which one adapter's version was raised to 2."""
    (tmp_path / "adapters").mkdir()
    (tmp_path / "adapters" / "speechbrain.py").write_text(
        "raise SystemExit('run')\nclass Ecapa:\n    size: int = 3\n    version: ClassVar[int] = 2\n"
    )
    return tmp_path


def test_a_version_that_the_change_raises_takes_the_place_of_the_one_before(sources: Path) -> None:
    assert joined(versioned(2), sources) == ""


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (versioned(3), "version 3 of ecapa-512, and adapters.speechbrain:Ecapa declares 2"),
        (versioned(2, adapter="adapters.other:Ecapa"), "and no adapters.other:Ecapa is in this"),
        (versioned(2, adapter="..x:Ecapa"), "and no ..x:Ecapa is in this change"),
        (versioned(0), "is of version 0 of ecapa-512, and 1 is published"),
        (versioned(2, trust="rescored"), "less evidence (rescored)"),
        (versioned(2, left_one_out={}), "which would lose its rank"),
    ],
)
def test_a_version_that_nobody_raised_or_proved_takes_none(
    record: Record, said: str, sources: Path
) -> None:
    assert said in joined(record, sources)


@pytest.mark.parametrize("content", ["class Ecapa:\n    version = 2\n", "class (", "\0", "x" * 9])
def test_a_source_that_declares_no_version_has_none(content: str, sources: Path) -> None:
    (sources / "adapters" / "speechbrain.py").write_text(content)
    assert declared_version(sources, versioned(2).model) is None


def test_our_own_adapters_declare_theirs() -> None:
    for adapter, version in {"adapters.wespeaker:CamPlusPlus": 2, "adapters.timm:Timm": 1}.items():
        part = RecordedComponent(name="x", adapter=adapter, version=0, fields={})
        assert declared_version(ROOT, part) == version


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (
            again(value=0.4, left_one_out=make_left_out(0.4, 24, 1)),
            ["ecapa-512 + aam gets worse: EER 5.05 to 22.55"],
        ),
        (
            make_record("resnet34", value=0.1, finished=LATER, left_one_out={}),
            ["resnet34 + aam loses its rank 3: the metric without each speaker is not known of it"],
        ),
        (
            make_record("resnet34", state="failed", reason="", metrics={}, finished=LATER),
            [
                "resnet34 + aam loses its rank 3: it is failed",
                "resnet34 + aam had a result, and is failed",
            ],
        ),
        (make_record("best", value=0.001, finished=LATER), []),
    ],
    ids=["worse", "not ranked", "failed", "pushed down"],
)
def test_the_rows_that_a_change_makes_worse_are_named(new: Record, said: list[str]) -> None:
    assert worsened({**OLD, "new": new}, OLD) == [f"speaker/quick/open-26666: {s}" for s in said]


def test_an_invented_later_record_of_a_rival_neither_replaces_nor_blanks() -> None:
    """With as little evidence as an invention has; what has as much is refused."""
    before, after = (
        tables(FiledRecord(record, path) for path, record in records.items())[0]
        for records in (OLD, {**OLD, "new": again(value=0.4, left_one_out={}, trust="claimed")})
    )
    assert after.ranking == before.ranking
    assert [row.results for row in after.rows] == [row.results for row in before.rows]
    assert [each.path for each in after.weaker] == ["new"]


def invented(copy: Copy) -> Path:
    """A later record of a published entry, much worse and without values for ranks."""
    published = copy.record()
    document = json.loads(published.read_text())
    document["metrics"]["accuracy"] |= {"value": 0.4, "low": 0.3, "high": 0.5}
    document |= {"schema": 2, "left_one_out": {}}
    document["artefacts"]["scores"] |= {"bytes": 5_000_000}
    document["artefacts"]["checkpoint"]["sha256"] = "f" * 64
    document["finished"] = "2026-11-28T00:00:00+00:00"
    stage = document["stages"]["evaluate"]
    stage["inputs"]["checkpoint"] = "f" * 64
    stage["key"] = digest(stage["inputs"])
    record = Record.model_validate(document)
    path = copy.folder / record_path(record)
    write_record(path, record)
    return path


@needs_keys
def test_an_invented_record_of_a_rival_is_refused_and_changes_no_row(
    copy: Copy, tmp_path: Path
) -> None:
    """Be it without evidence, or signed by somebody who is listed."""
    key = make_key(tmp_path)
    sign_records([copy.record()], key)
    list_key(copy.folder, key)
    build(copy.folder)
    copy.commit()
    before = json.loads((copy.folder / "image.json").read_text())["tables"][0]["rows"]
    name = copy.name(path := invented(copy))
    came = admit(copy.folder, "HEAD", copy.loaded)
    for said in ("less evidence (claimed) than behind the published", "would lose its rank"):
        assert any(line.startswith(name) and said in line for line in came.complaints)
    assert came.worse == ()
    build(copy.folder)
    (table,) = json.loads((copy.folder / "image.json").read_text())["tables"]
    assert table["rows"] == before
    assert any("1 record of efficientnet-b0 + softmax (seed 0" in n for n in table["footnotes"])
    sign_records([path], key)
    said = "\n".join(admit(copy.folder, "HEAD", copy.loaded).worse)
    assert (
        "image/quick/digits: efficientnet-b0 + softmax gets worse: accuracy 98.00 to 40.00" in said
    )
    assert "efficientnet-b0 + softmax loses its rank 1: the metric without each" in said
