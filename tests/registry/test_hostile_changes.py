"""Changes that falsify what lies beside records, take names or copy scores, told by `admit`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.board.publishing.published_tables import build
from harness.board.record_paths import details_path, record_path, scores_path
from harness.errors import RequestError
from harness.records.details_schema import significant
from harness.records.documents import digest, readable_json, sha256_file
from harness.records.record import Artefact, RecordedComponent, Stage, Submission
from harness.records.record_files import read_record, write_record
from harness.registry.admission import Admission, admit
from harness.registry.check import check
from harness.run.job.results import load_scores, save_scores
from tests.board.published_copy import Copy, edit, make_copy

Document = dict[str, Any]
Logits = NDArray[np.float64]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy in which one record is new: nothing of it is in the commit."""
    copy = make_copy(tmp_path_factory.mktemp("template") / "repository")
    copy.make_new(copy.record("efficientnet-b2"))
    return copy


@pytest.fixture
def new(copy: Copy) -> Path:
    return copy.record("efficientnet-b2")


def admitted(copy: Copy) -> Admission:
    return admit(copy.folder, "HEAD", copy.loaded)


def a_tenth(document: Document) -> None:
    for breakdown in document["breakdowns"].values():
        for group in breakdown["groups"]:
            for metric in filter(None, group["metrics"].values()):
                metric.update(
                    {part: value and significant(0.1 * value) for part, value in metric.items()}
                )


def one_item_more(document: Document) -> None:
    next(iter(document["breakdowns"].values()))["groups"][0]["items"] += 1


def nothing(document: Document) -> None:
    document["breakdowns"] = {}


@pytest.mark.parametrize("change", [a_tenth, one_item_more, nothing])
@pytest.mark.parametrize("model", ["efficientnet-b0", "efficientnet-b2"])
def test_details_that_the_scores_do_not_give_are_refused(
    copy: Copy, model: str, change: Callable[[Document], None]
) -> None:
    details = Path(details_path(str(copy.record(model))))
    edit(details, change)
    build(copy.folder)
    assert check(copy.folder) == []  # which compares no scores
    found = admitted(copy).complaints
    assert found
    # A new record's details are judged with its numbers, a published one's by themselves.
    is_new = model == "efficientnet-b2"
    start = (
        f"{copy.name(copy.record(model))}: details.breakdowns"
        if is_new
        else f"{copy.name(details)}: not what its scores give: details.breakdowns"
    )
    assert found[0].startswith(start)


def test_details_in_a_last_digit_are_let_through_and_removed_ones_are_not(copy: Copy) -> None:
    published = Path(details_path(str(copy.record())))

    def last_digit(document: Document) -> None:
        group = next(iter(document["breakdowns"].values()))["groups"][0]
        metric = group["metrics"]["accuracy"]
        metric["value"] = float(f"{metric['value'] * (1 - 1e-6):.6g}")

    edit(published, last_digit)
    assert admitted(copy).complaints == ()
    published.unlink()
    (line,) = admitted(copy).complaints
    assert line.startswith(f"{copy.name(published)}: removed")


def test_details_of_a_published_record_whose_scores_went_are_refused(copy: Copy) -> None:
    published = copy.record()
    Path(scores_path(str(published))).unlink()
    edit(Path(details_path(str(published))), a_tenth)
    said = "\n".join(admitted(copy).complaints)
    assert "details.json: changed, and cannot be judged here (its scores are not beside it" in said


