"""Submissions to a task of somebody else, which defines no optional member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.datasets.listing import Listing
from harness.errors import RequestError
from harness.records.record_files import read_record
from harness.registry.submit.identical import check_new
from harness.registry.submit.outputs import embedding_scores
from harness.tasks.classification import Classification
from harness.tasks.task import Lists, Side, TaskOptions, smallest_step
from harness.tasks.verification import Verification
from tests.places import ROOT
from tests.registry.submit.conftest import Site

OLD = ROOT / "tests" / "records" / "old"


class Nearest:
    """Whole numbers: the largest value of each embedding."""

    output = "embedding"
    scores_with_training = False

    def lists(self, listing: Listing, split: str) -> Lists:
        return Lists(listing.split_items(split))

    def score(self, validation: Side, test: Side, training: Side | None) -> Mapping[str, Any]:
        assert training is None
        limit: NDArray[np.float32] = validation.outputs.mean()
        return {"largest": test.outputs.argmax(axis=1), "limit": limit}


def test_a_task_has_defaults_of_what_it_does_not_define() -> None:
    options = TaskOptions.of(Nearest())  # type: ignore[arg-type]
    assert (options.decides, options.maxima, options.read_scores) == (None, {}, None)
    assert not options.compares_directions
    assert options.smallest_step({"items": 20}) == 1 / 20
    assert TaskOptions.of(Verification()).decides == ("threshold", "calibration")
    assert TaskOptions.of(Verification()).maxima == {"min_dcf": 1.0}
    assert TaskOptions.of(Classification()).decides == ()


@pytest.mark.parametrize(
    ("counts", "step"),
    [
        ({"items": 20, "trials": 190, "targets": 30}, 1 / 30),
        ({"items": 20, "trials": 190, "targets": 180}, 1 / 10),
        ({}, None),
    ],
)
def test_the_smaller_side_steps(counts: dict[str, int], step: float | None) -> None:
    assert smallest_step(counts) == step


def test_nothing_unknown_is_decided_on_test(site: Site) -> None:
    task: Any = Nearest()
    given = site.npz(site.embeddings("test"))
    with pytest.raises(RequestError, match="may decide on the validation split"):
        embedding_scores(given, site.listing, task)
    both = site.embeddings("test", "validation")
    of_validation = site.listing.items["split"].to_numpy(str)[
        np.isin(site.listing.items["id"].to_numpy(str), both["ids"])
    ]
    scores = embedding_scores(site.npz(both), site.listing, task)
    wanted = both["embeddings"][of_validation == "validation"].mean()
    assert scores["limit"] == pytest.approx(wanted, abs=1e-6)


def test_lengths_count_unless_a_task_says_otherwise(site: Site) -> None:
    arrays = site.embeddings("test", "validation")
    arrays["embeddings"] = np.abs(arrays["embeddings"][:, :1])
    arrays["embeddings"][3] = 0
    scores = embedding_scores(site.npz(arrays), site.listing, Nearest())  # type: ignore[arg-type]
    assert scores["limit"] != 1


def test_whole_numbers_may_be_equal_by_chance(site: Site) -> None:
    record = read_record(next(OLD.glob("ecapa*.json")))
    folder = site.folder / "leaderboards"
    (folder / "records").mkdir(parents=True)
    clusters, scores = np.arange(20), np.linspace(0, 1, 20)
    np.savez(folder / "records" / "a.scores.npz", clusters=clusters, scores=scores)
    (folder / "records" / "a.json").write_text(next(OLD.glob("ecapa*.json")).read_text())
    check_new({"clusters": clusters}, (), record, [folder])
    check_new({"scores": scores}, ("scores",), record, [folder])
    with pytest.raises(RequestError, match="to the last digit"):
        check_new({"scores": scores}, (), record, [folder])
