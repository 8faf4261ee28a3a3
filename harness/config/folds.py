"""Datasets that are judged by folds: each fold is a dataset of its own, with a name of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.config.datasets import Dataset
from harness.errors import ConfigError


@dataclass(frozen=True)
class Fold:
    """One fold of a dataset.

    Attributes:
        of: the dataset's name in the benchmark file.
        index: which of its folds is tested, from 1.
        folds: how many there are.
    """

    of: str
    index: int
    folds: int

    @property
    def name(self) -> str:
        """What the fold is called.

        >>> Fold("voices", 2, 3).name
        'voices.2of3'
        """
        return f"{self.of}.{self.index}of{self.folds}"


def folds_of(name: str, dataset: Dataset) -> tuple[Fold, ...]:
    """The folds that a dataset stands for; none where it is judged as a whole."""
    count = dataset.split.folds if dataset.split else None
    return tuple(Fold(name, index, count) for index in range(1, count + 1)) if count else ()


def all_folds(datasets: Mapping[str, Dataset]) -> dict[str, Fold]:
    """Every fold of every dataset, by its name."""
    folds = (fold for name, dataset in datasets.items() for fold in folds_of(name, dataset))
    return {fold.name: fold for fold in folds}


def check_fold_names(datasets: Mapping[str, Dataset], where: str) -> None:
    """Refuse a dataset that is called as a fold of another one is.

    Raises:
        ConfigError: names both.
    """
    folds = all_folds(datasets)
    for name in sorted(folds.keys() & datasets.keys()):
        raise ConfigError(
            f"{where}datasets.{name}: is what a fold of {folds[name].of!r} is called; choose "
            "another name"
        )
