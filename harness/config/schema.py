"""A whole benchmark file and its suites, as frozen typed objects."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    ByteSize,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from harness.config.datasets import Dataset
from harness.config.numbers import Crops, Range, Seed
from harness.config.recipes import Recipe
from harness.config.tables import Component, ConfigTable, ExecutorTable, Name, Profile

Averaging = Literal["probabilities", "logits"]

_SIZE = TypeAdapter(ByteSize)
LARGEST_CARD = 2**50


class Override(ConfigTable):
    """A change of the recipe for the entries that match; an absent key matches all."""

    profile: Profile | None = None
    dataset: str | None = None
    model: str | None = None
    loss: str | None = None
    recipe: str | None = None
    set: dict[str, Any] = Field(description="recipe keys and their values")


class Exclusion(ConfigTable):
    """Entries that a suite leaves out, and why."""

    dataset: str | None = None
    model: str | None = None
    loss: str | None = None
    reason: str


class ProfilePlan(ConfigTable):
    """The recipe and the seeds of one profile of a suite."""

    recipe: str | None = Field(default=None, description="of every entry that names none")
    seeds: tuple[Seed, ...] = (0,)
    seeds_on: dict[str, tuple[Seed, ...]] = Field(
        default={}, description="dataset -> its seeds, for one that would take too long otherwise"
    )
    budgets: tuple[Crops, ...] = Field(
        default=(),
        description="crops seen that entries may be trained with, a whole schedule each time, "
        "besides the recipe's own length",
    )
    budgets_on: dict[str, tuple[Crops, ...]] = Field(
        default={}, description="dataset -> its budgets instead of these"
    )

    def seeds_for(self, dataset: str) -> tuple[int, ...]:
        """Return the seeds of each entry on a dataset."""
        return self.seeds_on.get(dataset, self.seeds)

    def budgets_for(self, dataset: str) -> tuple[int, ...]:
        """Return the budgets that entries may have on a dataset, in crops."""
        return self.budgets_on.get(dataset, self.budgets)

    @model_validator(mode="after")
    def _budgets_differ(self) -> ProfilePlan:
        for budgets in (self.budgets, *self.budgets_on.values()):
            if list(budgets) != sorted(set(budgets)):
                raise ValueError("budgets: name each once, the smallest first")
        return self


class SuiteSystem(ConfigTable):
    """One system of a suite."""

    added: ClassVar[tuple[str, ...]] = ("profile",)

    model: str
    loss: str
    recipe: str | None = Field(default=None, description="else the profile's")
    profile: Profile | None = Field(default=None, description="the only one that has it; else all")


class Ensemble(ConfigTable):
    """Several systems of a suite judged as one: their outputs for each item are averaged.

    Members are trained as they are for rows of their own. In a row's seed, each member has that
    seed; with `seeds` each member is trained with each of them, and the ensemble is one row
    without a seed.
    """

    name: Name
    members: tuple[SuiteSystem, ...]
    seeds: tuple[Seed, ...] = ()
    average: Averaging = Field(
        default="probabilities", description="what is averaged of each member's output"
    )

    @model_validator(mode="after")
    def _has_several(self) -> Ensemble:
        if len(self.members) * max(1, len(self.seeds)) < 2:
            raise ValueError("members: one network is no ensemble; give more, or several seeds")
        if len(set(self.members)) < len(self.members):
            raise ValueError("members: one comes twice")
        return self


class Suite(ConfigTable):
    """Systems on datasets, judged by one task under one protocol.

    The systems are models x losses under the profile's recipe, and the entries.
    """

    title: str
    task: str = Field(description="import path, `package.module:Class`")
    parameters: dict[str, Any] = Field(default={}, description="fields of the task's class")
    protocol: Annotated[int, Range(1, 10**6)] = 1
    datasets: tuple[str, ...]
    models: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    entries: tuple[SuiteSystem, ...] = Field(
        default=(), description="systems that are no product, or have recipes of their own"
    )
    ensembles: tuple[Ensemble, ...] = ()
    profiles: dict[Profile, ProfilePlan]
    overrides: tuple[Override, ...] = ()
    exclude: tuple[Exclusion, ...] = ()
    curve: str | None = Field(
        default=None, description="a number of its datasets, over which results are one curve"
    )

    @property
    def systems(self) -> tuple[SuiteSystem, ...]:
        """Every system: the product first, in the order of the file."""
        product = (
            SuiteSystem(model=model, loss=loss) for model in self.models for loss in self.losses
        )
        return (*product, *self.entries)

    def left_out(self, dataset: str, entry: SuiteSystem) -> str:
        """Return the reason why a system does not run on a dataset; empty if it does."""
        wanted = {"dataset": dataset, "model": entry.model, "loss": entry.loss}
        for rule in self.exclude:
            if all(getattr(rule, key) in (None, value) for key, value in wanted.items()):
                return rule.reason
        return ""

    @property
    def recipes(self) -> frozenset[str]:
        """Every recipe that a system is trained by in some profile."""
        plans = self.profiles.values()
        named = {each.recipe or plan.recipe for each in self.systems for plan in plans}
        return frozenset(recipe for recipe in named if recipe)

    @model_validator(mode="after")
    def _ensembles_have_names(self) -> Suite:
        names = [each.name for each in self.ensembles]
        taken = {each.model for each in self.systems} & {*names}
        if len(set(names)) < len(names) or taken:
            raise ValueError(
                "ensembles: give each a name of its own, which is no model's of the suite"
            )
        for each in self.ensembles:
            for member in each.members:
                if member not in self.systems:
                    told = " + ".join(filter(None, (member.model, member.loss, member.recipe)))
                    raise ValueError(f"ensembles.{each.name}: {told} is no system of the suite")
        return self

    @model_validator(mode="after")
    def _curve_is_the_only_one(self) -> Suite:
        plans = self.profiles.values()
        if self.curve is not None and any(each.budgets or each.budgets_on for each in plans):
            raise ValueError("curve: results are a curve over several budgets; give either")
        return self

    @model_validator(mode="after")
    def _runs_something(self) -> Suite:
        if bool(self.models) != bool(self.losses):
            raise ValueError("give models and losses, or neither of them and entries")
        if not self.systems:
            raise ValueError("nothing to run: give models and losses, or entries")
        if len(set(self.systems)) < len(self.systems):
            raise ValueError("a system comes twice")
        for profile, plan in self.profiles.items():
            for key in ("seeds_on", "budgets_on"):
                for name in getattr(plan, key).keys() - set(self.datasets):
                    raise ValueError(f"profiles.{profile}.{key}: the suite has no dataset {name!r}")
            if plan.recipe is None and any(each.recipe is None for each in self.systems):
                raise ValueError(f"profiles.{profile}: give a recipe; not every entry names one")
        return self


class Budget(ConfigTable):
    """The card that every entry is held against."""

    added: ClassVar[tuple[str, ...]] = ("reserved",)

    gpu_memory: str = Field(default="6 GiB", description="all that the card has")
    reserved: str = Field(
        default="1.5 GiB", description="of it, for the driver's context, kernels and a display"
    )

    @property
    def card(self) -> int:
        """Bytes of the card."""
        return _bytes(self.gpu_memory)

    @property
    def usable(self) -> int:
        """Bytes that tensors may take."""
        return self.card - _bytes(self.reserved)

    @model_validator(mode="after")
    def _leaves_something(self) -> Budget:
        if self.usable <= 0:
            raise ValueError(
                f"reserved ({self.reserved}) leaves nothing of gpu_memory ({self.gpu_memory})"
            )
        return self

    @field_validator("gpu_memory", "reserved")
    @classmethod
    def _is_a_size(cls, text: str) -> str:
        try:
            size = _bytes(text)
        except ValidationError as error:
            raise ValueError(f"{text!r} is no size; write one as '6 GiB' or '800 MiB'") from error
        if size > LARGEST_CARD:
            raise ValueError(f"{text!r} is more than any card has; give 1 PiB at most")
        return text


def _bytes(text: str) -> int:
    return int(_SIZE.validate_python(text))


class Benchmark(ConfigTable):
    """A whole benchmark file."""

    added: ClassVar[tuple[str, ...]] = ("executors",)

    base: str | None = Field(
        default=None, description="a benchmark to add to; 'trialboard' is ours"
    )
    budget: Budget = Budget()
    datasets: dict[Name, Dataset] = Field(default={})
    models: dict[Name, Component] = Field(default={})
    losses: dict[Name, Component] = Field(default={})
    recipes: dict[Name, Recipe] = Field(default={})
    suites: dict[Name, Suite] = Field(default={})
    executors: dict[Name, ExecutorTable] = Field(
        default={}, description="where jobs run on this machine; those of a base do not count"
    )

    def levels(self, suite: Suite) -> dict[str, float]:
        """Return dataset -> the number over which a suite's results are a curve.

        Raises:
            ValueError: a dataset gives none, or one that another gives too.
        """
        found: dict[str, float] = {}
        if suite.curve is None:
            return found
        for name in suite.datasets:
            given = dict(self.datasets[name]).get(suite.curve)
            if isinstance(given, bool) or not isinstance(given, int | float):
                raise ValueError(f"datasets.{name} gives no number {suite.curve!r}")
            if given in found.values():
                raise ValueError(f"several datasets have {suite.curve} = {given:g}")
            found[name] = given
        return found
