"""Datasets of a benchmark file: how a corpus is split, frozen, compared and judged by folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from harness.config.numbers import (
    Count,
    Range,
    Seconds,
    Seed,
    SeveralCount,
    Share,
    ShareBelowOne,
)
from harness.config.tables import Component, ConfigTable
from harness.errors import ConfigError

Items = Annotated[int, Range(0, 10**12)]


class SplitRule(ConfigTable):
    """A seeded, unit-disjoint split: how many units go to validation and test.

    The rest trains. Units are taken in the order of sha256(seed:unit), so that a unit's place
    does not depend on the order of the manifest. A corpus that brings its own test split leaves
    `test` out. With `folds` in its place every unit is tested once, by a network of its fold's own.
    """

    added: ClassVar[tuple[str, ...]] = ("folds",)

    seed: Seed = 0
    validation: Count
    test: Count | None = None
    folds: Annotated[int, Range(2, 1_000)] | None = Field(
        default=None, description="each tested by a network trained on the others"
    )

    @model_validator(mode="after")
    def _one_of_folds_and_test(self) -> SplitRule:
        if self.folds is not None and self.test is not None:
            raise ValueError("folds: every unit is tested once; give either folds or test")
        return self


class Published(ConfigTable):
    """Counts and checksums that others give of a corpus: its lock until it is read here.

    Counts are held against the lists (`"train+validation"` is the two together); checksums
    against the archives. Nothing is pinned by them.
    """

    source: str
    counts: dict[str, dict[Literal["units", "items", "trials", "targets"], Items]] = Field(
        default={}
    )
    archives: dict[str, str] = Field(default={}, description="file name -> md5, parts joined")


class TrialRule(ConfigTable):
    """A trial list drawn to a size and a difficulty, spread evenly over the speakers."""

    count: Count = Field(description="how many trials, exactly")
    targets: Annotated[float, Range(0, 1, above=True, below=True)] = Field(
        default=0.5, description="share of target trials"
    )
    cross_session: Share | None = Field(
        default=None, description="share of the targets; else as they come"
    )
    same_gender: Share | None = Field(
        default=None, description="share of the nontargets; else as they come"
    )
    seed: Seed = 0


class FreezeRule(ConfigTable):
    """A fixed subset of a corpus: so many utterances in all, its splits of different speakers.

    Speakers and utterances are taken in the order of sha256(seed:id).
    """

    count: Count = Field(description="how many utterances, all splits together")
    seed: Seed = 0
    validation: Count | None = Field(
        default=None, description="how many speakers; else all of the corpus's own side"
    )
    test: Count | None = Field(
        default=None, description="how many speakers; else all of the corpus's own side"
    )
    speakers: SeveralCount | None = Field(
        default=None, description="how many speakers train; else all that are left"
    )


class LeakRule(ConfigTable):
    """Copies of each picture, dealt to the splits one by one: augmented before splitting.

    It is a mistake, and is there to show what the mistake is worth; its rows are `leaky`.
    """

    copies: Annotated[int, Range(2, 1_000)] = Field(
        default=4, description="of each picture, the original among them"
    )
    seed: Seed = 0


class Dataset(Component):
    """A corpus with the facts a table must state of it."""

    title: str = ""
    synthetic: bool = False
    licence: str
    publish_scores: bool = False
    source: str = Field(default="", description="where to get it")
    path: str = Field(default="", description="folder; relative ones lie under $HARNESS_DATA")
    of: str | None = Field(
        default=None, description="a dataset whose keys hold here too, but for split and trials"
    )
    freeze: FreezeRule | None = Field(default=None, description="how a fixed subset was cut")
    frozen: str | None = Field(
        default=None, description="the subset's list of ids; a path beside the benchmark file"
    )
    published: Published | None = None
    join_seconds: Seconds | None = Field(
        default=None,
        description="short neighbours of one training speaker are joined to at least so long",
    )
    split: SplitRule | None = None
    trials: Count | None = Field(
        default=None, description="all pairs of a split's items, at most so many nontargets"
    )
    draw_trials: TrialRule | None = Field(
        default=None, description="or a list drawn to a size and a difficulty"
    )
    rank_pairs: Count | None = Field(
        default=None, description="or so many pairs of items of different grade, for a ranking"
    )

    imbalance: Annotated[float, Range(1, 10_000)] | None = Field(
        default=None,
        description="training items of the largest class over those of the smallest; the others "
        "fall geometrically between them",
    )
    wrong_labels: ShareBelowOne | None = Field(
        default=None, description="share of the training items that get the label of another class"
    )

    leak: LeakRule | None = Field(
        default=None,
        description="true, or its rule: copies of one picture in training and test, on purpose; "
        "`of` names the dataset that makes no such mistake",
    )

    @field_validator("leak", mode="before")
    @classmethod
    def _by_default(cls, given: Any) -> Any:
        return {True: {}, False: None}.get(given, given) if isinstance(given, bool) else given

    @model_validator(mode="after")
    def _consistent(self) -> Dataset:
        lists = {"trials": self.trials, "draw_trials": self.draw_trials}
        lists["rank_pairs"] = self.rank_pairs
        given = [name for name, value in lists.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"give either {given[0]} or {given[1]}")
        if self.freeze is not None and self.frozen is None:
            raise ValueError("freeze says how a list is made; frozen must say where it lies")
        if self.frozen is not None and self.split is not None:
            raise ValueError("the frozen list holds the split; take split out")
        if self.leak is not None:
            if self.of is None:
                raise ValueError("leak: `of` is to name the dataset that it is held against")
            if self.frozen is not None or (self.split and self.split.folds):
                raise ValueError("leak deals its copies itself; take frozen and folds out")
        return self


@dataclass(frozen=True)
class DatasetFold:
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
        """Name of the fold.

        >>> DatasetFold("voices", 2, 3).name
        'voices.2of3'
        """
        return f"{self.of}.{self.index}of{self.folds}"


def folds_of(name: str, dataset: Dataset) -> tuple[DatasetFold, ...]:
    """Return the folds that a dataset stands for; none if it is judged as a whole."""
    count = dataset.split.folds if dataset.split else None
    return tuple(DatasetFold(name, index, count) for index in range(1, count + 1)) if count else ()


def all_folds(datasets: Mapping[str, Dataset]) -> dict[str, DatasetFold]:
    """Return every fold of every dataset, by its name."""
    folds = (fold for name, dataset in datasets.items() for fold in folds_of(name, dataset))
    return {fold.name: fold for fold in folds}


def check_fold_names(datasets: Mapping[str, Dataset], where: str) -> None:
    """Refuse a dataset with the name of another one's fold.

    Raises:
        ConfigError: names both.
    """
    folds = all_folds(datasets)
    for name in sorted(folds.keys() & datasets.keys()):
        raise ConfigError(
            f"{where}datasets.{name}: is what a fold of {folds[name].of!r} is called; choose "
            "another name"
        )
