"""What all stages of a job build first: dataset, task, adapters, device."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.adapter import LossAdapter, ModelAdapter
from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark, load
from harness.config.recipes import Recipe
from harness.datasets.dataset import OpenDataset, open_dataset
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError
from harness.records.record import RecordedComponent
from harness.run.job.spec import JobSpec
from harness.tasks.task import Task

if TYPE_CHECKING:
    import torch

    from harness.train.system import System


class Parts:
    """The live objects behind a job's spec, each made when it is first asked for."""

    def __init__(self, spec: JobSpec) -> None:
        self.spec = spec
        # Read first: it makes the user's own adapters, beside the file, importable.
        self.benchmark: LoadedBenchmark = load(spec.benchmark)

    @cached_property
    def dataset(self) -> OpenDataset:
        """The dataset, as the spec says it was locked.

        Raises:
            ConfigError: it is not what it was when the job was planned.
        """
        listing = list_dataset(self.benchmark, self.spec.dataset.name, self.spec.profile)
        found = open_dataset(
            self.benchmark,
            listing,
            self.spec.cache,
            leave_out_damaged=self.spec.leave_out_damaged,
            keep_damaged_pack=True,
        )
        left_out = self.spec.left_out
        if found.lock.digest != self.spec.dataset.lock or not {*found.left_out} <= {*left_out}:
            raise ConfigError(f"{self.spec.dataset.name}: changed since the job was planned")
        return replace(found, left_out=left_out)

    @cached_property
    def task(self) -> Task:
        """The suite's task."""
        return make_task(self.benchmark, self.spec.protocol.suite)

    @cached_property
    def model(self) -> ModelAdapter:
        """The model's adapter."""
        made: ModelAdapter = _adapter(self.spec.model)
        return made

    @cached_property
    def loss(self) -> LossAdapter | None:
        """The loss's adapter; None for a checkpoint that brings no head."""
        made: LossAdapter | None = _adapter(self.spec.loss) if self.spec.loss else None
        return made

    @cached_property
    def device(self) -> torch.device:
        """Where tensors live."""
        import torch

        return torch.device(self.spec.device)

    @cached_property
    def counts(self) -> list[int]:
        """How many items of each class train."""
        found = self.dataset.training().items["label"].value_counts()
        return [int(found.get(label, 0)) for label in self.dataset.classes]

    def system(self) -> System:
        """A freshly initialised system; equal for equal seeds."""
        return self.system_for(len(self.dataset.classes), lambda: self.counts)

    def system_for(self, classes: int, counts: Callable[[], list[int]]) -> System:
        """A freshly initialised system for so many labels.

        Args:
            classes: labels of the training split.
            counts: training items of each label; called where the loss needs them.
        """
        import torch

        from harness.train.system import System

        torch.manual_seed(self.spec.seed or 0)
        recipe = self.spec.recipe
        counted = self.loss is not None and "counts" in self.loss.needs
        system = System(
            self.model,
            self.loss,
            classes,
            recipe.augment if recipe else None,
            counts() if counted else None,
            several=_several(recipe) if recipe else 0,
        )
        return system.to(self.device)


def _several(recipe: Recipe) -> int:
    """Nearest labels that batches may draw beside a label: all others of the largest batch."""
    samplers = [phase.sampler for phase in recipe.phases if phase.sampler]
    return max((each.speakers - 1 for each in samplers if each.hard), default=0)


def make_task(loaded: LoadedBenchmark, suite: str) -> Task:
    """A suite's task."""
    table = loaded.suite(suite)
    where = loaded.where("suites", suite)
    task: Task = construct(table.task, table.parameters, where, others=(), key="task")
    return task


def _adapter(component: RecordedComponent) -> Any:
    return construct(component.adapter, component.fields, component.name)
