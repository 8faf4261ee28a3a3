"""Published files: a function of the records, and a check that says so."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.board.publishing.published_tables import build, read_folder, record_files, render
from harness.board.record_paths import record_path, scores_path, signature_path
from harness.board.standing.rows import FiledRecord
from harness.board.standing.table import tables
from harness.board.writing.charts import holds_plot
from harness.board.writing.efficiency import efficiencies
from harness.errors import RequestError
from harness.records.attestation import Attestation
from harness.records.documents import sha256, sha256_file
from harness.records.record import Record
from harness.records.record_files import read_record, write_record
from harness.registry.check import check
from tests.attesting import bring
from tests.keys import (
    SCORES,
    list_key,
    make_key,
    needs_keys,
    publish_with_scores,
    sign_records,
)
from tests.places import ROOT
from tests.tiny import BENCHMARK


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, several: list[Record]) -> Path:
    """A published folder with scores beside each record that has some."""
    top = tmp_path_factory.mktemp("leaderboards")
    for record in several:
        publish_with_scores(top, record)
    build(top)
    return top


@pytest.fixture
def another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key of somebody else than who signs the records."""
    return make_key(tmp_path_factory.mktemp("another"))


@pytest.fixture
def signed(folder: Path, another: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same copy, each of its records signed by a listed key; somebody else's is listed too."""
    key = make_key(tmp_path_factory.mktemp("key"))
    sign_records(record_files(folder), key)
    list_key(folder, key)
    list_key(folder, another, "bob")
    build(folder)
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy of it, to do with as one likes."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    return tmp_path


def assert_built(folder: Path) -> None:
    """What lies in a folder is what all of its records, held at once, give."""
    files = render(*read_folder(folder))
    assert {name: (folder / name).read_text() for name in files.texts} == files.texts
    assert all(holds_plot(folder / name, data) for name, data in files.plots.items())


def first_scores(folder: Path) -> Path:
    return min(folder.rglob("*.scores.npz"))


def test_shuffled_records_give_the_same_bytes(several):
    records = [(record_path(record), record) for record in several]
    orders = [random.Random(seed).sample(records, len(records)) for seed in range(5)]
    assert all(render(dict(order)) == render(dict(records)) for order in orders)


def test_records_read_back_give_what_records_in_hand_give(folder):
    assert_built(folder)


def test_each_suite_has_a_page_and_a_document(several, make, protocol):
    image = make(protocol=protocol(suite="image", suite_title="Images"))
    files = render({record_path(record): record for record in [*several, image]})
    assert sorted(files.texts) == [
        "README.md",
        "image.json",
        "image.md",
        "site/board.css",
        "site/board.js",
        "site/changes.html",
        "site/image.html",
        "site/index.html",
        "site/speaker.html",
        "speaker.json",
        "speaker.md",
    ]
    assert "[Images](image.md)" in files.texts["README.md"]
    assert "[site](site/index.html)" in files.texts["README.md"]


def test_indexes_list_suites_in_the_order_of_the_benchmark_beside_the_folder(
    tmp_path, make, protocol
):
    folder, benchmark = tmp_path / "leaderboards", tmp_path / "benchmark.toml"
    for suite in ("own", "faulty", "alps", "zoo"):
        record = make(protocol=protocol(suite=suite, suite_title=suite))
        write_record(folder / record_path(record), record)
    head, *suites = re.split(r"(?m)^(?=\[suites\.)", BENCHMARK)

    def listed() -> list[list[str]]:
        build(folder)
        assert check(folder) == []
        page, site = folder / "README.md", folder / "site" / "index.html"
        return [
            re.findall(r"\]\((\w+)\.md\)", page.read_text()),
            re.findall(r'<h2><a href="(\w+)\.html"', site.read_text()),
            re.findall(r"<bdi>(\w+)</bdi></a>\n(?=<a)", site.read_text()),
        ]

    # Suites that the file does not name come last.
    benchmark.write_text(head + "".join(suites))
    assert listed() == [["own", "faulty", "alps", "zoo"]] * 3
    benchmark.write_text(head + "".join(reversed(suites)))
    assert any("README.md" in line for line in check(folder))
    assert listed() == [["faulty", "own", "alps", "zoo"]] * 3


def test_a_suites_page_opens_with_the_curve_that_the_benchmark_beside_the_folder_names(
    tmp_path, make, data, protocol
):
    folder, benchmark = tmp_path / "leaderboards", tmp_path / "benchmark.toml"
    for name, digit in (("even", "c"), ("some", "d"), ("steep", "e")):
        own = {
            "dataset": data(name=name, title=name, lock=digit * 64),
            "protocol": protocol(digest=digit * 64),
        }
        for record in (make(**own), make("mean", None, 0.3, None, **own)):
            publish_with_scores(folder, record)
    head = re.split(r"(?m)^(?=\[suites\.)", BENCHMARK)[0]
    suite = """
        [suites.speaker]
        title = "Turns"
        task = "harness.tasks.classification:Classification"
        datasets = ["even", "some", "steep"]
        curve = "act_imbalance"
        models = ["tiny"]
        losses = ["softmax"]
        profiles.quick = { recipe = "short" }
    """

    def listed(*levels: float) -> list[str]:
        own = "".join(
            f"[datasets.{name}]\nadapter = 'harness.data.corpora.open_dialogue:OpenDialogue'\n"
            f"licence = 'CC0-1.0'\nact_imbalance = {level}\n"
            for name, level in zip(("even", "some", "steep"), levels, strict=True)
        )
        benchmark.write_text(head + own + suite)
        assert check(folder)
        build(folder)
        assert check(folder) == []
        return re.findall(r"(?m)^## (.*)$", (folder / "speaker.md").read_text())

    assert listed(1.0, 50.0, 869.0)[0].endswith("EER over act imbalance")
    site = (folder / "site" / "speaker.html").read_text()
    assert site.index('class="curve"') < site.index('class="board"')
    assert "even (1), some (50), steep (869)" in site
    listed(1.0, 50.0, 100.0)
    assert "even (1), some (50), steep (100)" in (folder / "speaker.md").read_text()
    assert len(list(folder.glob("plots/speaker/quick/act_imbalance-curve-*.svg"))) == 1


def test_no_records_give_an_index_that_says_so():
    assert "No records yet." in render({}).texts["README.md"]


def test_what_was_built_passes_and_is_not_built_again(folder):
    assert check(folder) == []
    assert build(folder) == []


def test_an_edited_page_is_found_with_its_line(folder):
    page = folder / "speaker.md"
    page.write_text(page.read_text().replace("# Speaker", "# Best speaker", 1))
    assert check(folder) == [
        "speaker.md: line 1 is '# Best speaker verification'; "
        "the records give '# Speaker verification'; restore a record that was edited, "
        "else `harness board build`"
    ]


def test_a_missing_page_and_a_stale_one_are_found(folder):
    (folder / "speaker.md").rename(folder / "voices.md")
    assert [line.split(";")[0] for line in check(folder)] == [
        "speaker.md: missing",
        "voices.md: stale, no record gives it",
    ]


def the_plot(folder: Path) -> Path:
    (path,) = folder.rglob("*.svg")
    return path


def test_a_page_shows_its_picture(folder):
    name = the_plot(folder).relative_to(folder).as_posix()
    assert name.startswith("plots/speaker/quick/open-26666-efficiency-")
    assert f"]({name})" in (folder / "speaker.md").read_text()


def test_a_missing_picture_and_a_stale_one_are_found_and_mended(folder):
    path = the_plot(folder)
    stale = path.with_name("other.svg")
    path.rename(stale)
    name, other = (each.relative_to(folder).as_posix() for each in (path, stale))
    assert check(folder) == [
        f"{name}: missing; `harness board build` draws it",
        f"{other}: stale, no record gives it; delete it",
    ]
    assert build(folder) == [path]
    assert not stale.exists()
    assert check(folder) == []


def test_a_picture_of_other_data_is_found_and_mended(folder):
    path = the_plot(folder)
    path.write_text(path.read_text().replace("campplus", "camper"))
    name = path.relative_to(folder).as_posix()
    assert check(folder) == [
        f"{name}: other data than the records give; `harness board build` draws it"
    ]
    assert build(folder) == [path]
    assert check(folder) == []


def test_a_picture_drawn_by_another_version_of_a_library_is_named_and_left_alone(folder):
    path = the_plot(folder)
    text = path.read_text()
    redrawn = text.replace("Matplotlib v", "Matplotlib v9.").replace(
        "stroke-width: 1.2", "stroke-width: 1.3"
    )
    path.write_text(redrawn)
    assert redrawn != text
    (line,) = check(folder)
    assert "not drawn as Matplotlib" in line
    assert build(folder) == []


def test_swapped_scores_are_found(folder):
    first_scores(folder).write_bytes(SCORES.upper())  # of the same size
    (line,) = check(folder)
    assert line.startswith(first_scores(folder).relative_to(folder).as_posix())
    assert f"its record says {sha256(SCORES)[:12]}" in line


def test_missing_scores_and_scores_without_a_record_are_found(folder):
    first_scores(folder).rename(folder / "records" / "lost.scores.npz")
    found = check(folder)
    assert any("missing; its record is published with its scores" in line for line in found)
    assert any("lost.scores.npz: stale" in line for line in found)
    # What nobody can check any more has no rank.
    assert any(line.startswith("speaker.md: line") for line in found)


def test_a_record_in_anothers_place_is_found(folder):
    path = next(path for path in folder.rglob("eres2net*.json"))
    path.rename(path.with_name("better.json"))
    assert any("better.json: what it says belongs at" in line for line in check(folder))


def test_a_file_that_is_no_record_is_named(folder):
    (folder / "records" / "x.json").write_text("{}")
    assert len(check(folder)) == 1
    assert "x.json: record schema None" in check(folder)[0]


def attested(path: Path, key: Path | None = None, **changes: Any) -> Path:
    """Write an attestation beside a record, with scores and the signature of a key."""
    fields: dict[str, Any] = {
        "record": sha256_file(path),
        "metric": "eer",
        "recorded": 0.05,
        "reproduced": 0.051,
        "low": 0.04,
        "high": 0.06,
        "rule": "seeds",
        "told": "the spread of three seeds",
        "code": "0123abc",
        "finished": "2026-01-03T03:04:05Z",
    }
    return bring(path, Attestation(**fields | changes), SCORES, key)


def trusts(folder: Path) -> dict[str, str]:
    """The trust of each row, as its document tells it."""
    (table,) = json.loads((folder / "speaker.json").read_text())["tables"]
    return {row["entry"]: row["trust"] for row in table["rows"] if row["state"] == "done"}


def record_of(folder: Path, name: str) -> Path:
    return next(path for path in record_files(folder) if path.name.startswith(name))


@needs_keys
def test_scores_alone_make_rows_rescored_and_a_signature_measured(folder, tmp_path_factory):
    assert set(trusts(folder).values()) == {"rescored"}
    text = (folder / "speaker.md").read_text()
    assert "Not signed, so that memory, speed and time are as whoever brought them says" in text
    key = make_key(tmp_path_factory.mktemp("key"))
    sign_records(record_files(folder), key)
    assert "signed by a key that the file 'signers' does not list" in check(folder)[0]
    list_key(folder, key)
    build(folder)
    assert check(folder) == []
    assert set(trusts(folder).values()) == {"measured"}
    assert "Not signed" not in (folder / "speaker.md").read_text()


@needs_keys
def test_a_record_made_again_is_reproduced(signed, another):
    assert set(trusts(signed).values()) == {"measured"}
    path = record_of(signed, "campplus-")
    before = path.read_bytes()
    beside = attested(path, another, recorded=0.0536)
    build(signed)
    assert [entry for entry, trust in trusts(signed).items() if trust == "reproduced"] == [
        "campplus + aam"
    ]
    assert path.read_bytes() == before
    assert check(signed) == []
    for companion in (scores_path, signature_path):  # Without either it lifts nothing.
        file = beside.with_name(companion(beside.name))
        content = file.read_bytes()
        file.unlink()
        build(signed)
        assert "reproduced" not in trusts(signed).values()
        file.write_bytes(content)


@needs_keys
def test_a_row_is_reproduced_where_each_of_its_seeds_was(signed, another):
    attested(record_of(signed, "ecapa-512-aam-seed0"), another)
    build(signed)
    assert trusts(signed)["ecapa-512 + aam"] == "measured"
    attested(record_of(signed, "ecapa-512-aam-seed1"), another)
    build(signed)
    assert trusts(signed)["ecapa-512 + aam"] == "reproduced"


@needs_keys
def test_an_attestation_of_other_bytes_attests_nothing(signed, another):
    attested(record_of(signed, "campplus-"), another, record="f" * 64)
    build(signed)
    assert set(trusts(signed).values()) == {"measured"}


def test_a_claim_that_somebody_attests_stays_a_claim(tmp_path, make):
    publish_with_scores(tmp_path, make())
    attested(publish_with_scores(tmp_path, make("other", value=0.001, trust="claimed")))
    build(tmp_path)
    assert trusts(tmp_path) == {"ecapa-512 + aam": "rescored", "other + aam ‡": "claimed"}


def test_claims_stand_apart_without_a_rank(make):
    rows = [make("a", value=0.05), make("bb", value=0.2), make("ccc", value=0.1)]
    claims = [make("claim", value=0.001, trust="claimed"), make("late", trust="claimed", value=0.9)]
    failed = make("broken", state="failed", reason="loss became NaN", metrics={})
    (with_claims,) = tables(FiledRecord(record) for record in [*claims, failed, *rows])
    (without,) = tables(FiledRecord(record) for record in rows)
    names = [row.first.model.name for row in with_claims.rows]
    assert names == ["a", "ccc", "bb", "claim", "late", "broken"]
    assert with_claims.ranking.ranks == (*without.ranking.ranks, None, None, None)
    assert with_claims.ranking.visible == without.ranking.visible
    for efficiency in efficiencies(with_claims):
        assert {"claim + aam ‡", "late + aam ‡"} & set(efficiency.entries) == set()


def test_a_claim_without_units_does_not_blank_the_ranks_of_others(make):
    rows = [make("a", value=0.05), make("bb", value=0.2)]
    claim = make("claim", trust="claimed", left_one_out={})
    (table,) = tables(FiledRecord(record) for record in [claim, *rows])
    assert table.ranking.ranks == (1, 2, None)


def test_files_beside_records_are_no_records(folder):
    found = record_files(folder)
    path = found[0]
    for name in (".attestation-0123456789ab.json", ".details.json", ".scores.npz"):
        path.with_name(path.stem + name).write_text("{}")
    assert record_files(folder) == found


def test_a_record_is_read_as_the_careful_reader_reads_it():
    """Published records, of whatever schema."""
    published = ROOT / "leaderboards"
    found, _ = read_folder(published)
    assert len(found) > 40
    for path, record in found.items():
        trust = {"trust": record.trust}  # which files beside it decide
        assert record == read_record(published / path).model_copy(update=trust)


def spoilt(folder: Path, model: str, part: str, spelled: str) -> str:
    """Write another number into a record's error rate; gives the record's path."""
    (path,) = (folder / "records").rglob(f"{model}-*seed0-*.json")
    text = path.read_text()
    assert text.count(f'"{part}": ') >= 2
    document = json.loads(text)
    document["metrics"]["eer"][part] = json.loads(spelled)
    path.write_text(json.dumps(document))
    return path.relative_to(folder).as_posix()


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("part", ["value", "low", "high"])
@pytest.mark.parametrize("spelled", ["1.2", "-0.01"])
def test_a_rate_that_is_no_fraction_is_refused_with_its_record(folder, part, spelled):
    path = spoilt(folder, "campplus", part, spelled)
    before = contents(folder)
    with pytest.raises(RequestError) as error:
        build(folder)
    assert str(error.value).startswith(f"{folder / path}: metrics.eer.{part} is {spelled},")
    assert contents(folder) == before
    assert [line for line in check(folder) if "has to be" in line] == [str(error.value)]


@pytest.mark.parametrize("spelled", ["NaN", "Infinity", "1e999", "-1e999"])
def test_a_number_that_is_not_finite_is_refused_with_its_record(folder, spelled):
    path = spoilt(folder, "campplus", "value", spelled)
    before = contents(folder)
    with pytest.raises(RequestError) as error:
        build(folder)
    assert str(error.value).startswith(f"{folder / path}: ")
    assert contents(folder) == before
    assert str(error.value) in check(folder)


def test_every_record_that_cannot_be_used_is_named_at_once(folder, make, data):
    other = make(dataset=data(name="other"), value=1.5)
    write_record(folder / record_path(other), other)
    names = [spoilt(folder, "campplus", "value", "7"), spoilt(folder, "resnet34", "low", "-2")]
    moved = min((folder / "records").rglob("ecapa-512-*seed1-*.json"))
    moved.rename(moved.with_name("elsewhere.json"))
    with pytest.raises(RequestError) as error:
        build(folder)
    for name in (*names, record_path(other)):
        assert f"{folder / name}: metrics.eer." in str(error.value)
        assert any(line.startswith(f"{folder / name}: metrics.eer.") for line in check(folder))
    # What can be said of the others is said too.
    assert any("elsewhere.json: what it says belongs at" in line for line in check(folder))


def test_files_that_are_no_records_are_named_together(folder):
    for name in ("x.json", "y.json"):
        (folder / "records" / name).write_text("{}")
    with pytest.raises(RequestError) as error:
        build(folder)
    assert "x.json: record schema None" in str(error.value)
    assert "y.json: record schema None" in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "record schema None"),
        ("[1", "not JSON"),
        ('{"schema": 99}', "record schema 99"),
        ('{"schema": 2, "state": "done"}', "not a record"),
    ],
)
def test_what_is_no_record_is_refused_by_name(folder, content, said):
    (folder / "records" / "x.json").write_text(content)
    with pytest.raises(RequestError, match=said) as error:
        build(folder)
    assert "x.json" in str(error.value)


def test_one_family_at_a_time_gives_what_all_at_once_give(folder, make, protocol, data):
    for record in (make(protocol=protocol(version=2)), make(dataset=data(name="other"))):
        write_record(folder / record_path(record), record)
    build(folder)
    assert_built(folder)


def test_several_processes_give_what_one_gives(folder, make, data, monkeypatch):
    other = make(dataset=data(name="other"))
    write_record(folder / record_path(other), other)
    monkeypatch.setattr("harness.board.publishing.rendering.MANY", 1)
    build(folder)
    assert_built(folder)
