"""Recipes: the training of a system as data, and its fine-tuning."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationError, model_validator

from harness.config.init_source import InitialWeights
from harness.config.numbers import (
    BatchSize,
    Count,
    Range,
    Rate,
    Seconds,
    ShareBelowOne,
    Times,
)
from harness.config.recipe_tables import (
    Augment,
    Distill,
    LearningRate,
    Optimizer,
    Rise,
    Sampler,
)
from harness.config.tables import ConfigTable, Track

Pieces = Annotated[int, Range(1, 10**6)]


NOT_AGAIN: dict[str, None] = {"fine_tune": None, "init": None}
"""Keys of a recipe that its fine-tuning has not: it goes on from the first training's weights."""


class EvenCrops(ConfigTable):
    """Crops of one length, evenly spaced over an item from its beginning to its end."""

    seconds: Seconds
    count: Annotated[int, Range(1, 10_000)] = Field(
        description="crops an item; a single one lies in its middle"
    )


class FineTune(ConfigTable):
    """A second training, from the weights that the first one gave (large-margin fine-tuning).

    What is not given is as in the first one, but for speeds, which are over, and for what gives a
    run its shape, which has a recipe's defaults.
    """

    share: Times | None = Field(default=None, description="length over the first one's")
    epochs: Times | None = None
    steps: Count | None = None
    lr: Rate = Field(description="peak learning rate")
    learning_rate: LearningRate = LearningRate()
    schedules: dict[str, Rise] = Field(default={})
    batch: BatchSize | None = None
    sampler: Sampler | None = None
    micro_batch: BatchSize | None = None
    crop_seconds: Seconds | None = None
    augment: Augment | None = None
    validations: Pieces = 2
    checkpoints: Pieces = 10
    select: Literal["best", "last", "average"] = "best"
    average_last: Pieces = 1

    @model_validator(mode="after")
    def _one_length(self) -> FineTune:
        if sum(length is not None for length in (self.share, self.epochs, self.steps)) != 1:
            raise ValueError("give one of share, epochs and steps")
        return self

    def after(self, first: Recipe) -> Recipe:
        """Return the whole recipe of the second training.

        Args:
            first: the recipe that this is a part of.

        Raises:
            ValueError: the two cannot follow one another.
        """
        augment = self.augment or first.augment.model_copy(update={"speeds": ()})
        self._check_augment(augment, first.augment)
        own = ("learning_rate", "schedules", "validations", "checkpoints", "select", "average_last")
        second = {name: getattr(first, name) for name in Recipe.model_fields}
        second |= {name: getattr(self, name) for name in own}
        second |= self._length(first) | self._batches(first)
        second |= {"optimizer": first.optimizer.model_copy(update={"lr": self.lr})}
        try:
            return Recipe.model_validate({**second, "augment": augment, **NOT_AGAIN})
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error

    def _length(self, first: Recipe) -> dict[str, float | None]:
        if self.share is None:
            return {"steps": self.steps, "epochs": self.epochs}
        if first.steps is None:
            return {"steps": None, "epochs": self.share * (first.epochs or 1)}
        return {"steps": max(1, round(self.share * first.steps)), "epochs": None}

    def _batches(self, first: Recipe) -> dict[str, Any]:
        batch = self.batch or (self.sampler.batch if self.sampler else first.batch)
        inherited = first.micro_batch if (first.micro_batch or batch) < batch else None
        found = {
            "micro_batch": self.micro_batch or inherited,
            "crop_seconds": self.crop_seconds or first.crop_seconds,
        }
        if self.sampler is None and self.batch is None:
            return found
        return {**found, "sampler": self.sampler, "batch": batch}

    def _check_augment(self, second: Augment, first: Augment) -> None:
        """Refuse voices that the classifier does not know, and sounds that nobody opened."""
        if second.speeds not in ((), first.speeds):
            raise ValueError(
                f"augment.speeds: the classifier has classes for {list(first.speeds)}; give "
                "these, or none"
            )
        if first.speeds and not second.speeds and 1.0 not in first.speeds:
            raise ValueError(
                f"the classifier has no class for a voice at its own speed ({list(first.speeds)}); "
                "give augment with these speeds, or 1.0 among them"
            )
        if second.reverb not in (None, first.reverb):
            raise ValueError("augment.reverb: give what the first training has, or nothing")
        drawn = [one and (one.source, one.kinds) for one in (second.noise, first.noise)]
        if drawn[0] not in (None, drawn[1]):
            raise ValueError(
                "augment.noise: give the source and kinds that the first training has, or nothing"
            )