def named(place: str, name: object) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        *above, last = place.split(".")
        table = document
        for part in above:
            table = table[part]
        table[last] = name

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (named("model.name", "efficientnet\u200b-b2"), "model.name: one line of text"),
        (named("model.name", "еfficientnet-b0"), "model.name: its letters are of several"),
        (named("loss.name", "@everyone"), "loss.name: '@e' calls somebody"),
        (named("recipe_name", "https://a.example"), "recipe_name: 'https://' makes an address"),
        (named("protocol.suite_title", "see www.a.example"), "protocol.suite_title: 'www.' makes"),
        (named("dataset.source", "javascript:alert(1)"), "dataset.source: 'javascript:' makes"),
        (named("notes", ["\u202eevil"]), "notes.0: one line of text"),
        (named("model.name", "efficientnet b0"), "looks like, the name of 'efficientnet-b0 + so"),
        (named("model.name", "EFFICIENTNET-BO"), "looks like, the name of 'efficientnet-b0 + so"),
    ],
)
def test_a_name_that_acts_hides_or_is_anothers_is_refused(
    copy: Copy, new: Path, change: Callable[[Document], None], said: str
) -> None:
    edit(new, change)
    assert any(
        line.startswith(f"{copy.name(new)}: ") and said in line
        for line in admitted(copy).complaints
    )


def submitted(copy: Copy, name: str, change: Callable[[Logits], Logits], **told: str) -> str:
    """Write a submission whose logits are those of a published entry, changed; return its path."""
    source = copy.record()
    record, scores = read_record(source), load_scores(Path(scores_path(str(source))))
    file = copy.top / "scores.npz"
    save_scores(file, {"logits": change(scores["logits"].astype(np.float64))})
    inputs = {"stage": "evaluate", "name": name, **told}
    made = record.model_copy(
        update={
            "trust": "rescored",
            "track": "submitted",
            "model": RecordedComponent(name=name, adapter="elsewhere", version=1, fields={}),
            "loss": None,
            "seed": None,
            "stages": {"evaluate": Stage(key=digest(inputs), inputs=inputs)},
            "artefacts": {"scores": Artefact(sha256=sha256_file(file), bytes=file.stat().st_size)},
            "submission": Submission(made_from="scores", **told),
        }
    )
    place = copy.folder / record_path(made)
    write_record(place, made)
    shutil.move(file, scores_path(str(place)))
    return copy.name(place)


def swapped(logits: Logits) -> Logits:
    moved: Logits = np.exp(logits / np.abs(logits).max())
    moved[3], moved[4] = moved[4].copy(), moved[3].copy()
    return moved


def noisy(logits: Logits) -> Logits:
    deviation = float((logits - logits.mean(1, keepdims=True)).std())
    noise: Logits = np.random.default_rng(1).normal(size=logits.shape)
    return logits + 0.02 * deviation * noise


@pytest.mark.parametrize("change", [swapped, noisy])
def test_scores_close_to_a_published_entrys_are_told(
    copy: Copy, change: Callable[[Logits], Logits]
) -> None:
    name = submitted(copy, "Theirs", change)
    came = admitted(copy)
    (remark,) = came.remarks
    assert remark.startswith(
        f"{name}: its scores put things in nearly the order of efficientnet-b0"
    )
    assert not any("these are the scores" in line for line in came.complaints)


def test_the_scores_of_a_published_entry_are_refused(copy: Copy) -> None:
    name = submitted(copy, "Theirs", lambda logits: 2 * logits + 1)
    said = [line for line in admitted(copy).complaints if "these are the scores" in line]
    assert len(said) == 1
    assert said[0].startswith(f"{name}: these are the scores of efficientnet-b0 + softmax, seed 0")
    assert "but for scale and offset" in said[0]


def test_scores_made_of_decisions_are_told(copy: Copy) -> None:
    def hard(logits: Logits) -> Logits:
        decided: Logits = np.eye(logits.shape[1])[logits.argmax(1)]
        return decided

    name = submitted(copy, "Theirs", hard)
    assert f"{name}: its scores take two values alone, as labels or decisions do" in (
        admitted(copy).remarks
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("efficientnet-b0 + softmax", "'efficientnet-b0 + softmax' is, or looks like, this bench"),
        ("nearest class mean", "this benchmark's own 'nearest class mean'"),
        ("Nearest-class-mean", "this benchmark's own 'nearest class mean'"),
        ("ECAPA-5l2", "this benchmark's own 'ecapa-512'"),
    ],
)
def test_a_submission_takes_no_name_of_the_benchmark(copy: Copy, name: str, said: str) -> None:
    path = submitted(copy, name, noisy)
    assert any(line.startswith(f"{path}: ") and said in line for line in admitted(copy).complaints)


