"""Older protocol versions move to pages of their own, and stay what their records give."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from harness.board.publishing.published_tables import build, render
from harness.board.record_paths import record_path
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import Table, archive_page, family, newest, previous, tables
from harness.board.writing.json_document import document_text
from harness.board.writing.references import References
from harness.records.record import Record, RecordedFold, Stage
from harness.records.record_files import write_record
from tests.keys import publish_with_scores


@pytest.fixture
def version(make, protocol, data):
    """The factory of a record of some version and dataset."""

    def record(number: int, dataset: str = "voices", model: str = "a", **changes) -> Record:
        rules = {"version": number, "digest": str(number) * 64}
        stage = Stage(key=f"{model} {dataset} {number} {changes}", inputs={})
        return make(
            model,
            protocol=protocol(**rules | changes.pop("rules", {})),
            dataset=data(name=dataset, title=dataset, **changes.pop("data", {})),
            stages={"evaluate": stage},
            **changes,
        )

    return record


def rendered(*records: Record) -> dict[str, str]:
    return render({record_path(record): record for record in records}).texts


def pages(*records: Record) -> dict[str, str]:
    """What is rendered, but for the site."""
    return {name: t for name, t in rendered(*records).items() if not name.startswith("site/")}


def made(*records: Record) -> list[Table]:
    return tables(FiledRecord(record, record_path(record)) for record in records)


def versions(text: str) -> list[str]:
    return re.findall(r"^## (\S+) .*protocol (\d+)$", text, flags=re.MULTILINE)


def test_the_newest_version_of_each_dataset_stays_on_the_page(version):
    texts = pages(
        version(1, "voices"),
        version(2, "voices"),
        version(3, "voices"),
        version(1, "words"),
        version(2, "sounds"),
        version(1, "sounds"),
    )
    assert sorted(texts) == [
        "README.md",
        "archive/speaker-v1.json",
        "archive/speaker-v1.md",
        "archive/speaker-v2.json",
        "archive/speaker-v2.md",
        "speaker.json",
        "speaker.md",
    ]
    assert versions(texts["speaker.md"]) == [("voices", "3"), ("sounds", "2"), ("words", "1")]
    assert versions(texts["archive/speaker-v2.md"]) == [("voices", "2")]
    assert versions(texts["archive/speaker-v1.md"]) == [("sounds", "1"), ("voices", "1")]


def test_profiles_have_versions_of_their_own(version):
    texts = pages(version(1), version(2, rules={"profile": "full"}))
    assert set(texts) == {"README.md", "speaker.json", "speaker.md"}


def test_one_version_with_other_rules_or_data_is_two_tables_of_one_page(version):
    texts = rendered(
        version(2, rules={"digest": "c" * 64}), version(2), version(2, data={"lock": "d" * 64})
    )
    assert versions(texts["speaker.md"]) == [("voices", "2")] * 3
    assert not any(name.startswith("archive/") for name in texts)


def test_folds_are_of_the_family_of_their_dataset(version):
    fold = RecordedFold(of="voices", index=1, folds=2, lock="l" * 64, protocol="p" * 64)
    folds = [
        version(
            2,
            f"voices.{index}of2",
            data={"fold": fold.model_copy(update={"index": index})},
            left_one_out={"eer": {f"{index}{unit}": 0.05 for unit in "abc"}},
        )
        for index in (1, 2)
    ]
    whole = version(1)
    assert {family(table) for table in made(*folds, whole)} == {("speaker", "quick", "voices")}
    texts = rendered(*folds, whole)
    assert versions(texts["archive/speaker-v1.md"]) == [("voices", "1")]
    assert "protocol 2" in texts["speaker.md"]
    assert "| folds " in texts["speaker.md"]


def test_pages_link_to_the_archive_and_it_to_what_it_is_made_of(version, tmp_path):
    for record in (version(1), version(1, model="b"), version(2), version(2, model="b")):
        publish_with_scores(tmp_path, record)
    build(tmp_path)
    links = "[protocol 1](archive/speaker-v1.md) ([JSON](archive/speaker-v1.json))"
    assert f"Earlier versions: {links}." in (tmp_path / "speaker.md").read_text()
    assert f"earlier versions: {links}" in (tmp_path / "README.md").read_text()
    page = tmp_path / "archive" / "speaker-v1.md"
    targets = re.findall(r"\]\(([^)]+)\)|^\[\w+\]: (\S+)$", page.read_text(), flags=re.MULTILINE)
    paths = [page.parent / (inline or named) for inline, named in targets]
    assert len(paths) == 4  # the newer versions, two records, the picture
    assert all(path.is_file() for path in paths)
    documented = json.loads(page.with_suffix(".json").read_text())["tables"][0]["rows"]
    assert all((page.parent / path).is_file() for row in documented for path in row["records"])


def test_every_version_has_its_picture(version):
    records = [version(number, model=model) for number in (1, 2) for model in "ab"]
    files = render({record_path(record): record for record in records})
    assert len(files.plots) == 2
    for name in files.plots:
        assert name in files.texts["speaker.md"] + files.texts["archive/speaker-v1.md"]


def test_a_document_put_together_is_the_document_of_its_tables(version, several):
    records = [version(2), version(2, "words"), version(2, rules={"profile": "full"})]
    titled = version(2, data={"source": 'a\n "tables": []'}, rules={"suite_title": '"tables": []'})
    for given in ([*records, titled], several):
        text = rendered(*given)["speaker.json"]
        assert text == document_text(made(*given), References())


def test_the_archive_does_not_depend_on_the_order_of_records(version):
    records = [version(n, name, model) for n in (1, 2, 3) for name in ("x", "y") for model in "ab"]
    wanted = rendered(*records)
    for seed in range(3):
        assert rendered(*random.Random(seed).sample(records, len(records))) == wanted


def test_the_version_before_is_the_nearest_one_and_best_on_the_same_data(version):
    one, three, four = made(version(1), version(3), version(4))[::-1]
    assert previous(four, [one, three, four]) is three
    assert previous(three, [one, three, four]) is one
    assert previous(one, [one, three, four]) is None
    elsewhere = made(version(3, "words"))
    assert previous(four, elsewhere) is None
    lock = {"lock": "0" * 64}
    moved = made(version(3, data=lock), version(3, model="b", data=lock))
    assert previous(four, [*moved, three]) is three
    assert newest([one, three, *elsewhere]) == {family(one): 3, family(elsewhere[0]): 3}


def test_an_archived_page_is_named_by_its_suite():
    assert archive_page("../Loud suite", 12) == "archive/loud-suite-v12"


def test_an_archived_table_tells_what_was_new_in_it_too(version):
    texts = rendered(version(1), version(2), version(3), version(3, model="b"))
    assert "### Changes since protocol 1" in texts["archive/speaker-v2.md"]
    assert "### Changes since protocol 2" in texts["speaker.md"]
    assert "- New: b + aam." in texts["speaker.md"]
    assert "### Changes" not in texts["archive/speaker-v1.md"]


def test_files_are_built_where_the_pages_link_to(version, tmp_path: Path):
    for record in (version(1), version(2)):
        write_record(tmp_path / record_path(record), record)
    written = {path.relative_to(tmp_path).as_posix() for path in build(tmp_path)}
    assert {"archive/speaker-v1.md", "archive/speaker-v1.json"} <= written
    assert build(tmp_path) == []
