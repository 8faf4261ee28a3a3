"""What is submitted becomes a record of the same table as a run's."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest

from harness.board.publishing.local_records import latest_records, write_local
from harness.board.publishing.published_tables import record_files
from harness.board.standing.rows import FiledRecord as Row
from harness.board.standing.table import tables
from harness.datasets.lock import read_lock
from harness.errors import ConfigError, LockError, RequestError
from harness.records.documents import sha256_file
from harness.records.record_files import read_record
from harness.registry.check import check
from harness.registry.consistency import contradictions
from harness.registry.publication import publish
from harness.registry.verify_record import verify
from harness.run.job.results import load_scores
from harness.run.plan.jobs import plan_jobs
from harness.run.plan.request import listing_state
from harness.tasks.task import Side
from harness.tasks.verification import Verification
from tests.board.published_copy import git
from tests.registry.submit.conftest import Site

ALL = ("train", "validation", "test")
OF_TEST = {"eer", "min_dcf", "min_cllr"}
OF_VALIDATION = {"threshold", "miss_at_threshold", "false_alarm_at_threshold", "act_dcf", "cllr"}


def test_data_and_rules_are_those_that_a_run_would_record(site: Site) -> None:
    record = site.submit(scores=site.text(site.lines())).record
    source = listing_state(site.loaded, site.listing)
    baseline = plan_jobs(site.loaded, site.request, {"voices": source})[0]
    assert (record.protocol, record.dataset) == (baseline.protocol, baseline.dataset)
    assert record.dataset.pinned
    assert record.dataset.counts["test"]["trials"] == len(site.lines())


def test_scores_alone_give_what_test_alone_decides(site: Site) -> None:
    filed = site.submit(
        scores=site.text(site.lines()), submitter="A. Nother", source="x.org", system="a net"
    )
    record = filed.record
    assert (record.trust, record.track, record.loss, record.entry) == (
        "rescored", "submitted", None, "theirs",
    )  # fmt: skip
    assert record.metrics.keys() == OF_TEST
    assert len(record.left_one_out["eer"]) == 5
    assert any("nothing of the validation split was given" in note for note in record.notes)
    told = record.submission
    assert told is not None
    assert (told.submitter, told.source, told.system) == ("A. Nother", "x.org", "a net")
    assert told.files["scores"].sha256 == sha256_file(site.folder / "scores.txt")
    table = site.listing.split_trials("test")
    judged = Verification().judge(
        Verification().lists(site.listing, "test"),
        {"scores": np.array([float(line.split()[2]) for line in site.lines()], dtype=np.float32)},
    )
    assert len(table) == len(site.lines())
    assert record.metrics == judged.metrics
    assert record.left_one_out == judged.left_one_out


def test_the_record_is_found_as_any_other_and_verified(site: Site) -> None:
    filed = site.submit(scores=site.text(site.lines()))
    assert filed.path is not None
    assert filed.path.relative_to(site.runs).parts[:3] == ("own-quick", "voices", "theirs")
    assert read_record(filed.path) == filed.record
    assert list(latest_records(site.runs, ("own",), (), include_failed=False)) == [filed.path]
    written = write_local(site.runs, "own", "quick").read_text()
    assert "theirs" in written
    assert "scores made elsewhere, metrics computed from them" in written
    verdict = verify(site.loaded, filed.path, site.runs)
    assert (verdict.answer, verdict.reasons) == ("verified", ())
    assert contradictions(filed.record) == []


def test_lines_may_stand_in_any_order_and_be_packed(site: Site) -> None:
    first = site.submit(scores=site.text(site.lines()), check=True).record
    path = site.folder / "scores.gz"
    path.write_bytes(gzip.compress("\n".join(reversed(site.lines())).encode()))
    assert site.submit(scores=path, check=True).record.metrics == first.metrics


def test_a_check_writes_nothing(site: Site) -> None:
    scores = site.text(site.lines())
    before = {path: path.stat().st_mtime_ns for path in site.folder.rglob("*")}
    filed = site.submit(scores=scores, check=True)
    assert filed.path is None
    assert filed.record.metrics.keys() == OF_TEST
    assert {path: path.stat().st_mtime_ns for path in site.folder.rglob("*")} == before


def test_the_protocol_is_pinned_by_the_first_entry_and_held(site: Site) -> None:
    site.submit(scores=site.text(site.lines()))
    pinned = read_lock(site.folder / "benchmark.lock").protocols["own/quick/voices"]
    text = (site.folder / "benchmark.toml").read_text()
    changed = text.replace("protocol = 1\n", "protocol = 1\nparameters = { p_target = 0.05 }\n")
    (site.folder / "benchmark.toml").write_text(changed)
    for checked in (True, False):
        with pytest.raises(LockError, match="raise `protocol` of the suite"):
            site.submit(scores=site.text(site.lines(seed=1)), check=checked)
    assert read_lock(site.folder / "benchmark.lock").protocols["own/quick/voices"] == pinned


def test_validation_scores_decide_what_a_run_would_have_them_decide(site: Site) -> None:
    """Against the task itself, on cosines of embeddings."""
    task, listing = Verification(), site.listing
    arrays = site.embeddings("validation", "test")
    places = {name: row for row, name in enumerate(arrays["ids"])}

    def side(split: str) -> Side:
        lists = task.lists(listing, split)
        return Side(arrays["embeddings"][[places[name] for name in lists.items["id"]]], lists)

    wanted = task.score(side("validation"), side("test"), None)
    tuned = task.score(side("test"), side("validation"), None)["scores"]
    texts = {}
    for split, values in (("test", wanted["scores"]), ("validation", tuned)):
        table = listing.trial_tables[split].trials  # type: ignore[index]
        texts[split] = [
            f"{enrol}\t{test}\t{score!r}"
            for enrol, test, score in zip(
                table["enrol"], table["test"], values.astype(float).tolist(), strict=True
            )
        ]
    filed = site.submit(
        scores=site.text(texts["test"]),
        validation_scores=site.text(texts["validation"], "validation.txt"),
    )
    assert filed.path is not None
    stored = load_scores(filed.path.with_name("scores.npz"))
    assert stored.keys() == wanted.keys()
    for name, array in wanted.items():
        assert np.array_equal(stored[name], array), name
    assert filed.record.metrics.keys() == OF_TEST | OF_VALIDATION
    assert not any("validation split" in note for note in filed.record.notes)
    assert verify(site.loaded, filed.path, site.runs).answer == "verified"


@pytest.mark.parametrize(
    ("splits", "metrics"),
    [(("test",), OF_TEST), (("validation", "test"), OF_TEST | OF_VALIDATION)],
)
def test_embeddings_are_scored_as_a_run_scores_them(
    site: Site, splits: tuple[str, ...], metrics: set[str]
) -> None:
    arrays = site.embeddings(*splits)
    order = np.random.default_rng(3).permutation(len(arrays["ids"]))
    shuffled = {name: array[order] for name, array in arrays.items()}
    filed = site.submit(embeddings=site.npz(shuffled))
    assert filed.record.metrics.keys() == metrics
    assert filed.path is not None
    scores = load_scores(filed.path.with_name("scores.npz"))["scores"]
    places = {name: row for row, name in enumerate(arrays["ids"])}
    unit = arrays["embeddings"] / np.linalg.norm(arrays["embeddings"], axis=1, keepdims=True)
    table = site.listing.trial_tables["test"].trials
    cosines = [
        float(unit[places[enrol]] @ unit[places[test]])
        for enrol, test in zip(table["enrol"], table["test"], strict=True)
    ]
    assert scores == pytest.approx(cosines, abs=1e-6)
    assert verify(site.loaded, filed.path, site.runs).answer == "verified"


def test_a_cohort_is_of_the_training_embeddings(site: Site) -> None:
    text = (site.folder / "benchmark.toml").read_text()
    normed = 'protocol = 1\nparameters = { scoring = "s-norm" }\n'
    (site.folder / "benchmark.toml").write_text(text.replace("protocol = 1\n", normed, 1))
    with pytest.raises(RequestError, match="scores against the training split"):
        site.submit(embeddings=site.npz(site.embeddings("validation", "test")))
    filed = site.submit(embeddings=site.npz(site.embeddings(*ALL)))
    assert filed.record.protocol.parameters["scoring"] == "s-norm"
    assert filed.path is not None
    scores = load_scores(filed.path.with_name("scores.npz"))["scores"]
    assert np.abs(scores).max() > 1  # standard deviations, no cosines


def test_classes_are_told_by_logits(words: Site) -> None:
    items = words.listing.split_items("test")
    classes = np.array(words.listing.classes)
    truth = np.searchsorted(classes, items["label"])
    logits = np.random.default_rng(0).normal(size=(len(items), len(classes)))
    logits[np.arange(len(items)), truth] += 1
    accuracy = float(np.mean(logits.argmax(1) == truth))
    plain = {"ids": items["id"].to_numpy(str), "logits": logits}
    filed = words.submit(scores=words.npz(plain))
    assert filed.record.metrics["accuracy"].value == accuracy
    assert filed.path is not None
    assert verify(words.loaded, filed.path, words.runs).answer == "verified"
    # Other columns and rows of the same are the same, and so refused.
    turned = {"ids": plain["ids"][::-1], "scores": logits[::-1, ::-1], "classes": classes[::-1]}
    with pytest.raises(RequestError, match="these are the scores of theirs"):
        words.submit(scores=words.npz(turned), name="again")


def test_a_claim_is_told_as_one_and_holds_nothing_else(site: Site) -> None:
    filed = site.submit(claims=("eer=1.23%", "min_dcf=0.2"), source="Some paper, table 3")
    record = filed.record
    assert (record.trust, record.left_one_out, record.artefacts) == ("claimed", {}, {})
    assert {name: metric.value for name, metric in record.metrics.items()} == {
        "eer": pytest.approx(0.0123), "min_dcf": 0.2,
    }  # fmt: skip
    assert all(metric.low is None for metric in record.metrics.values())
    assert record.submission is not None
    assert (record.submission.made_from, record.submission.files) == ("claim", {})
    assert filed.path is not None
    assert not (filed.path.parent / "scores.npz").exists()
    assert verify(site.loaded, filed.path, site.runs).answer == "not verifiable here"
    assert contradictions(record) == []


def test_a_claim_and_a_measurement_of_one_name_are_two_rows(site: Site) -> None:
    site.submit(claims=("eer=0.01",), source="a paper")
    site.submit(scores=site.text(site.lines()))
    paths = sorted(site.runs.glob("*/*/*/*/record.json"))
    (table,) = tables([Row(read_record(path), str(path)) for path in paths])
    assert sorted(row.first.trust for row in table.rows) == ["claimed", "rescored"]


def test_looks_at_the_test_set_are_counted(site: Site) -> None:
    first = site.submit(scores=site.text(site.lines())).record
    second = site.submit(scores=site.text(site.lines(seed=1))).record
    assert (first.test_looks, first.searched) == (1, 1)
    assert (second.test_looks, second.searched) == (2, 2)


def test_what_is_not_pinned_is_refused(site: Site) -> None:
    (site.folder / "benchmark.lock").unlink()
    with pytest.raises(RequestError, match=r"not pinned in benchmark\.lock.*harness data check"):
        site.submit(scores=site.text(site.lines()))


@pytest.mark.parametrize(
    ("entry", "given", "message"),
    [
        ({"name": ""}, {"claims": ("eer=0.1",), "source": "x"}, "--name: give 1 to 100"),
        ({"name": "a\nb"}, {"claims": ("eer=0.1",), "source": "x"}, "--name 'a.nb': one line"),
        ({"name": "\u202eevil"}, {"claims": ("eer=0.1",), "source": "x"}, "one line of text"),
        ({}, {}, "give one of --scores, --embeddings and --claim"),
        ({}, {"claims": ("eer=0.1",)}, "a claim needs --source"),
    ],
)
def test_what_does_not_go_together_is_refused(
    site: Site, entry: dict[str, Any], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        site.submit(**entry, **given)


def test_an_unknown_dataset_is_refused(site: Site) -> None:
    with pytest.raises(ConfigError, match="has no dataset 'nobody'"):
        Site(site.folder, "own", "nobody").submit(claims=("eer=0.1",), source="x")


def test_a_name_is_shown_as_text(site: Site) -> None:
    site.submit(scores=site.text(site.lines()), name="<script>alert(1)</script>")
    write_local(site.runs, "own", "quick")
    document = json.loads((site.runs / "own-quick.json").read_text())
    assert document["tables"][0]["rows"][0]["model"] == "<script>alert(1)</script>"
    assert "<script>" not in (site.runs / "own-quick.md").read_text()


def test_a_submission_is_published_as_any_other_record(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.run.plan.protocol.code_version", lambda: "a" * 40)
    text = (site.folder / "benchmark.toml").read_text()
    allowed = 'licence = "CC0-1.0"\npublish_scores = true\n'
    (site.folder / "benchmark.toml").write_text(text.replace('licence = "CC0-1.0"\n', allowed, 1))
    site.submit(scores=site.text(site.lines()), submitter="A. Nother")
    site.submit(claims=("eer=0.02",), source="a paper", name="another")
    git(site.folder, "init", "--quiet")
    (site.folder / ".gitignore").write_text("runs/\n__pycache__/\n*.lock.lock\n")
    git(site.folder, "add", "--all")
    git(site.folder, "commit", "--quiet", "-m", "Submitted")
    folder = site.folder / "leaderboards"
    chosen = latest_records(site.runs, (), (), include_failed=False)
    publish(chosen, folder, site.folder)
    assert check(folder) == []
    records = {read_record(path).trust: path for path in record_files(folder)}
    assert records.keys() == {"rescored", "claimed"}
    assert verify(site.loaded, records["rescored"], site.runs).answer == "verified"
    with pytest.raises(RequestError, match="these are the scores of theirs"):
        site.submit(scores=site.text(site.lines()), name="mine")
    page = (folder / "own.md").read_text()
    assert "A. Nother" in page
    assert "a paper" in page
