"""`harness search`: what is proposed, pruned and chosen, and a search that is cut off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.config.loader import load
from harness.config.tables import ExecutorTable
from harness.errors import ConfigError
from harness.run.events import ProgressEvent, ignore
from harness.run.plan.request import RunRequest
from harness.search.proposals import SearchPlan, make_study, propose
from harness.search.search import run_search
from harness.search.search_page import document, page, write_search
from harness.search.space import OneOf, ValueRange, grid_of, parse_space
from tests.pictures import make_pictures
from tests.tiny import TinyBenchmark

pytest.importorskip("optuna", reason="the `search` extra is not installed")

FOLDS = "split = { seed = 0, validation = 2, folds = 2 }"
WHOLE = "split = { seed = 0, validation = 2, test = 2 }"
SPACE = parse_space(["optimizer.lr=1e-4..1e-1:log", "batch=6..10"])
HERE = ExecutorTable.model_validate({"class": "tests.here:Here"})
PLAN = SearchPlan(space=SPACE, trials=6, seed=3)


class CutError(Exception):
    """Ends a search from within."""


@pytest.fixture
def own(tmp_path: Path, preloaded_workers: None) -> TinyBenchmark:
    made = make_pictures(tmp_path / "own")
    made.edit(FOLDS, WHOLE)
    return made


def searched(
    own: TinyBenchmark,
    runs: Path,
    plan: SearchPlan = PLAN,
    watch: Callable[[ProgressEvent], None] = ignore,
) -> dict[str, Any]:
    request = RunRequest(
        suite="own", profile="quick", runs=runs, device="cpu", threads=1, seeds=(0,)
    )
    found = run_search(load(own.config), request, plan, watch=watch, executor=HERE)
    return document(found)


def cut_at(steps: int) -> Callable[[ProgressEvent], None]:
    done = 0

    def watch(event: ProgressEvent) -> None:
        nonlocal done
        done += event.kind == "advance" and event.loss is not None
        if done == steps:
            raise CutError

    return watch


@pytest.mark.long
def test_a_search_that_is_cut_off_gives_the_quiet_searchs_numbers(
    own: TinyBenchmark, tmp_path: Path
) -> None:
    quiet = searched(own, tmp_path / "quiet")
    states = [each["state"] for each in quiet["trials"]]
    assert "pruned" in states
    assert states.count("done") >= 4
    best = max(each["value"] for each in quiet["trials"] if each["value"] is not None)
    (chosen,) = [each for each in quiet["trials"] if each["setting"] == quiet["chosen"]]
    assert chosen["value"] == best
    assert quiet["searched"] == 6
    assert [each["searched"] for each in quiet["test"]] == [6]
    for steps in (7, 30):
        with pytest.raises(CutError):
            searched(own, tmp_path / "cut", watch=cut_at(steps))
    assert searched(own, tmp_path / "cut") == quiet
    assert searched(own, tmp_path / "cut") == quiet


def test_a_grid_is_tried_whole_and_its_page_names_the_best(
    own: TinyBenchmark, tmp_path: Path
) -> None:
    space = parse_space(["optimizer.lr=1e-4,1e-2", "select=best,last"])
    plan = SearchPlan(space=space, method="grid", prunes=False)
    request = RunRequest(
        suite="own", profile="quick", runs=tmp_path / "runs", device="cpu", threads=1, seeds=(0,)
    )
    found = run_search(load(own.config), request, plan, watch=ignore, executor=HERE)
    assert [dict(each.setting) for each in found.trials] == [
        {"optimizer.lr": lr, "select": select} for lr in (1e-4, 1e-2) for select in ("best", "last")
    ]
    text = page(found)
    assert "4 configurations of this entry were tried" in text
    assert "chosen" in text
    assert write_search(tmp_path / "runs", found).read_text() == text
    with pytest.raises(ConfigError, match=r"is given by --set and by --over"):
        run_search(
            load(own.config),
            RunRequest(suite="own", profile="quick", runs=tmp_path, device="cpu", threads=1,
                       settings={"select": "best"}),
            plan, watch=ignore, executor=HERE,
        )  # fmt: skip


def test_folds_have_no_search(own: TinyBenchmark, tmp_path: Path) -> None:
    own.edit(WHOLE, FOLDS)
    with pytest.raises(ConfigError, match="one dataset with a validation split of its own"):
        searched(own, tmp_path / "runs")


@pytest.mark.parametrize("method", ["random", "tpe"])
def test_a_proposal_rests_on_the_seed_and_the_trials_before_alone(method: Any) -> None:
    def told(plan: SearchPlan, trials: int) -> list[dict[str, Any]]:
        study, found = make_study(), []
        for number in range(trials):
            trial = propose(study, plan, number)
            found.append(dict(trial.params))
            study.tell(trial, -abs(trial.params["optimizer.lr"] - 1e-3))
        return found

    plan = SearchPlan(space=SPACE, method=method, seed=1)
    eight = told(plan, 8)
    assert eight == told(plan, 8)
    assert eight[:5] == told(plan, 5)
    assert eight != told(SearchPlan(space=SPACE, method=method, seed=2), 8)
    assert all(1e-4 <= each["optimizer.lr"] <= 1e-1 and 6 <= each["batch"] <= 10 for each in eight)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("lr=1e-4..1e-2", ValueRange(1e-4, 1e-2)),
        ("lr=1e-4..1e-2:log", ValueRange(1e-4, 1e-2, is_log=True)),
        ("batch=16..64", ValueRange(16, 64)),
        ("select=best,last", OneOf(("best", "last"))),
    ],
)
def test_a_space_is_read(text: str, wanted: ValueRange | OneOf) -> None:
    (found,) = parse_space([text]).values()
    assert found == wanted


@pytest.mark.parametrize(
    ("texts", "mend"),
    [
        ([], "give --over"),
        (["lr=1e-2..1e-4"], "below the second"),
        (["lr=0..1:log"], "begins above 0"),
        (["lr=a..b"], "write KEY=LOW..HIGH"),
        (["lr=1..2", "lr=3,4"], "given twice"),
    ],
)
def test_a_space_that_cannot_be_meant_is_refused(texts: list[str], mend: str) -> None:
    with pytest.raises(ConfigError, match=mend):
        parse_space(texts)


def test_a_grid_takes_no_range() -> None:
    with pytest.raises(ConfigError, match="a grid has values and no ranges"):
        grid_of(SPACE)
