"""Classification judged by folds: every drawer is tested once, by a network of its fold's own."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from harness.config.loader import load
from harness.datasets.listing import list_dataset
from harness.metrics.accuracy import accuracy, balanced_accuracy, left_one_out
from harness.metrics.intervals import half_trial, jackknife_interval
from tests.pictures import DRAWERS, LETTERS, make_pictures
from tests.tiny import Finished, TinyBenchmark

NAMES = ["letters.1of2", "letters.2of2"]
RUN = ("run", "--suite", "own", "--seeds", "0", "--device", "cpu", "--json")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[TinyBenchmark, Finished]:
    own = make_pictures(tmp_path_factory.mktemp("picture-folds") / "own")
    finished = own.run(*RUN)
    assert finished.status == 0, finished.err
    return own, finished


def records(own: TinyBenchmark, entry: str) -> list[dict[str, Any]]:
    paths = [next(own.runs.glob(f"own-quick/{name}/{entry}*/*/record.json")) for name in NAMES]
    return [json.loads(path.read_text()) for path in paths]


def row_of(finished: Finished, model: str) -> dict[str, Any]:
    (table,) = finished.json["tables"]
    return next(row for row in table["rows"] if row["model"] == model)


def judged(own: TinyBenchmark, record: dict[str, Any]) -> dict[str, Any]:
    """Return truth and decisions of a fold's test, from its stored logits alone."""
    listing = list_dataset(load(own.config), record["dataset"]["name"], "quick")
    items = listing.split_items("test")
    folder = own.stage(record, "evaluate")
    logits = np.load(folder / "scores.npz")["logits"]
    classes = np.array(listing.classes)
    return {
        "labels": items["label"].to_numpy(str),
        "units": items["unit"].to_numpy(str),
        "decided": classes[logits.argmax(1)],
    }


@pytest.mark.parametrize("entry", ["small+softmax+short", "nearest-class-mean"])
def test_every_drawer_is_tested_once_and_the_row_is_the_mean_of_the_folds(
    done: tuple[TinyBenchmark, Finished], entry: str
) -> None:
    own, finished = done
    parts = [judged(own, record) for record in records(own, entry)]
    assert [len(part["labels"]) for part in parts] == [LETTERS * DRAWERS // 2] * 2
    tested = [unit for part in parts for unit in set(part["units"])]
    assert sorted(tested) == sorted(set(tested))
    assert len(tested) == DRAWERS

    row = row_of(finished, "small" if entry.startswith("small") else "nearest class mean")
    values = [accuracy(part["labels"], part["decided"]) for part in parts]
    left = [
        np.mean(values) + (without - value) / 2
        for part, value in zip(parts, values, strict=True)
        for without in left_one_out(part["labels"] == part["decided"], part["units"])
    ]
    interval = jackknife_interval(float(np.mean(values)), left, floor=half_trial(LETTERS * DRAWERS))
    metric = row["metrics"]["accuracy"]
    assert metric["value"] == pytest.approx(np.mean(values), rel=1e-5)
    assert metric["low"] == pytest.approx(interval.low, rel=1e-5)
    assert metric["high"] == pytest.approx(interval.high, rel=1e-5)
    # Folds of one size: their mean is the accuracy over all items of all drawers.
    whole = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    assert metric["value"] == pytest.approx(accuracy(whole["labels"], whole["decided"]), rel=1e-5)
    balanced = [balanced_accuracy(part["labels"], part["decided"]) for part in parts]
    assert row["metrics"]["balanced_accuracy"]["value"] == pytest.approx(
        np.mean(balanced), rel=1e-5
    )


def test_the_table_says_that_it_is_judged_by_folds(done: tuple[TinyBenchmark, Finished]) -> None:
    (table,) = done[1].json["tables"]
    assert (table["dataset"]["name"], table["folds"]) == ("letters", 2)
    assert table["dataset"]["counts"]["test"] == {"units": DRAWERS, "items": LETTERS * DRAWERS}


def test_no_fold_is_trained_on_drawers_that_it_tests(
    done: tuple[TinyBenchmark, Finished],
) -> None:
    for name in NAMES:
        listing = list_dataset(load(done[0].config), name, "quick")
        units = {split: set(part["unit"]) for split, part in listing.items.groupby("split")}
        assert not units["test"] & (units["train"] | units["validation"])
        assert len(units["validation"]) == 2
        assert len(listing.classes) == LETTERS


def test_every_number_of_every_fold_can_be_computed_again(
    done: tuple[TinyBenchmark, Finished],
) -> None:
    own, _ = done
    found = own.run("verify", str(own.runs / "own-quick"), "--json")
    assert [each["answer"] for each in found.json["records"]] == ["verified"] * 4
