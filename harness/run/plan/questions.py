"""What is predicted of a system's memory, and how. Torch is imported when it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from harness.config.imports import construct
from harness.config.recipes import Recipe
from harness.errors import ADAPTER_ERRORS
from harness.records import record
from harness.run.job.measurement import ITEM_SECONDS
from harness.run.job.spec import Embedding

T_co = TypeVar("T_co", bound=BaseModel, covariant=True)

Report = Callable[[str], None]
"""Takes what foreign code is about to be run for: a process that dies of it can say no more."""

COUNTS = ("batch", "sampler", "micro_batch", "precision", "optimizer", "augment")
"""What of a recipe changes what a step holds."""

TOLD = 2**10
"""The largest batch of which it is told what embedding it takes."""


class Question(Protocol[T_co]):
    """A question that runs adapters' code, as data that goes to another process.

    Attributes:
        answers: the class of its answer.
    """

    @property
    def answers(self) -> type[T_co]:
        """The class of its answer."""

    @property
    def adapters(self) -> frozenset[str]:
        """Whose code is run (see `adapter_key`)."""

    def answer(self, report: Report) -> T_co:
        """Run it."""


def adapter_key(adapter: str, fields: dict[str, Any]) -> str:
    """Tells adapters apart, with the fields that they are made from."""
    return f"{adapter} {json.dumps(fields, sort_keys=True, default=str)}"


class Training(BaseModel):
    """How a recipe is trained within a budget (see `harness.budget.fit_to_budget.BudgetFit`).

    Attributes:
        largest: items that a step takes at once within the budget.
        macs: multiply-adds of one item's forward pass.
        why: why nothing can be told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: int | None = None
    checkpointing: bool = False
    prediction: record.Prediction | None = None
    fits: bool = True
    largest: int | None = None
    macs: int | None = None
    why: str = ""


@dataclass(frozen=True)
class TrainingStep:
    """A step of one training.

    Attributes:
        model, loss: the system.
        recipe: one training; its fine-tuning is another.
        classes: labels of the training split.
        seconds: length of a sound in a batch.
    """

    model: record.RecordedComponent
    loss: record.RecordedComponent
    recipe: Recipe
    classes: int
    seconds: float

    @property
    def system(self) -> str:
        """Its name for a person who waits."""
        return f"{self.model.name} + {self.loss.name}"

    @property
    def rests_on(self) -> dict[str, Any]:
        """All that can change the prediction, beside the budget."""
        asked = self.recipe.model_dump(mode="json")
        return {
            "model": _without_name(self.model),
            "loss": _without_name(self.loss),
            "recipe": {name: asked[name] for name in COUNTS if name in asked},
            "classes": self.classes,
            "seconds": self.seconds,
        }

    def predicted(self, limit: int) -> Training:
        """How the batch is computed within a limit of bytes."""
        from harness.budget.fit_to_budget import (
            checkpointing,
            fit_to_budget,
            largest_training,
            prediction,
        )
        from harness.budget.prediction import Workload, predict_macs
        from harness.budget.tracing import NotPredictable
        from harness.feeding.front_end import raw_shape

        network, head = _built(self.model), _built(self.loss)
        item = raw_shape(network.inputs(), self.seconds)
        work = Workload(network, head, self.classes, item, self.recipe)
        try:
            found = fit_to_budget(work, limit)
            chosen = replace(work, model=checkpointing(network)) if found.checkpointing else work
            return Training(
                part=found.part,
                checkpointing=found.checkpointing,
                prediction=prediction(found.step),
                fits=found.fits,
                largest=largest_training(chosen, limit, found.whole),
                macs=predict_macs(work),
            )
        except NotPredictable as error:
            return Training(why=str(error))
        except ADAPTER_ERRORS as error:
            return Training(why=f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}")


@dataclass(frozen=True)
class EmbeddedBatch:
    """A batch of items that are embedded, of `ITEM_SECONDS` where they are sounds.

    Attributes:
        model: the network.
        precision: what it computes in, by a recipe's name of it.
    """

    model: record.RecordedComponent
    precision: str = "32-true"

    @property
    def rests_on(self) -> dict[str, Any]:
        """All that can change the prediction, beside the budget."""
        return {
            "model": _without_name(self.model),
            "embedded": ITEM_SECONDS,
            "precision": self.precision,
        }

    def predicted(self, limit: int) -> Embedding:
        """What it takes, and what fits a limit of bytes."""
        from harness.budget.fit_to_budget import embedding_step, largest_inference, prediction
        from harness.budget.prediction import Workload
        from harness.feeding.front_end import raw_shape

        network = _built(self.model)
        work = Workload(network, None, 0, raw_shape(network.inputs(), ITEM_SECONDS))
        try:
            step = embedding_step(work, self.precision)
        except ADAPTER_ERRORS:  # what cannot be told beforehand among them
            return Embedding()
        batches = (2**power for power in range(TOLD.bit_length()))
        return Embedding(
            largest=largest_inference(step, limit),
            at={batch: prediction(step(batch)) for batch in batches},
        )


@dataclass(frozen=True)
class TrainingWithin:
    """A step of one training, within a limit of bytes."""

    step: TrainingStep
    limit: int

    answers: ClassVar = Training

    @property
    def adapters(self) -> frozenset[str]:
        """Whose code is run."""
        parts = (self.step.model, self.step.loss)
        return frozenset(adapter_key(each.adapter, each.fields) for each in parts)

    def answer(self, report: Report) -> Training:
        """Predict it."""
        report(f"predicting the memory of a training step of {self.step.system}")
        return self.step.predicted(self.limit)


@dataclass(frozen=True)
class EmbeddingWithin:
    """A batch of items that are embedded, within a limit of bytes."""

    batch: EmbeddedBatch
    limit: int

    answers: ClassVar = Embedding

    @property
    def adapters(self) -> frozenset[str]:
        """Whose code is run."""
        return frozenset({adapter_key(self.batch.model.adapter, self.batch.model.fields)})

    def answer(self, report: Report) -> Embedding:
        """Predict it."""
        report(f"predicting the memory of embedding with {self.batch.model.name}")
        return self.batch.predicted(self.limit)


def _built(component: record.RecordedComponent) -> Any:
    return construct(component.adapter, component.fields, component.name)


def _without_name(component: record.RecordedComponent) -> dict[str, Any]:
    return component.model_dump(exclude={"name"})
