"""The live objects of a job (dataset, task, adapters, device), and memory that runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING

from harness.adapter import LossAdapter, ModelAdapter
from harness.config.imports import construct
from harness.config.loader import LoadedBenchmark, load
from harness.datasets.dataset import OpenDataset, open_dataset
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError, OutOfMemory
from harness.measure.alone import AT_WORK
from harness.measure.gpu_room import GpuRoom
from harness.measure.memory_use import is_out_of_memory
from harness.records.lease import check_leases
from harness.run.events import ProgressEvent, Watch, ignore
from harness.run.job.results import SILENCE
from harness.run.job.spec import JobSpec
from harness.tasks.task import Task

if TYPE_CHECKING:
    import torch

    from harness.train.system import System

OFTEN = 1.0
"""Seconds between two reports that work goes on within one unit."""


class JobContext:
    """The live objects behind a job's spec, each made when it is first asked for.

    Args:
        spec: the job.
        watch: receives the job's progress.
        room: on its GPU when it began; None on a processor.
    """

    def __init__(self, spec: JobSpec, watch: Watch = ignore, room: GpuRoom | None = None) -> None:
        self.spec, self._watch, self.room = spec, watch, room
        self._stage = self._last = ProgressEvent("advance")
        self._told = 0.0
        # Read first: it makes the user's own adapters, beside the file, importable.
        self.benchmark: LoadedBenchmark = load(spec.benchmark)

    def of(self, spec: JobSpec) -> JobContext:
        """Return the context of another job that this one rests on, in the same process."""
        return JobContext(spec, self._watch, self.room)

    def begin(self, stage: str, total: int, *, is_quiet: bool = False) -> None:
        """Report that a stage, or a part of one, begins.

        Args:
            stage: its name.
            total: its units.
            is_quiet: True if it may be silent for as long as it takes.
        """
        self._last = ProgressEvent("advance")
        self._stage = ProgressEvent("stage", stage, total=total, is_quiet=is_quiet)
        self._watch(self._stage)

    def advance(self, done: int, loss: float | None = None) -> None:
        """Report that `done` units of the stage are done in all, with the loss if there is one.

        Here the work stands still while another job of the machine is measured.

        Raises:
            LeaseLost: another process has taken over what this one works on.
        """
        self._last = ProgressEvent("advance", done=done)  # Repeated, it is no step of its own.
        self._watch(replace(self._last, loss=loss))
        check_leases()
        AT_WORK.stand_aside(self._wait_outside)

    def go_on(self, _: object = None) -> None:
        """Report that the work goes on within a unit that takes long.

        The thread that does the work calls this after a batch or a repeat of it, so that work which
        hangs is silent.
        """
        if (now := monotonic()) - self._told > OFTEN:
            self._told = now
            self._watch(self._last)

    def wait(self, begins: bool) -> None:
        """Report that another process has to be waited for, or no longer; it may measure then."""
        if begins:
            AT_WORK.leave()
        else:
            AT_WORK.rejoin()
        tell_waiting(self._watch, begins)

    def wait_for_silence(self, begins: bool) -> None:
        """Report that other jobs have to stand still before this one is measured, or do so now."""
        tell_waiting(self._watch, begins, SILENCE)

    def _wait_outside(self, begins: bool) -> None:
        """Report that another job is measured, or no longer."""
        if begins:
            tell_waiting(self._watch, begins, "waiting while another job is measured")
        else:
            self._watch(self._stage)
            self._watch(self._last)

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
        found = self.spec.model
        made: ModelAdapter = construct(found.adapter, found.fields, found.name)
        return made

    @cached_property
    def loss(self) -> LossAdapter | None:
        """The loss's adapter; None for a checkpoint that brings no head."""
        found = self.spec.loss
        if found is None:
            return None
        made: LossAdapter = construct(found.adapter, found.fields, found.name)
        return made

    @cached_property
    def device(self) -> torch.device:
        """The device of all tensors."""
        import torch

        return torch.device(self.spec.device)

    @cached_property
    def counts(self) -> list[int]:
        """Training items of each class."""
        found = self.dataset.training().items["label"].value_counts()
        return [int(found.get(label, 0)) for label in self.dataset.classes]

    def system(self) -> System:
        """Return a freshly initialised system; equal for equal seeds."""
        return self.system_for(len(self.dataset.classes), lambda: self.counts)

    def system_for(self, classes: int, counts: Callable[[], list[int]]) -> System:
        """Return a freshly initialised system for a number of labels.

        Args:
            classes: labels of the training split.
            counts: returns the training items of each label; called if the loss needs them.
        """
        import torch

        from harness.train.system import System

        torch.manual_seed(self.spec.seed or 0)
        recipe = self.spec.recipe
        counted = self.loss is not None and "counts" in self.loss.needs
        samplers = [each.sampler for each in recipe.phases if each.sampler] if recipe else []
        system = System(
            self.model,
            self.loss,
            classes,
            recipe.augment if recipe else None,
            counts() if counted else None,
            # Nearest labels that batches may draw beside a label: the others of the largest batch.
            several=max((each.speakers - 1 for each in samplers if each.hard), default=0),
            distill=recipe.distill if recipe else None,
        )
        return system.to(self.device)


def tell_waiting(watch: Watch, begins: bool, why: str = "waiting for another call") -> None:
    """Tell that a job begins, or ends, to wait for other processes."""
    watch(ProgressEvent("stage", why if begins else "starting", is_quiet=begins))


def make_task(loaded: LoadedBenchmark, suite: str) -> Task:
    """Make a suite's task."""
    table = loaded.suite(suite)
    where = loaded.where("suites", suite)
    task: Task = construct(table.task, table.parameters, where, others=(), key="task")
    return task


class StepOutOfMemory(OutOfMemory):
    """A training step had no memory left; smaller parts of its batch may have enough."""


@contextmanager
def memory_errors(doing: str, kind: type[OutOfMemory] = OutOfMemory) -> Iterator[None]:
    """Turn an allocator's refusal into `OutOfMemory`; every other error stays as it is.

    Args:
        doing: what is done inside, with its batch, for the message.
        kind: the error.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not (isinstance(error, MemoryError) or is_out_of_memory(error)):
            raise
        asked = str(error).partition("\n")[0][:200]
        raise kind(f"out of memory {doing}" + (f": {asked}" if asked else "")) from error
