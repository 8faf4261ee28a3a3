"""Folds over units: every unit is tested once, and no split shares one with another."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.config.datasets import SplitRule
from harness.config.loader import load
from harness.data.split import assign_split, check_disjoint, hash_order
from harness.datasets.dataset import open_dataset, pack_folder
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError, DataError
from harness.metrics.k_folds import unit_folds
from tests.tiny import make_tiny

UNITS = st.lists(st.text(min_size=1, max_size=4), min_size=9, max_size=24, unique=True)


def table(units: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"id": [f"i{n}" for n in range(len(units))], "unit": units, "split": ""})


def places(units: list[str], rule: SplitRule, fold: int) -> dict[str, set[str]]:
    split = assign_split(table(units), rule, "d", fold)
    check_disjoint(split, "d")
    return {name: set(part["unit"]) for name, part in split.groupby("split")}


@given(UNITS, st.integers(2, 4), st.integers(0, 9), st.integers(1, 2))
def test_every_unit_is_tested_once_and_validation_is_first_of_the_rest(
    units: list[str], folds: int, seed: int, validation: int
) -> None:
    rule = SplitRule(seed=seed, validation=validation, folds=folds)
    found = [places(units * 2, rule, fold) for fold in range(1, folds + 1)]
    tested = [unit for each in found for unit in each["test"]]
    assert sorted(tested) == sorted(units)
    dealt = unit_folds(units, folds, seed=seed)
    for fold, each in enumerate(found):
        assert each["test"] == {unit for unit in units if dealt[unit] == fold}
        rest = sorted(set(units) - each["test"], key=lambda unit: hash_order(seed, unit))
        assert each["validation"] == set(rest[:validation])
        assert each["train"] == set(rest[validation:])


def test_folds_known_by_heart() -> None:
    # Frozen: another order would be another benchmark under the same protocol version.
    rule = SplitRule(seed=0, validation=2, folds=3)
    found = [places(list("abcdefgh"), rule, fold) for fold in (1, 2, 3)]
    assert [
        tuple("".join(sorted(each[name])) for name in ("train", "validation", "test"))
        for each in found
    ] == [("bde", "fg", "ach"), ("acd", "fh", "beg"), ("abce", "gh", "df")]


@pytest.mark.parametrize(
    ("rule", "mend"),
    [
        (SplitRule(validation=1, folds=5), r"d\.split\.folds: 8 units in 5 folds; .* at most 4"),
        (SplitRule(validation=3, folds=2), "fewer than 2 are left to train on"),
    ],
)
def test_too_few_units(rule: SplitRule, mend: str) -> None:
    with pytest.raises(DataError, match=mend):
        assign_split(table(list("abcdefgh")), rule, "d", 1)


SPLIT = "split = { seed = 0, validation = 3, test = 5 }\ntrials = 200\n\n[datasets.elsewhere]"


def folded(folder: Path, rule: str = "{ seed = 0, validation = 2, folds = 3 }") -> Path:
    tiny = make_tiny(folder / "own")
    tiny.edit(SPLIT, f"split = {rule}\ntrials = 200\n\n[datasets.elsewhere]")
    return tiny.config


def test_folds_are_datasets_of_their_own_over_one_pack(tmp_path: Path) -> None:
    loaded, cache = load(folded(tmp_path)), tmp_path / "cache"
    listings = [list_dataset(loaded, name, "quick") for name in loaded.parts("voices")]
    assert [each.key for each in listings] == [f"voices.{n}of3/quick" for n in (1, 2, 3)]
    assert len({each.lock.manifest for each in listings}) == 1
    assert len({each.lock.split for each in listings}) == 3
    assert len({each.lock.trials["test"] for each in listings}) == 3
    decoded: list[int] = []
    opened = [
        open_dataset(loaded, each, cache, advance=lambda n, i=i: decoded.extend([i] * n))
        for i, each in enumerate(listings)
    ]
    assert len({pack_folder(each, cache) for each in listings}) == 1
    assert [path.name for path in cache.iterdir() if path.is_dir()] == [
        pack_folder(listings[0], cache).name
    ]
    assert len({each.lock.content for each in opened}) == 1
    tested = pd.concat([each.subset("test").items for each in opened])
    assert sorted(tested["id"]) == sorted(listings[0].items["id"])


def test_a_dataset_judged_by_folds_has_no_lists_of_its_own(tmp_path: Path) -> None:
    loaded = load(folded(tmp_path))
    with pytest.raises(ConfigError, match=r"name one of voices\.1of3, voices\.2of3, voices\.3of3"):
        list_dataset(loaded, "voices", "quick")


def test_more_folds_than_pairs_of_units_are_refused_by_name(tmp_path: Path) -> None:
    loaded = load(folded(tmp_path, "{ seed = 0, validation = 2, folds = 7 }"))
    with pytest.raises(DataError, match=r"datasets\.voices\.split\.folds: 12 units in 7 folds"):
        list_dataset(loaded, "voices.1of7", "quick")


def test_a_corpus_with_its_own_test_split_has_no_folds(tmp_path: Path) -> None:
    config = folded(tmp_path)
    manifest = tmp_path / "own" / "voices" / "manifest.tsv"
    head, *lines = manifest.read_text().splitlines()
    splits = ["test" if line.split("\t")[1] == "s00" else "" for line in lines]
    told = [f"{line}\t{split}" for line, split in zip(lines, splits, strict=True)]
    manifest.write_text("\n".join([f"{head}\tsplit", *told]) + "\n")
    with pytest.raises(ConfigError, match=r"split\.folds: the corpus brings its own test split"):
        list_dataset(load(config), "voices.1of3", "quick")
