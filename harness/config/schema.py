"""A whole benchmark file, as frozen typed objects."""

from __future__ import annotations

from pydantic import Field

from harness.config.datasets import Dataset
from harness.config.recipes import Recipe
from harness.config.suites import Suite
from harness.config.tables import Component, Name, Table


class Budget(Table):
    """The card that every entry is held against."""

    gpu_memory: str = "6 GiB"


class Benchmark(Table):
    """A whole benchmark file."""

    base: str | None = Field(
        default=None, description="a benchmark to add to; 'trialboard' is ours"
    )
    budget: Budget = Budget()
    datasets: dict[Name, Dataset] = Field(default={})
    models: dict[Name, Component] = Field(default={})
    losses: dict[Name, Component] = Field(default={})
    recipes: dict[Name, Recipe] = Field(default={})
    suites: dict[Name, Suite] = Field(default={})
