"""Questions about a system's memory. Torch is imported when one is answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from harness.config.recipes import Recipe
from harness.errors import ADAPTER_ERRORS
from harness.records import record
from harness.records.costs import Prediction
from harness.run.job.results import ITEM_SECONDS
from harness.run.job.spec import Embedding
from harness.run.plan.questions import Report, adapter_key, make_adapter

COUNTS = ("batch", "sampler", "micro_batch", "precision", "optimizer", "augment", "batch_norm")
"""Keys of a recipe that change what a step holds."""

LARGEST = 2**10
"""The largest batch whose memory in embedding is predicted."""


class Training(BaseModel):
    """A recipe's training within a budget (see `harness.budget.fit_to_budget.BudgetFit`).

    Attributes:
        largest: items that a step takes at once within the budget.
        macs: multiply-adds of one item's forward pass.
        why: the reason why nothing can be predicted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: int | None = None
    checkpointing: bool = False
    prediction: Prediction | None = None
    fits: bool = True
    largest: int | None = None
    macs: int | None = None
    why: str = ""


@dataclass(frozen=True)
class TrainingStep:
    """Predicts a step of one training.

    Attributes:
        model, loss: the system.
        recipe: one training; its fine-tuning is another.
        classes: labels of the training split.
        seconds: length of a sound in a batch.
        limit: bytes that the allocator of a GPU may take.
    """

    model: record.RecordedComponent
    loss: record.RecordedComponent
    recipe: Recipe
    classes: int
    seconds: float
    limit: int = 0

    answers: ClassVar = Training

    @property
    def adapters(self) -> frozenset[str]:
        """The keys of model and loss."""
        return frozenset(adapter_key(each.adapter, each.fields) for each in (self.model, self.loss))

    @property
    def system(self) -> str:
        """Its name for a person who waits."""
        return f"{self.model.name} + {self.loss.name}"

    @property
    def rests_on(self) -> dict[str, Any]:
        """All that can change the prediction, beside the limit."""
        asked = self.recipe.model_dump(mode="json")
        return {
            "model": self.model.model_dump(exclude={"name"}),
            "loss": self.loss.model_dump(exclude={"name"}),
            "recipe": {name: asked[name] for name in COUNTS if name in asked},
            "classes": self.classes,
            "seconds": self.seconds,
        }

    def answer(self, report: Report) -> Training:
        """Choose how the batch is computed within the limit, and predict it."""
        from harness.budget.fit_to_budget import (
            checkpointing,
            fit_to_budget,
            largest_training,
            prediction,
            without_workspaces,
        )
        from harness.budget.prediction import Workload, predict_macs
        from harness.budget.tracing import NotPredictable
        from harness.feeding.front_end import raw_shape

        report(f"predicting the memory of a training step of {self.system}")
        network, head = _make(self.model), _make(self.loss)
        item = raw_shape(network.inputs(), self.seconds)
        work = Workload(network, head, self.classes, item, self.recipe)
        room = without_workspaces(self.limit)
        try:
            found = fit_to_budget(work, room)
            lean = replace(work, model=checkpointing(network)) if found.checkpointing else work
            return Training(
                part=found.part,
                checkpointing=found.checkpointing,
                prediction=prediction(found.step, self.limit),
                fits=found.fits,
                largest=largest_training(lean, room, found.whole),
                macs=predict_macs(work),
            )
        except NotPredictable as error:
            return Training(why=str(error))
        except ADAPTER_ERRORS as error:
            return Training(why=f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}")


@dataclass(frozen=True)
class EmbeddedBatch:
    """Predicts a batch of items that are embedded, of `ITEM_SECONDS` if they are sounds.

    Attributes:
        model: the network.
        precision: of the computation, as a recipe names it.
        limit: bytes that the allocator of a GPU may take.
    """

    model: record.RecordedComponent
    precision: str = "32-true"
    limit: int = 0

    answers: ClassVar = Embedding

    @property
    def adapters(self) -> frozenset[str]:
        """The key of the model."""
        return frozenset({adapter_key(self.model.adapter, self.model.fields)})

    @property
    def rests_on(self) -> dict[str, Any]:
        """All that can change the prediction, beside the limit."""
        return {
            "model": self.model.model_dump(exclude={"name"}),
            "embedded": ITEM_SECONDS,
            "precision": self.precision,
        }

    def answer(self, report: Report) -> Embedding:
        """Predict batches of growing size, and the largest within the limit."""
        from harness.budget.fit_to_budget import (
            embedding_step,
            largest_inference,
            prediction,
            without_workspaces,
        )
        from harness.budget.prediction import Workload
        from harness.feeding.front_end import raw_shape

        report(f"predicting the memory of embedding with {self.model.name}")
        network = _make(self.model)
        work = Workload(network, None, 0, raw_shape(network.inputs(), ITEM_SECONDS))
        try:
            step = embedding_step(work, self.precision)
        except ADAPTER_ERRORS:  # what cannot be predicted among them
            return Embedding()
        batches = (2**power for power in range(LARGEST.bit_length()))
        return Embedding(
            largest=largest_inference(step, without_workspaces(self.limit)),
            at={batch: prediction(step(batch), self.limit) for batch in batches},
        )


def _make(component: record.RecordedComponent) -> Any:
    return make_adapter(component.adapter, component.fields, component.name)
