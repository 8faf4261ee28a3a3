"""What a benchmark file may say, as frozen typed objects."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    model_validator,
)

Profile = Literal["quick", "full"]
Track = Literal["recipe", "matched"]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$")]
"""What an entry may be called: names become folders of runs, packs and keys of the lock."""


class Table(BaseModel):
    """A table of the file: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Component(BaseModel):
    """Something named by an import path; its other keys are the fields of that class."""

    model_config = ConfigDict(frozen=True, extra="allow")

    adapter: str = Field(description="import path, `package.module:Class`")

    @property
    def fields(self) -> dict[str, Any]:
        """The keys that belong to the adapter's class."""
        return dict(self.model_extra or {})


class SplitRule(Table):
    """A seeded, unit-disjoint split: how many units go to validation and test.

    The rest trains. Units are taken in the order of sha256(seed:unit), so that a unit's place
    does not depend on the order of the manifest.
    """

    seed: int = 0
    validation: PositiveInt
    test: PositiveInt


class Dataset(Component):
    """A corpus with the facts a table must state of it."""

    title: str = ""
    synthetic: bool = False
    licence: str
    publish_scores: bool = False
    source: str = Field(default="", description="where to get it")
    path: str = Field(default="", description="folder; relative ones lie under $HARNESS_DATA")
    split: SplitRule | None = None
    trials: PositiveInt | None = Field(
        default=None, description="how many trials a split gets where the corpus brings none"
    )


class Optimizer(Table):
    """An optimiser and its peak learning rate."""

    name: Literal["sgd", "adam", "adamw"] = "adamw"
    lr: PositiveFloat = 1e-3
    weight_decay: float = Field(default=0.0, ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    nesterov: bool = True


class LearningRate(Table):
    """The learning rate over a run: linear warm-up, then a decay from the peak to `final`."""

    shape: Literal["constant", "cosine", "exponential"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1, description="share of all steps")
    final: float = Field(default=0.01, gt=0, le=1, description="last over peak learning rate")


class Rise(Table):
    """A value of the head over a run: low before `start`, its own full value from `end` on."""

    initial: float = Field(default=0.0, ge=0, le=1, description="low over full value")
    shape: Literal["linear", "exponential"] = "exponential"
    start: float = Field(default=0.0, ge=0, le=1, description="share of all steps")
    end: float = Field(default=0.5, ge=0, le=1, description="share of all steps")

    @model_validator(mode="after")
    def _ordered(self) -> Rise:
        if self.end < self.start:
            raise ValueError(f"end ({self.end}) comes before start ({self.start})")
        return self


class Augment(Table):
    """What is done to training inputs at random."""

    frequency_mask: int = Field(default=0, ge=0, description="widest masked band, in bins")
    time_mask: int = Field(default=0, ge=0, description="longest masked stretch, in frames")


class Recipe(Table):
    """How a system is trained: data alone, no code."""

    track: Track = "matched"
    optimizer: Optimizer = Optimizer()
    learning_rate: LearningRate = LearningRate()
    schedules: dict[str, Rise] = {}
    batch: PositiveInt = 32
    crop_seconds: PositiveFloat | None = None
    epochs: PositiveFloat | None = None
    steps: PositiveInt | None = None
    augment: Augment = Augment()
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    clip_norm: PositiveFloat | None = None
    validations: PositiveInt = Field(default=2, description="evenly spaced, the last at the end")
    checkpoints: PositiveInt = Field(default=10, description="resume points over the run")
    select: Literal["best", "last", "average"] = "best"
    average_last: PositiveInt = 1

    @model_validator(mode="after")
    def _one_length(self) -> Recipe:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either steps or epochs")
        return self


class Override(Table):
    """A change of the recipe for the entries that match; an absent key matches all."""

    profile: Profile | None = None
    dataset: str | None = None
    model: str | None = None
    loss: str | None = None
    set: dict[str, Any] = Field(description="recipe keys and their values")


class Exclusion(Table):
    """Entries that a suite leaves out, and why."""

    dataset: str | None = None
    model: str | None = None
    loss: str | None = None
    reason: str


class ProfilePlan(Table):
    """What one profile of a suite runs."""

    recipe: str
    seeds: tuple[int, ...] = (0,)


class Suite(Table):
    """datasets x models x losses x recipe x seeds, judged by one task under one protocol."""

    title: str
    task: str = Field(description="import path, `package.module:Class`")
    parameters: dict[str, Any] = Field(default={}, description="fields of the task's class")
    protocol: PositiveInt = 1
    datasets: tuple[str, ...]
    models: tuple[str, ...]
    losses: tuple[str, ...]
    profiles: dict[Profile, ProfilePlan]
    overrides: tuple[Override, ...] = ()
    exclude: tuple[Exclusion, ...] = ()


class Budget(Table):
    """The card that every entry is held against."""

    gpu_memory: str = "6 GiB"


class Benchmark(Table):
    """A whole benchmark file."""

    base: str | None = Field(
        default=None, description="a benchmark to add to; 'trialboard' is ours"
    )
    budget: Budget = Budget()
    datasets: dict[Name, Dataset] = {}
    models: dict[Name, Component] = {}
    losses: dict[Name, Component] = {}
    recipes: dict[Name, Recipe] = {}
    suites: dict[Name, Suite] = {}
