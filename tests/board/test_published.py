"""Published files: a function of the records, and a check that says so."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from harness.board.check import check
from harness.board.names import record_path, scores_path
from harness.board.plots import holds_plot
from harness.board.published import build, read_published, render
from harness.records.canonical import sha256
from harness.records.record import Artefact, Record
from harness.records.store import write_record

SCORES = b"scores of a run"


@pytest.fixture
def folder(tmp_path: Path, several: list[Record]) -> Path:
    """A published folder with scores beside each record that has some."""
    named = {"scores": Artefact(sha256=sha256(SCORES), bytes=len(SCORES))}
    for record in several:
        kept = record.model_copy(update={"artefacts": named if record.state == "done" else {}})
        write_record(tmp_path / record_path(kept), kept)
        if kept.artefacts:
            (tmp_path / scores_path(record_path(kept))).write_bytes(SCORES)
    build(tmp_path)
    return tmp_path


def first_scores(folder: Path) -> Path:
    return min(folder.rglob("*.scores.npz"))


def test_shuffled_records_give_the_same_bytes(several):
    records = [(record_path(record), record) for record in several]
    orders = [random.Random(seed).sample(records, len(records)) for seed in range(5)]
    assert all(render(dict(order)) == render(dict(records)) for order in orders)


def test_records_read_back_give_what_records_in_hand_give(folder):
    records = read_published(folder)
    files = render(records)
    assert {name: (folder / name).read_text() for name in files.texts} == files.texts
    assert all(holds_plot(folder / name, data) for name, data in files.plots.items())


def test_each_suite_has_a_page_and_a_document(several, make, protocol):
    image = make(protocol=protocol(suite="image", suite_title="Images"))
    files = render({record_path(record): record for record in [*several, image]})
    assert sorted(files.texts) == [
        "README.md",
        "image.json",
        "image.md",
        "speaker.json",
        "speaker.md",
    ]
    assert "[Images](image.md)" in files.texts["README.md"]


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
        "the records give '# Speaker verification'"
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
    stale.unlink()
    assert build(folder) == [path]
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


def test_a_picture_drawn_by_another_version_of_a_library_is_left_alone(folder):
    path = the_plot(folder)
    text = path.read_text()
    redrawn = text.replace("Matplotlib v", "Matplotlib v9.").replace(
        "stroke-width: 1.2", "stroke-width: 1.3"
    )
    path.write_text(redrawn)
    assert redrawn != text
    assert check(folder) == []
    assert build(folder) == []


def test_swapped_scores_are_found(folder):
    first_scores(folder).write_bytes(b"other scores")
    (line,) = check(folder)
    assert line.startswith(first_scores(folder).relative_to(folder).as_posix())
    assert f"its record says {sha256(SCORES)[:12]}" in line


def test_missing_scores_and_scores_without_a_record_are_found(folder):
    first_scores(folder).rename(folder / "records" / "lost.scores.npz")
    missing, stale = check(folder)
    assert "missing" in missing
    assert "lost.scores.npz: stale" in stale


def test_a_record_in_anothers_place_is_found(folder):
    path = next(path for path in folder.rglob("eres2net*.json"))
    path.rename(path.with_name("better.json"))
    assert any("better.json: what it says belongs at" in line for line in check(folder))


def test_a_file_that_is_no_record_is_named(folder):
    (folder / "records" / "x.json").write_text("{}")
    assert len(check(folder)) == 1
    assert "x.json: record schema None" in check(folder)[0]
