"""Miniature CN-Celeb and VoxCeleb from their files to a table: prepared, run, scored."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cli import main
from harness.config.loader import LoadedBenchmark, load
from harness.datasets.dataset import OpenDataset, open_dataset
from harness.datasets.listing import list_dataset
from harness.datasets.lock import read_lock
from harness.run.job.results import SCORES, load_scores
from harness.tasks.plain import standardised_features
from harness.tasks.task import Side
from harness.tasks.verification import Verification
from tests.data.miniature import MiniatureCnCeleb, write_cnceleb, write_voxceleb
from tests.tiny import MODELS, Finished, TinyBenchmark

BENCHMARK = """
[datasets.average]
adapter = "harness.data.corpora.cnceleb:CnCeleb"
path = "cnceleb"
licence = "free for research"
join_seconds = 2.0
split = { validation = 4 }
draw_trials = { count = 60, targets = 0.5, cross_session = 0.8 }

[datasets.average.published]
source = "its makers"
counts."train+validation" = { units = 12, items = 72 }
counts.test = { trials = 120, targets = 24 }

[datasets.concatenate]
of = "average"
enrolment = "concatenate"
split = { validation = 4 }
draw_trials = { count = 60 }

[datasets.frozen]
of = "average"
frozen = "splits/frozen.tsv"
freeze = { count = 60, validation = 3 }
draw_trials = { count = 30 }

[datasets.vox]
adapter = "harness.data.corpora.voxceleb:VoxCeleb"
path = "voxceleb"
licence = "CC-BY-4.0"
trial_list = "H-cleaned"
split = { validation = 3 }
draw_trials = { count = 40, same_gender = 0.5 }

[models.tiny]
adapter = "tiny_models:Tiny"

[losses.aam]
adapter = "adapters.losses:AamSoftmax"

[recipes.short]
batch = 8
crop_seconds = 0.5
steps = 12
optimizer = { name = "adamw", lr = 1e-2 }

[suites.own]
title = "Our own suite"
task = "harness.tasks.verification:Verification"
datasets = ["average", "concatenate", "frozen", "vox"]
models = ["tiny"]
losses = ["aam"]
profiles.quick = { recipe = "short" }
"""

RUN = ("run", "--suite", "own", "--device", "cpu", "--json")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> tuple[TinyBenchmark, MiniatureCnCeleb]:
    """Both corpora beside a benchmark file."""
    folder = tmp_path_factory.mktemp("corpora") / "own"
    written = write_cnceleb(folder / "cnceleb")
    write_voxceleb(folder / "voxceleb")
    (folder / "benchmark.toml").write_text(BENCHMARK)
    (folder / "tiny_models.py").write_text(MODELS)
    return TinyBenchmark(folder), written


@pytest.fixture(scope="module")
def prepared(
    corpora: tuple[TinyBenchmark, MiniatureCnCeleb],
) -> tuple[Finished, Path, os.stat_result]:
    """The end of `data prepare vox` before anything was run, the pack's values and their state."""
    tiny = corpora[0]
    done = tiny.run("data", "prepare", "vox", "--json")
    assert done.status == 0, done.err
    assert read_lock(tiny.folder / "benchmark.lock").datasets.keys() == {"vox/quick"}
    (pack,) = [each for each in (tiny.runs / "cache").iterdir() if each.is_dir()]
    return done, pack / "values", (pack / "values").stat()


@pytest.fixture(scope="module")
def ran(
    corpora: tuple[TinyBenchmark, MiniatureCnCeleb],
    prepared: tuple[Finished, Path, os.stat_result],
) -> dict[str, Any]:
    """The document of a run of all that is here; `frozen` has no list yet."""
    done = corpora[0].run(*RUN)
    assert done.status == 0, done.err
    assert "absent: frozen: looked for" not in done.out
    return dict(done.json)


def record(tiny: TinyBenchmark, dataset: str) -> dict[str, Any]:
    (path,) = tiny.runs.glob(f"own-quick/{dataset}/tiny+aam+*/seed0-*/record.json")
    return dict(json.loads(path.read_text()))


def test_prepare_tells_what_was_found_and_run_needs_no_more(
    corpora: tuple[TinyBenchmark, MiniatureCnCeleb],
    prepared: tuple[Finished, Path, os.stat_result],
    ran: dict[str, Any],
) -> None:
    done, values, before = prepared
    assert done.json["counts"]["train"] == {"units": 5, "items": 30}
    assert done.json["counts"]["test"]["units"] == 4
    assert done.json["damaged"] == []
    assert record(corpora[0], "vox")["state"] == "done"
    after = values.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_every_corpus_that_is_here_gets_its_table(ran: dict[str, Any]) -> None:
    assert {each["dataset"]["name"] for each in ran["tables"]} == {"average", "concatenate", "vox"}
    for each in ran["tables"]:
        assert {row["state"] for row in each["rows"]} == {"done"}
    assert [each["dataset"] for each in ran["absent"]] == ["frozen"]


def test_counts_are_those_of_the_lists(
    corpora: tuple[TinyBenchmark, MiniatureCnCeleb], ran: dict[str, Any]
) -> None:
    counts = record(corpora[0], "average")["dataset"]["counts"]
    written = corpora[1]
    assert counts["test"]["trials"] == len(written.trials) == 120
    assert counts["test"]["targets"] == sum(target for *_, target in written.trials)
    assert counts["validation"] == {"units": 4, "items": 24, "trials": 60, "targets": 30}


def opened(loaded: LoadedBenchmark, dataset: str, runs: Path) -> OpenDataset:
    return open_dataset(loaded, list_dataset(loaded, dataset, "quick"), runs / "cache")


