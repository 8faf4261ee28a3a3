"""Datasets judged by folds: which keys go together, and what the folds are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.config.datasets import SplitRule
from harness.config.loader import load
from harness.errors import ConfigError


@pytest.fixture
def folded(tmp_path: Path) -> Callable[[str, str], Path]:
    """A benchmark with digits judged by folds."""

    def write(split: str, more: str = "") -> Path:
        path = tmp_path / "benchmark.toml"
        path.write_text(
            '[datasets.digits]\nadapter = "harness.data.corpora.digits:Digits"\n'
            f'licence = "CC-BY-4.0"\nsplit = {split}\n{more}'
        )
        return path

    return write


def test_a_split_without_folds_is_dumped_as_before() -> None:
    assert SplitRule(validation=2, test=3).model_dump() == {"seed": 0, "validation": 2, "test": 3}
    assert SplitRule(validation=2, folds=3).model_dump()["folds"] == 3


@pytest.mark.parametrize(
    ("split", "mend"),
    [
        ("{ validation = 3, test = 5, folds = 3 }", "give either folds or test"),
        ("{ validation = 3, folds = 1 }", "from 2 to 1,000"),
        ("{ validation = 3, fold = 3 }", "folds"),
    ],
)
def test_folds_that_cannot_be_meant(folded: Callable[[str], Path], split: str, mend: str) -> None:
    with pytest.raises(ConfigError, match=mend) as refused:
        load(folded(split))
    assert "datasets.digits.split" in str(refused.value)


def test_a_dataset_stands_for_its_folds_and_a_fold_for_itself(
    folded: Callable[[str], Path],
) -> None:
    loaded = load(folded("{ validation = 200, folds = 3 }"))
    names = ("digits.1of3", "digits.2of3", "digits.3of3")
    assert loaded.parts("digits") == names
    assert loaded.parts("digits.2of3") == ("digits.2of3",)
    fold = loaded.fold("digits.2of3")
    assert fold is not None
    assert (fold.of, fold.index, fold.folds, fold.name) == ("digits", 2, 3, "digits.2of3")
    assert loaded.fold("digits") is None
    assert loaded.dataset("digits.3of3") == loaded.dataset("digits")


def test_a_dataset_judged_as_a_whole_stands_for_itself(folded: Callable[[str], Path]) -> None:
    loaded = load(folded("{ validation = 200, test = 500 }"))
    assert loaded.parts("digits") == ("digits",)
    assert loaded.fold("digits") is None


@pytest.mark.parametrize("name", ["digits.0of3", "digits.4of3", "digits.1of2"])
def test_a_fold_that_does_not_exist(folded: Callable[[str], Path], name: str) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'digits\.\dof3'"):
        load(folded("{ validation = 200, folds = 3 }")).parts(name)


def test_no_dataset_is_called_as_a_fold_is(folded: Callable[[str, str], Path]) -> None:
    other = '[datasets."digits.1of3"]\nadapter = "a:B"\nlicence = "none"\n'
    with pytest.raises(ConfigError, match=r"datasets\.digits\.1of3: is what a fold of 'digits'"):
        load(folded("{ validation = 200, folds = 3 }", other))
