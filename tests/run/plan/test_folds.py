"""Jobs of a dataset judged by folds: one dataset a fold, under the names of the whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from harness.config.loader import load
from harness.errors import ConfigError, CorpusAbsent
from harness.run.events import ignore
from harness.run.job.spec import JobSpec
from harness.run.plan.request import CheckpointEntry, RunRequest
from harness.run.session import evaluate_checkpoint, find_datasets
from tests.tiny import TinyBenchmark, make_tiny, planned_jobs

WHOLE = "split = { seed = 0, validation = 3, test = 5 }\ntrials = 200\n\n"
FOLDS = "split = { seed = 0, validation = 2, folds = 3 }\ntrials = 200\n\n"
NAMES = ["voices.1of3", "voices.2of3", "voices.3of3"]


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TinyBenchmark:
    monkeypatch.delenv("HARNESS_DATA", raising=False)
    made = make_tiny(tmp_path / "own")
    made.edit(WHOLE, FOLDS)
    return made


def request_of(tiny: TinyBenchmark, **changes: Any) -> RunRequest:
    plain = RunRequest(suite="own", profile="quick", runs=tiny.runs, device="cpu", threads=1)
    return dataclasses.replace(plain, **changes)


def jobs_of(tiny: TinyBenchmark, **changes: Any) -> list[JobSpec]:
    return planned_jobs(load(tiny.config), request_of(tiny, losses=("aam",), **changes))


def test_a_folded_dataset_stands_for_all_of_its_folds(tiny: TinyBenchmark) -> None:
    jobs = jobs_of(tiny)
    assert [job.dataset.name for job in jobs] == [name for name in NAMES for _ in range(2)]
    assert jobs == jobs_of(tiny, datasets=("voices",))
    assert len({job.digest for job in jobs}) == len({job.folder for job in jobs}) == 6


@pytest.mark.parametrize(
    ("asked", "names"),
    [(("voices.2of3",), ["voices.2of3"]), (("voices.3of3", "voices"), [NAMES[2], *NAMES[:2]])],
)
def test_one_fold_can_be_picked(
    tiny: TinyBenchmark, asked: tuple[str, ...], names: list[str]
) -> None:
    found = dict.fromkeys(job.dataset.name for job in jobs_of(tiny, datasets=asked))
    assert list(found) == names


def test_a_fold_of_no_dataset_of_the_suite_is_refused(tiny: TinyBenchmark) -> None:
    with pytest.raises(ConfigError, match=r"has no dataset 'voices\.4of3'; did you mean 'voices"):
        jobs_of(tiny, datasets=("voices.4of3",))


def test_folds_share_all_but_what_is_tested(tiny: TinyBenchmark) -> None:
    folds = [job.dataset.fold for job in jobs_of(tiny) if job.is_baseline]
    assert [fold and (fold.of, fold.index, fold.folds) for fold in folds] == [
        ("voices", 1, 3),
        ("voices", 2, 3),
        ("voices", 3, 3),
    ]
    assert len({(fold.lock, fold.protocol) for fold in folds if fold}) == 1
    protocols = {job.protocol.digest for job in jobs_of(tiny)}
    assert len(protocols) == 3


@pytest.mark.parametrize(
    ("old", "new", "data"),
    [
        ("validation = 2, folds", "validation = 3, folds", True),
        ("{ seed = 0, validation = 2, folds", "{ seed = 1, validation = 2, folds", True),
        ("folds = 3 }\ntrials = 200", "folds = 3 }\ntrials = 199", True),
        ("protocol = 1\ndatasets = [\"voices\"]",
         "protocol = 1\nparameters = { p_target = 0.05 }\ndatasets = [\"voices\"]", False),
    ],
)  # fmt: skip
def test_folds_of_other_rules_are_not_joined(
    tiny: TinyBenchmark, old: str, new: str, data: bool
) -> None:
    before = jobs_of(tiny)[0].dataset.fold
    tiny.edit(old, new)
    after = jobs_of(tiny)[0].dataset.fold
    assert before is not None
    assert after is not None
    assert (before.lock != after.lock) == data
    assert before.protocol != after.protocol


def test_a_dataset_judged_as_a_whole_has_no_fold(tiny: TinyBenchmark) -> None:
    tiny.edit(FOLDS, WHOLE)
    assert all(job.dataset.fold is None for job in jobs_of(tiny))
    assert "fold" not in jobs_of(tiny)[0].dataset.model_dump()


def test_overrides_and_exclusions_name_the_whole(tiny: TinyBenchmark) -> None:
    rules = (
        '\n[[suites.own.overrides]]\ndataset = "voices"\nset = { steps = 7 }\n'
        '\n[[suites.own.exclude]]\ndataset = "voices"\nloss = "softmax"\nreason = "too slow"\n'
    )
    tiny.config.write_text(tiny.config.read_text() + rules)
    jobs = planned_jobs(load(tiny.config), request_of(tiny))
    trained = [job for job in jobs if job.recipe]
    assert [job.recipe and job.recipe.steps for job in trained] == [7, 7, 7]
    assert {job.loss and job.loss.name for job in trained} == {"aam"}


def test_an_absent_corpus_is_named_once(tiny: TinyBenchmark) -> None:
    (tiny.folder / "voices").rename(tiny.folder / "gone")
    with pytest.raises(CorpusAbsent, match="voices is not on this machine") as absent:
        find_datasets(load(tiny.config), request_of(tiny))
    assert str(absent.value).count("is not on this machine") == 1


def test_one_checkpoint_is_not_judged_by_all_folds(tiny: TinyBenchmark) -> None:
    checkpoint = CheckpointEntry(tiny.config, "tiny")
    with pytest.raises(ConfigError, match=r"as in --dataset voices\.1of3"):
        evaluate_checkpoint(
            load(tiny.config),
            request_of(tiny, datasets=("voices",)),
            checkpoint,
            watch=ignore,
        )
