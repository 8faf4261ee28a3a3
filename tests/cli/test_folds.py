"""A corpus too small for a test split of its own, judged by folds from the command line."""

from __future__ import annotations

import json

import pytest

from harness.config.loader import load
from harness.datasets.listing import list_dataset
from harness.datasets.lock import read_lock
from tests.preloaded import run_preloaded
from tests.tiny import PATIENCE, Finished, TinyBenchmark, make_tiny, plain_environment

NAMES = ["voices.1of2", "voices.2of2"]
RUN = ("run", "--suite", "own", "--loss", "aam", "--seeds", "0", "--device", "cpu", "--json")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[TinyBenchmark, Finished]:
    """The benchmark after one fold alone, then after all of them, and what the last call said."""
    tiny = make_tiny(tmp_path_factory.mktemp("folds") / "own")
    tiny.edit(
        "split = { seed = 0, validation = 3, test = 5 }\ntrials = 200\n\n[datasets.elsewhere]",
        "split = { seed = 0, validation = 2, folds = 2 }\ntrials = 200\n\n[datasets.elsewhere]",
    )
    alone = tiny.run(*RUN, "--dataset", "voices.2of2")
    assert alone.status == 0, alone.err
    (table,) = alone.json["tables"]
    assert {row["state"] for row in table["rows"]} == {"incomplete"}
    assert {row["reason"] for row in table["rows"]} == {"fold 1 of 2: no record"}
    done = tiny.run(*RUN)
    assert done.status == 0, done.err
    return tiny, done


def test_what_one_fold_gave_is_not_run_again(first: tuple[TinyBenchmark, Finished]) -> None:
    tiny, done = first
    assert done.json["ran"] == 2
    again = tiny.run("plan", *RUN[1:])
    states = {stage["state"] for job in again.json["jobs"] for stage in job["stages"].values()}
    assert states <= {"cached", "none"}


def test_one_table_joins_the_folds(first: tuple[TinyBenchmark, Finished]) -> None:
    tiny, done = first
    (table,) = done.json["tables"]
    assert (table["dataset"]["name"], table["folds"]) == ("voices", 2)
    assert table["dataset"]["counts"]["test"]["units"] == 12
    row = next(row for row in table["rows"] if row["model"] == "tiny")
    paths = [
        next(tiny.runs.glob(f"own-quick/{name}/tiny+aam+short/seed0-*/record.json"))
        for name in NAMES
    ]
    records = [json.loads(path.read_text()) for path in paths]
    values = [record["metrics"]["eer"]["value"] for record in records]
    assert row["metrics"]["eer"]["value"] == pytest.approx(sum(values) / 2, rel=1e-5)
    tested = [unit for record in records for unit in record["left_one_out"]["eer"]]
    assert sorted(tested) == [f"s{number:02}" for number in range(12)]
    local = json.loads((tiny.runs / "own-quick.json").read_text())
    assert [len(each["records"]) for each in local["tables"][0]["rows"]] == [2, 2]


def test_audio_is_packed_once_and_each_fold_is_locked(
    first: tuple[TinyBenchmark, Finished],
) -> None:
    tiny, _ = first
    (pack,) = [facts.parent for facts in (tiny.runs / "cache").glob("*/facts.json")]
    assert pack.name.startswith("voices-quick-")
    lock = read_lock(tiny.config.with_suffix(".lock"))
    assert sorted(lock.datasets) == [f"{name}/quick" for name in NAMES]
    assert sorted(lock.protocols) == [f"own/quick/{name}" for name in NAMES]
    assert len({each.content for each in lock.datasets.values()}) == 1


def test_no_fold_is_trained_on_what_it_tests(first: tuple[TinyBenchmark, Finished]) -> None:
    loaded = load(first[0].config)
    tested: list[str] = []
    for name in NAMES:
        items = list_dataset(loaded, name, "quick").items
        units = {split: set(part["unit"]) for split, part in items.groupby("split")}
        assert not units["test"] & (units["train"] | units["validation"])
        tested += sorted(units["test"])
    assert sorted(tested) == sorted(set(tested))
    assert len(tested) == 12


def test_every_number_of_every_fold_can_be_computed_again(
    first: tuple[TinyBenchmark, Finished],
) -> None:
    tiny, _ = first
    found = tiny.run("verify", str(tiny.runs / "own-quick"), "--json")
    assert [each["answer"] for each in found.json["records"]] == ["verified"] * 4


def test_data_list_and_check_name_the_folds(
    first: tuple[TinyBenchmark, Finished],
) -> None:
    tiny, _ = first
    row = json.loads(_shown(tiny, "data", "list", "--json"))["datasets"][0]
    assert (row["name"], row["folds"], row["locked"]) == ("voices", 2, ["quick"])
    assert "voices (2 folds)" in _shown(tiny, "data", "list")
    checked = tiny.run("data", "check", "voices", "--json")
    assert checked.status == 0, checked.err
    assert checked.json["dataset"] == "voices"
    assert [each["dataset"] for each in checked.json["folds"]] == NAMES
    assert {each["lock"] for each in checked.json["folds"]} == {"as locked"}
    one = tiny.run("data", "check", "voices.2of2", "--lists", "--json")
    assert (one.json["dataset"], one.json["lock"]) == ("voices.2of2", "lists as locked")


def _shown(tiny: TinyBenchmark, *words: str) -> str:
    """What a command that takes no runs folder prints."""
    given = [*words, "--config", str(tiny.config)]
    status, out, err = run_preloaded(given, tiny.folder, plain_environment(), PATIENCE)
    assert status == 0, err
    return out