def plain_scores(dataset: OpenDataset) -> tuple[dict[str, Any], np.ndarray]:
    """Features of every test item by its id, and the scores that the task gives of them."""
    task, sides = Verification(resamples=10), {}
    for split in ("validation", "test"):
        outputs = standardised_features(dataset, split)
        sides[split] = Side(outputs, task.lists(dataset.listing, split))
    ids = dataset.listing.split_items("test")["id"]
    scores = task.score(sides["validation"], sides["test"], None)["scores"]
    return dict(zip(ids, sides["test"].outputs, strict=True)), np.asarray(scores)


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    return float(left @ right / np.linalg.norm(left) / np.linalg.norm(right))


def test_the_two_enrolment_rules_give_different_scores_and_each_the_right_one(
    corpora: tuple[TinyBenchmark, MiniatureCnCeleb], ran: dict[str, Any]
) -> None:
    tiny, written = corpora
    loaded, found = load(tiny.config), {}
    for rule in ("average", "concatenate"):
        of, found[rule] = plain_scores(opened(loaded, rule, tiny.runs))
        models = {
            model: np.mean([of[item] for item in items], axis=0, dtype=np.float64)
            if rule == "average"
            else of[f"enroll/{model}"].astype(float)
            for model, items in written.enrolment.items()
        }
        wanted = [cosine(models[model], of[f"test/{test}"]) for model, test, _ in written.trials]
        np.testing.assert_allclose(found[rule], wanted, atol=1e-5)
    assert abs(found["average"] - found["concatenate"]).max() > 0.01


@pytest.mark.parametrize(
    ("dataset", "trials", "of_line"),
    [
        ("average", "cnceleb/CN-Celeb_flac/eval/lists/trials.lst", slice(0, 2)),
        ("vox", "voxceleb/lists/list_test_hard2.txt", slice(1, 3)),
    ],
)
def test_score_gives_the_records_numbers_from_a_score_file(
    corpora: tuple[TinyBenchmark, MiniatureCnCeleb],
    ran: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    dataset: str,
    trials: str,
    of_line: slice,
) -> None:
    tiny, path = corpora[0], corpora[0].folder / trials
    made = record(tiny, dataset)
    scores = load_scores(tiny.stage(made, "evaluate") / SCORES)["scores"].tolist()
    pairs = [line.split()[of_line] for line in path.read_text().splitlines()]
    lines = [
        f"{enrol} {test} {score!r}\n" for (enrol, test), score in zip(pairs, scores, strict=True)
    ]
    (tmp_path / "scores.txt").write_text("".join(lines))
    words = ("score", "--trials", str(path), "--scores", str(tmp_path / "scores.txt"), "--json")
    monkeypatch.setattr("sys.argv", ["harness", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    found, counts = json.loads(capsys.readouterr().out), made["dataset"]["counts"]["test"]
    assert found["trials"]["target"] == counts["targets"]
    assert found["eer"]["value"] == pytest.approx(made["metrics"]["eer"]["value"])
    assert found["min_dcf"][0]["value"] == pytest.approx(made["metrics"]["min_dcf"]["value"])


def test_unpinned_until_somebody_checks_it_in_full(
    corpora: tuple[TinyBenchmark, MiniatureCnCeleb], ran: dict[str, Any]
) -> None:
    tiny = corpora[0]
    assert record(tiny, "average")["dataset"]["pinned"] is False
    assert "average/quick" not in read_lock(tiny.folder / "benchmark.lock").datasets
    assert "unpinned" in (tiny.runs / "own-quick.md").read_text()
    assert record(tiny, "concatenate")["dataset"]["pinned"] is True

    copy = tiny.copy(tiny.folder.parent / "pinned")
    checked = copy.run("data", "check", "average", "--full", "--json")
    assert checked.status == 0, checked.err
    assert checked.json["lock"] == "pinned now"
    assert "average/quick" in read_lock(copy.folder / "benchmark.lock").datasets
    again = copy.run(*RUN, "--dataset", "average")
    assert (again.status, again.json["ran"]) == (0, 0)


def test_counts_that_are_not_the_published_ones_are_refused(
    corpora: tuple[TinyBenchmark, MiniatureCnCeleb], ran: dict[str, Any]
) -> None:
    tiny = corpora[0].copy(corpora[0].folder.parent / "other")
    tiny.edit("targets = 24", "targets = 25")
    done = tiny.run(*RUN, "--dataset", "average")
    assert done.status == 2
    assert "25 targets are published, 24 are here" in done.err


@pytest.mark.long
def test_a_subset_is_frozen_by_its_declared_rule_and_run(
    corpora: tuple[TinyBenchmark, MiniatureCnCeleb], ran: dict[str, Any]
) -> None:
    tiny = corpora[0].copy(corpora[0].folder.parent / "freezing")
    refused = tiny.run(*RUN, "--dataset", "frozen")
    assert refused.status == 2
    assert "`harness data freeze frozen` makes the list" in refused.err
    words = tiny.command("data", "freeze", "frozen")[:-2]  # it has no runs folder
    frozen = subprocess.run(words, cwd=tiny.folder, check=False, capture_output=True, text=True)
    assert frozen.returncode == 0, frozen.stderr
    lines = (tiny.folder / "splits" / "frozen.tsv").read_text().splitlines()
    assert len(lines) == 61
    done = tiny.run(*RUN, "--dataset", "frozen")
    assert done.status == 0, done.err
    counts = record(tiny, "frozen")["dataset"]["counts"]
    assert sum(each["items"] for each in counts.values()) == 60
    assert [counts[split].get("trials") for split in ("validation", "test")] == [30, 30]