class Recipe(ConfigTable):
    """The training of a system: data alone, no code."""

    added: ClassVar[tuple[str, ...]] = (
        "sampler", "micro_batch", "fine_tune", "test_crops", "tf32", "deterministic", "patience",
        "keep_every_epochs", "vector_epochs", "init", "ema", "distill", "batch_norm",
    )  # fmt: skip

    track: Track = "matched"
    optimizer: Optimizer = Optimizer()
    learning_rate: LearningRate = LearningRate()
    schedules: dict[str, Rise] = Field(default={})
    batch: BatchSize = 32
    sampler: Sampler | None = Field(default=None, description="gives the batch, then")
    micro_batch: BatchSize | None = Field(
        default=None, description="most items that go through the network together: a part of batch"
    )
    batch_norm: Literal["parts", "full"] = Field(
        default="parts", description="whose statistics: each part's of a divided batch, or all's"
    )
    crop_seconds: Seconds | None = None
    epochs: Times | None = None
    steps: Count | None = None
    augment: Augment = Augment()
    precision: Literal["32-true", "bf16-mixed", "16-mixed", "auto"] = Field(
        default="32-true",
        description="auto: bf16-mixed where the device has instructions for it, else 32-true; "
        "a planned job has the one that it is",
    )
    tf32: bool = Field(default=False, description="float32 products of a GPU rounded to TF32")
    deterministic: bool = Field(
        default=True, description="a GPU's kernels give the same bits every time"
    )
    clip_norm: Annotated[float, Range(0, 10**9, above=True)] | None = None
    validations: Pieces = Field(default=2, description="evenly spaced, the last at the end")
    checkpoints: Pieces = Field(default=10, description="resume points over the run")
    select: Literal["best", "last", "average"] = "best"
    average_last: Pieces = 1
    fine_tune: FineTune | None = None
    test_crops: EvenCrops | None = Field(
        default=None, description="what is judged of an item; else the whole of it"
    )
    patience: Pieces | None = Field(
        default=None,
        description="validations in a row without a better one after which training ends",
    )
    keep_every_epochs: Pieces | None = Field(
        default=None, description="weights that stay: those after every so many epochs"
    )
    vector_epochs: tuple[Pieces, ...] = Field(
        default=(), description="epochs at whose end histograms and densities go into the series"
    )
    init: InitialWeights | None = Field(
        default=None, description="a checkpoint whose network training begins with; its head is new"
    )
    ema: ShareBelowOne | None = Field(
        default=None,
        description="decay of an exponential moving average of the weights, which is what is "
        "validated and kept",
    )
    distill: Distill | None = Field(default=None, description="the entry that teaches")

    @property
    def phases(self) -> tuple[Recipe, ...]:
        """Trainings in their order: the recipe, and its fine-tuning if it has one."""
        return (self,) if self.fine_tune is None else (self, self.fine_tune.after(self))

    @model_validator(mode="after")
    def _one_length(self) -> Recipe:
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give either steps or epochs")
        return self

    @model_validator(mode="after")
    def _batch_divides(self) -> Recipe:
        sampler, part = self.sampler, self.micro_batch
        if sampler is not None and "batch" not in self.model_fields_set:
            object.__setattr__(self, "batch", sampler.batch)  # frozen for all others
        if sampler is not None and sampler.batch != self.batch:
            raise ValueError(
                f"batch ({self.batch}) is not the sampler's {sampler.speakers} speakers x "
                f"{sampler.utterances} utterances ({sampler.batch}); leave batch out, or change "
                "both"
            )
        if part is not None and part >= self.batch:
            raise ValueError(
                f"micro_batch ({part}) must divide batch ({self.batch}) into two parts or more; "
                "leave it out to have the batch computed at once"
            )
        return self

    @model_validator(mode="after")
    def _patience_chooses(self) -> Recipe:
        if self.patience is not None and (self.select != "best" or self.fine_tune is not None):
            raise ValueError('patience needs select = "best", and no fine_tune after it')
        return self

    @model_validator(mode="after")
    def _fine_tune_follows(self) -> Recipe:
        if self.fine_tune is not None:
            try:
                self.fine_tune.after(self)
            except ValueError as error:
                raise ValueError(f"fine_tune: {error}") from error
        return self
