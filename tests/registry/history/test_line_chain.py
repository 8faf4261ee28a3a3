"""A history on disk: appended to, idempotent, and any edit found."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.errors import RequestError
from harness.records.documents import sha256
from harness.records.record import Artefact
from harness.records.record_files import write_record
from harness.registry.history.line import line_of
from harness.registry.history.line_chain import add, history_files, read_history
from harness.registry.history.night_page import PAGE, build, check_history
from tests.registry.history.conftest import Nightly, day, lines_of, night_of, real_record


@pytest.fixture
def history(folder: Path, nightly: Nightly) -> Path:
    """Three nights of one entry, and their page."""
    for number in range(3):
        nightly(number, night_of(real_record(), number, training_per_second=70.0 + number))
    build(folder)
    (path,) = history_files(folder)
    return path


def test_a_line_holds_what_its_record_says(folder: Path, history: Path) -> None:
    first = lines_of(folder)[0]
    record = real_record()
    place = history.relative_to(folder).as_posix()
    assert place == "history/image/quick/digits/efficientnet-b0-softmax-image-quick-0b35e55f.jsonl"
    assert (first.night, first.state, first.code) == (day(0), "done", record.code)
    assert first.quality == record.metrics["accuracy"]
    assert first.latency_p50 == record.resources.latency_p50
    assert record.resources.training_memory is not None
    assert first.training_memory == record.resources.training_memory.bytes
    assert [line.training_per_second for line in lines_of(folder)] == [70.0, 71.0, 72.0]


def test_each_line_holds_the_hash_of_the_one_before(folder: Path, history: Path) -> None:
    texts = history.read_text().splitlines()
    told = [json.loads(text)["previous"] for text in texts]
    assert told == ["", sha256(texts[0].encode()), sha256(texts[1].encode())]
    assert check_history(folder) == []


def test_adding_the_same_records_again_changes_no_byte(
    tmp_path: Path, folder: Path, history: Path
) -> None:
    before = history.read_bytes()
    again = add(tmp_path / "runs-1", folder)
    assert (again.lines, again.known) == ((), 1)
    assert history.read_bytes() == before


def test_what_was_there_stays_as_it_was(folder: Path, history: Path, nightly: Nightly) -> None:
    before = history.read_bytes()
    nightly(3, night_of(real_record(), 3))
    assert history.read_bytes().startswith(before)
    assert len(lines_of(folder)) == 4


def test_a_night_can_be_given_for_a_run_over_midnight(tmp_path: Path, folder: Path) -> None:
    for index, name in enumerate(["efficientnet-b0", "efficientnet-b1"]):
        record = night_of(real_record(name), 5 + index)
        write_record(tmp_path / "runs" / "a" / "b" / "c" / name / "record.json", record)
    add(tmp_path / "runs", folder, day(5))
    assert {line.night for line in lines_of(folder)} == {day(5)}


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "line 2 does not follow: the line before it was edited"),
        (2, "line 3 does not follow: the line before it was edited"),
    ],
)
def test_an_edited_line_is_found_by_the_next(
    folder: Path, history: Path, number: int, said: str
) -> None:
    texts = history.read_text().splitlines()
    texts[number - 1] = texts[number - 1].replace(f"{69.0 + number}", "99.0")
    history.write_text("\n".join(texts) + "\n")
    (complaint,) = check_history(folder)
    assert complaint.startswith(history.relative_to(folder).as_posix())
    assert said in complaint


def test_an_edited_last_line_is_found_by_the_page(folder: Path, history: Path) -> None:
    history.write_text(
        history.read_text().replace('"training_per_second":72.0', '"training_per_second":72.01')
    )
    assert check_history(folder) == [
        f"{PAGE}: is not what its files give; `harness history build` writes it"
    ]


def test_a_removed_first_line_a_repeated_one_and_a_cut_end_are_found(
    folder: Path, history: Path
) -> None:
    texts = history.read_text().splitlines()
    history.write_text("\n".join(texts[1:]) + "\n")
    assert "line 1 does not follow: the lines before it are missing" in check_history(folder)[0]
    history.write_text("\n".join([*texts, texts[-1]]) + "\n")
    assert any("line 4 repeats the record of line 3" in line for line in check_history(folder))
    history.write_text("\n".join(texts))
    assert "its last line has no end" in check_history(folder)[0]


def test_spacing_unknown_keys_and_other_places_are_found(folder: Path, history: Path) -> None:
    text = history.read_text()
    history.write_text(text.replace('"seed":0', '"seed": 0', 1))
    assert any("line 1 is not spelled as it was written" in each for each in check_history(folder))
    history.write_text(text.replace('"seed":0', '"seat":1,"seed":0', 1))
    assert any("line 1: not a line of a history: seat" in each for each in check_history(folder))
    history.write_text(text)
    history.rename(history.with_name("elsewhere.jsonl"))
    assert all("elsewhere.jsonl: line" in each for each in check_history(folder)[:3])


def test_nothing_is_added_to_an_edited_history(
    folder: Path, history: Path, nightly: Nightly
) -> None:
    history.write_text(
        history.read_text().replace('"training_per_second":70.0', '"training_per_second":90.0')
    )
    with pytest.raises(RequestError, match=r"softmax.*line 2 does not follow"):
        nightly(4, night_of(real_record(), 4))
    assert len(history.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": "0123abc+dirty"}, "made by code that is in no commit"),
        ({"trust": "claimed"}, "its trust is 'claimed'"),
    ],
)
def test_what_was_not_measured_here_by_known_code_is_refused(
    tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    record = real_record().model_copy(update=changes)
    with pytest.raises(RequestError, match=re.escape(said)):
        line_of(record, b"", None, tmp_path / "record.json")


def test_speeds_of_a_disturbed_night_are_left_out_and_memory_is_not(tmp_path: Path) -> None:
    record = night_of(real_record(), 0, measuring_cpu_wait=0.3)
    line = line_of(record, b"", None, tmp_path / "record.json")
    assert (line.training_per_second, line.inference_per_second, line.latency_p50) == (None,) * 3
    assert line.disturbed == "something else ran beside: 30% of the time had no processor"
    assert line.training_memory is not None


def test_figures_of_a_throttled_gpu_are_left_out_and_the_others_are_not(tmp_path: Path) -> None:
    slow = "slowed by heat, to 1,200 of 1,980 MHz"
    figures = dict.fromkeys(("training_per_second", "joules_per_item"), slow)
    record = night_of(real_record(), 0, joules_per_item=2.0, gpu_disturbed=figures)
    line = line_of(record, b"", None, tmp_path / "record.json")
    assert (line.training_per_second, line.costs.get("joules_per_item")) == (None, None)
    assert None not in (line.inference_per_second, line.latency_p50, line.training_memory)
    assert line.disturbed == f"its GPU was {slow}"
    both = night_of(record, 0, measuring_cpu_wait=0.3)
    line = line_of(both, b"", None, tmp_path / "record.json")
    assert line.latency_p50 is None
    assert line.disturbed.endswith(f"had no processor; its GPU was {slow}")


def test_a_record_of_before_its_end_was_told_takes_the_day_of_its_last_stage(
    tmp_path: Path,
) -> None:
    record = real_record().model_copy(update={"finished": ""})
    ends = [stage.finished or "" for stage in record.stages.values()]
    assert line_of(record, b"", None, tmp_path / "record.json").night == max(ends)[:10]


def test_other_contents_are_other_configurations(tmp_path: Path) -> None:
    record = real_record()

    def configuration(**changes: object) -> str:
        changed = record.model_copy(update=changes)
        return line_of(changed, b"", None, tmp_path / "record.json").configuration

    model = record.model.model_copy(update={"version": 2})
    data = record.dataset.model_copy(update={"lock": "0" * 64})
    recipe = {**(record.recipe or {}), "steps": 121}
    found = [
        configuration(),
        configuration(model=model),
        configuration(dataset=data),
        configuration(recipe=recipe),
    ]
    assert len(set(found)) == 4
    others = {"scores": Artefact(sha256="1" * 64, bytes=1)}
    assert configuration(seed=5, code="1" * 40, artefacts=others) == found[0]


def test_a_folder_without_records_and_files_that_are_no_history_are_named(
    tmp_path: Path, folder: Path
) -> None:
    with pytest.raises(RequestError, match="holds no record; run a suite first"):
        add(tmp_path, folder)
    path = folder / "history" / "a.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("{}\n")
    with pytest.raises(RequestError, match=r"a\.jsonl: line 1: not a line of a history"):
        read_history(folder)
    path.write_bytes(b"\xff\n")
    with pytest.raises(RequestError, match=r"a\.jsonl: not text"):
        read_history(folder)