def test_a_submissions_name_is_its_submitters(copy: Copy) -> None:
    submitted(copy, "Theirs", noisy, submitter="A. Nother")
    copy.commit()
    other = submitted(copy, "Theirs", swapped, submitter="Somebody else")
    alike = submitted(copy, "THEIRS", swapped, submitter="A. Nother")
    said = admitted(copy).complaints
    for path in {other, alike}:
        assert any(line.startswith(f"{path}: ") and "the name of 'Theirs'" in line for line in said)


MALFORMED: dict[str, Callable[[str], str]] = {
    "nan": lambda text: text.replace('"value": 0.', '"value": NaN, "x": 0.', 1),
    "infinity": lambda text: text.replace('"value": 0.', '"value": Infinity, "x": 0.', 1),
    "negative": lambda text: text.replace('"value": 0.', '"value": -0.', 1),
    "large": lambda text: text.replace('"latency_p50": ', '"latency_p50": 1e308, "x": ', 1),
    "digits": lambda text: text.replace('"seed": 0', f'"seed": {"9" * 5_000}', 1),
    "deep": lambda text: text.replace('"fields": {', f'"fields": {{"a": {"[" * 40}{"]" * 40},', 1),
    "deeper": lambda text: "[" * 100_000,
    "twice": lambda text: text.replace('"seed": 0', '"seed": 1, "seed": 0', 1),
    "long": lambda text: text.replace('"reason": ""', f'"reason": "{"x" * 10_001}"', 1),
    "half": lambda text: text.replace('"reason": ""', r'"reason": "\ud800"', 1),
    "bytes": lambda text: text.replace('"reason": ""', '"reason": "\udcff"', 1),
    "table": lambda text: text.replace('"metrics": {', '"metrics": [], "x": {', 1),
}


def test_every_malformed_record_is_named_by_every_command(copy: Copy, new: Path) -> None:
    text = new.read_text()
    for name, change in MALFORMED.items():
        changed = change(text)
        assert changed != text, name
        place = new.with_name(f"malformed-{name}.json")
        place.write_bytes(changed.encode("utf-8", "surrogateescape"))
    place = Path(details_path(str(copy.record())))
    place.write_text(place.read_text().replace('"value": ', '"value": 1e308, "x": ', 1))
    with pytest.raises(RequestError) as refusal:
        build(copy.folder)
    came = admitted(copy)
    assert came.unreadable
    for said in (str(refusal.value), "\n".join(check(copy.folder)), "\n".join(came.complaints)):
        for name in MALFORMED:
            assert f"malformed-{name}.json" in said
        assert max(map(len, said.splitlines())) < 1_000
    for said in ("\n".join(check(copy.folder)), "\n".join(came.complaints)):
        assert place.name in said


def test_no_name_or_value_makes_a_line_of_its_own(copy: Copy, new: Path) -> None:
    """A log of a build obeys lines that begin with two colons, and a terminal escapes."""
    edit(new, named("dataset.title", "digits\n::error::by a value"))
    place = new.with_name("a\n::error::by a name\x1b[31m.json")
    place.write_text("{}")
    for said in (admitted(copy).complaints, check(copy.folder)):
        assert all(line.isprintable() for line in said)
        assert any("a\\n::error::by a name\\x1b[31m.json: " in line for line in said)
    place.unlink()
    assert any("digits\\n::error::by a value" in line for line in admitted(copy).complaints)


def test_an_edited_record_is_still_spelled_and_read(copy: Copy, new: Path) -> None:
    new.write_text(readable_json(json.loads(new.read_text())))
    assert admitted(copy).complaints == ()
