"""One job as data: all that its stages need to know, in plain JSON types, and their keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.config.numbers import EMBEDDINGS_MIB
from harness.config.recipes import EvenCrops, Recipe
from harness.config.schema import Averaging
from harness.config.tables import Profile
from harness.records.costs import Prediction
from harness.records.documents import digest
from harness.records.recipe_name import read_recipe_name
from harness.records.record import Data, Environment, Protocol, RecordedComponent, Stage
from harness.run.job.audit_answer import AuditTask
from harness.run.job.initial import Initial
from harness.run.job.limits import Limits
from harness.run.job.parent import Parent
from harness.run.job.results import TimedShapes, stage_folder

DIVISION = {"micro_batch", "batch_norm", "fine_tune"}
"""Keys of a recipe that a record of costs holds only where they are not the defaults."""


class Embedding(BaseModel):
    """The memory that embedding was predicted to take; empty if it cannot be predicted.

    Attributes:
        largest: items that are embedded at once within the budget.
        at: items at once -> memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    largest: int | None = None
    at: dict[int, Prediction] = Field(default_factory=dict)


class JobSpec(BaseModel):
    """A job and the keys of its stages.

    A job without a model adapter is the task's no-training baseline; one with `checkpoint`
    enters at `evaluate` with weights made elsewhere.

    Attributes:
        benchmark: the benchmark file.
        runs: the folder of stages and records.
        cache: the folder of packed corpora.
        profile: of the dataset.
        is_one_of_several: the call has its model and loss with other recipes too.
        leave_out_damaged: go on without files that cannot be used.
        left_out: the items of these files.
        device, threads: that it computes with.
        data_workers: processes that make training inputs; no result depends on them.
        limits: the time that it may take.
        memory_limit: bytes that tensors may take on a GPU, by the benchmark's budget.
        prediction: memory that a training step was predicted to take.
        largest_training: items of a step that were predicted to fit the limit at once.
        embedding: memory that embedding was predicted to take.
        item_macs: multiply-adds of one training item's forward pass.
        notes: notes for its row about how it was planned.
        refused: the reason why it cannot be run, if its adapters' code failed in planning.
        only: the one thing to do, with nothing trained; None for the whole job.
        shapes: of the dataset, for `only = "time"`.
        options: torch's options that are measured (see `OPTIONS`).
        keep_states: how many states its training keeps for an audit; no result depends on them.
        keep_embeddings: MiB that the kept test embeddings may take; no result depends on them.
        lease: token of the lease of its folder, if whoever asks for it holds that.
        audit: what is run again of its training, for `only = "audit"`.
        parent: the finished training that its training goes on from; None if it begins.
        initial: weights that its training begins with; None if they are drawn.
        trained_on: what weights that were there before it were trained on; None if there were none,
            or it is not known.
        teacher: the job whose network teaches its own; trained first, if it is not yet.
        members: the jobs whose networks are judged as one; trained first, likewise.
        average: what is averaged of the members' outputs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: Path
    runs: Path
    cache: Path
    profile: Profile
    is_one_of_several: bool = False
    leave_out_damaged: bool = False
    left_out: tuple[str, ...] = ()
    device: Literal["cpu", "cuda", "mps"]
    threads: int
    data_workers: int = 0
    limits: Limits = Limits()
    protocol: Protocol
    dataset: Data
    model: RecordedComponent
    loss: RecordedComponent | None = None
    recipe: Recipe | None = None
    recipe_name: str | None = None
    track: str
    seed: int | None = None
    checkpoint: Path | None = None
    checkpoint_sha256: str | None = None
    environment: Environment | None = None
    memory_limit: int | None = None
    prediction: Prediction | None = None
    largest_training: int | None = None
    embedding: Embedding = Embedding()
    item_macs: int | None = None
    notes: tuple[str, ...] = ()
    refused: str = ""
    train_inputs: dict[str, object] | None = None
    code: str = ""
    only: Literal["measure", "time", "audit", "validate"] | None = None
    shapes: TimedShapes | None = None
    options: tuple[str, ...] = ()
    keep_states: int = 0
    keep_embeddings: int = EMBEDDINGS_MIB
    lease: str = ""
    audit: AuditTask | None = None
    parent: Parent | None = None
    initial: Initial | None = None
    trained_on: tuple[str, ...] | None = None
    teacher: JobSpec | None = None
    members: tuple[JobSpec, ...] = ()
    average: Averaging = "probabilities"

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> JobSpec:
        """Copy the job, without the keys that it was asked for: an update may change them."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("train", "measure", "digest", "folder"):
            copied.__dict__.pop(name, None)
        return copied

    @property
    def is_baseline(self) -> bool:
        """True for the row that needs no training."""
        return self.loss is None and self.checkpoint is None and not self.members

    @property
    def test_crops(self) -> EvenCrops | None:
        """Crops that a system is judged by; None if it is judged by whole items."""
        return self.recipe.test_crops if self.recipe else None

    @cached_property
    def train(self) -> Stage | None:
        """Key of the training stage; None if nothing is trained."""
        return _stage(self.train_inputs) if self.train_inputs else None

    @property
    def configuration(self) -> str:
        """A hash of the configuration of the system, whatever the seed."""
        recipe = self.recipe.model_dump(mode="json") if self.recipe else self.checkpoint_sha256
        return digest([self.model.fields, self.loss and self.loss.fields, recipe])

    @cached_property
    def measure(self) -> Stage | None:
        """Key of the measuring stage; None if there is no network."""
        if self.is_baseline or self.members or self.environment is None:
            return None
        division = self.recipe.model_dump(mode="json", include=DIVISION) if self.recipe else {}
        return _stage(
            {
                "stage": "measure",
                "version": MEASURE_VERSION,
                "model": self.model.model_dump(),
                "loss": self.loss.model_dump() if self.loss else None,
                "batch": self.recipe.batch if self.recipe else None,
                "crop_seconds": self.recipe.crop_seconds if self.recipe else None,
                "precision": self.recipe.precision if self.recipe else "32-true",
                "optimizer": self.recipe.optimizer.name if self.recipe else None,
                **division,
                "augment": self.recipe.augment.model_dump() if self.recipe else None,
                "classes": self.dataset.counts["train"],
                "dataset": self.dataset.name,
                "environment": self.environment.model_dump(),
                "memory_limit": self.memory_limit,
                **({"options": list(self.options)} if self.options else {}),
            }
        )

    def evaluate(
        self, checkpoint: str, stage: Literal["evaluate", "validate"] = "evaluate"
    ) -> Stage:
        """Return the key of the evaluation of a checkpoint, given by its hash.

        Args:
            checkpoint: its sha256.
            stage: `validate` for an evaluation on the validation split alone.
        """
        return _stage(
            {
                "stage": stage,
                "version": EVALUATE_VERSION,
                "checkpoint": checkpoint,
                "model": self.model.model_dump(),
                "protocol": self.protocol.digest,
                "loss": self.loss.model_dump() if self.loss else None,
                "left_out": list(self.left_out),
                **({"test_crops": self.test_crops.model_dump()} if self.test_crops else {}),
                **(
                    {"members": [each.train and each.train.key for each in self.members]}
                    if self.members
                    else {}
                ),
            }
        )

    @cached_property
    def digest(self) -> str:
        """A hash of the job."""
        return digest(
            {
                "train": self.train.key if self.train else self.checkpoint_sha256,
                "evaluate": self.evaluate("").key,
                "measure": self.measure.key if self.measure else None,
                "suite": [self.protocol.suite, self.protocol.version],
            }
        )

    @property
    def training_macs(self) -> int:
        """Multiply-adds of all forward passes of its training; 0 if there is none, or not known."""
        if self.recipe is None or self.item_macs is None:
            return 0
        items: float = (self.recipe.steps or 0) * self.recipe.batch
        if self.recipe.epochs:
            items = self.recipe.epochs * self.dataset.counts["train"]["items"]
        return round(self.item_macs * items)

    @property
    def at_batch(self) -> str:
        """The batch of its training, for a message; empty if nothing is trained."""
        if self.recipe is None:
            return ""
        crop = f" of {self.recipe.crop_seconds:g} s crops" if self.recipe.crop_seconds else ""
        return f" at batch {self.recipe.batch}{crop}"

    @property
    def title(self) -> str:
        """The job's name for a person."""
        loss = f" + {self.loss.name}" if self.loss else ""
        has_others = self.is_one_of_several or self.track in ("recipe", "extended")
        told = has_others or read_recipe_name(self.recipe_name).budget is not None
        recipe = f", {self.recipe_name}" if told else ""
        seed = f", seed {self.seed}" if self.seed is not None else ""
        return f"{self.dataset.name}: {self.model.name}{loss}{recipe}{seed}"

    @cached_property
    def folder(self) -> Path:
        """The folder of the job's record."""
        seed = f"seed{self.seed}-" if self.seed is not None else ""
        suite = f"{self.protocol.suite}-{self.protocol.profile}"
        names = (_file_name(name) for name in (suite, self.dataset.name))
        return self.runs.joinpath(*names, self.entry_folder, f"{seed}{self.digest[:12]}")

    @property
    def entry_folder(self) -> str:
        """The entry in a folder's name: model, loss and recipe."""
        loss = self.loss.name if self.loss else None
        return _file_name("+".join(filter(None, (self.model.name, loss, self.recipe_name))))

    def stage_folder(self, name: str, key: str) -> Path:
        """Return the folder of a stage's files, for all jobs that share it."""
        return stage_folder(self.runs, name, key)


OPTIONS = ("bf16", "channels-last", "compile")
"""Options of torch for speed: half precision, another order of memory, compiled kernels."""


def embedding_precision(options: Collection[str]) -> str:
    """Return the precision of embeddings, as a recipe names it."""
    return "bf16-mixed" if "bf16" in options else "32-true"


TRAIN_VERSION = 1
"""Changes whenever the same training inputs would give other weights."""

EVALUATE_VERSION = 1
"""Changes whenever the same checkpoint and protocol would give other scores."""

LONGEST_NAME = 200
"""Bytes in a folder's name; file systems allow 255."""

MEASURE_VERSION = 3
"""Changes whenever the same network in the same place would be measured otherwise."""


def _file_name(text: str) -> str:
    """Return a folder's name for any text: it cannot leave its parent or be too long for a disk."""
    plain = re.sub(r"[/\\\x00-\x1f]", "_", text).replace(" ", "-")
    inside = "_" + plain if plain.startswith(".") else plain
    return inside if len(inside.encode()) <= LONGEST_NAME else f"{inside[:40]}-{digest(text)[:12]}"


def _stage(inputs: dict[str, object]) -> Stage:
    return Stage(key=digest(inputs), inputs=inputs)
