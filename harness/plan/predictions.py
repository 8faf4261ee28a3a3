"""Predictions of memory, each made once and kept beside the packed corpora.

Torch is imported only for one that is not kept yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.config.imports import construct
from harness.config.recipes import Recipe
from harness.errors import HarnessError
from harness.job.measurement import ITEM_SECONDS
from harness.job.spec import Embedding
from harness.records import record
from harness.records.canonical import digest, readable_json
from harness.records.files import write_text

PREDICTION_VERSION = 3
"""Changes whenever the same step would be predicted otherwise."""

COUNTS = ("batch", "sampler", "micro_batch", "precision", "optimizer", "augment")
"""What of a recipe changes what a step holds."""

TOLD = 2**10
"""The largest batch of which it is told what embedding it takes."""

WHAT_NETWORKS_RAISE = (
    RuntimeError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    ImportError,
    OSError,
    AssertionError,
    HarnessError,
)
"""A network of somebody else's that does not work is its job's to fail with, in its own row."""


class Training(BaseModel):
    """How a recipe is trained within a budget (see `harness.train.budgeting.Within`).

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


Kept = TypeVar("Kept", Training, Embedding)


class Predictions:
    """Predictions within one budget.

    Args:
        folder: where they are kept.
        limit: bytes that tensors may take.
        tell: is told what a person waits for.
    """

    def __init__(self, folder: Path, limit: int, tell: Callable[[str], None]) -> None:
        self._folder, self.limit, self._tell = folder / "predictions", limit, tell

    def training(
        self,
        model: record.Component,
        loss: record.Component,
        recipe: Recipe,
        *,
        classes: int,
        seconds: float,
    ) -> Training:
        """How a recipe's batch is computed within the budget.

        Args:
            model, loss: the system.
            recipe: one training; its fine-tuning is another.
            classes: labels of the training split.
            seconds: length of a sound in a batch.
        """
        asked = recipe.model_dump(mode="json")
        inputs = {
            "model": _without_name(model),
            "loss": _without_name(loss),
            "recipe": {name: asked[name] for name in COUNTS if name in asked},
            "classes": classes,
            "seconds": seconds,
        }

        def predict() -> Training:
            self._tell(f"{model.name} + {loss.name}: predicting the memory of a training step")
            return _training(
                model, loss, recipe, classes=classes, seconds=seconds, limit=self.limit
            )

        return self._kept(inputs, Training, predict)

    def embedding(self, model: record.Component, precision: str = "32-true") -> Embedding:
        """What embedding takes: items of `ITEM_SECONDS` where they are sounds.

        Args:
            model: the network.
            precision: what it computes in, by a recipe's name of it.
        """
        inputs = {
            "model": _without_name(model),
            "embedded": ITEM_SECONDS,
            "precision": precision,
        }
        return self._kept(inputs, Embedding, lambda: _embedding(model, precision, self.limit))

    def _kept(self, inputs: dict[str, Any], kind: type[Kept], predict: Callable[[], Kept]) -> Kept:
        rests_on = {
            "version": PREDICTION_VERSION,
            "torch": version("torch"),
            "limit": self.limit,
            **inputs,
        }
        path = self._folder / f"{digest(rests_on)[:24]}.json"
        kept = _read(path, kind)
        if kept is None:
            kept = predict()
            content = {"inputs": rests_on, "predicted": kept.model_dump(mode="json")}
            write_text(path, readable_json(content))
        return kept


class _File(BaseModel):
    inputs: dict[str, Any]
    predicted: dict[str, Any]


def _read(path: Path, kind: type[Kept]) -> Kept | None:
    """What is kept; None where it is not there, or was written by another version."""
    try:
        document = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return kind.model_validate(_File.model_validate_json(document).predicted)
    except ValidationError:
        return None


def _training(
    model: record.Component,
    loss: record.Component,
    recipe: Recipe,
    *,
    classes: int,
    seconds: float,
    limit: int,
) -> Training:
    from harness.data.front_end import raw_shape
    from harness.train.budgeting import checkpointing, largest_training, prediction, within
    from harness.train.prediction import NotPredictable, Workload, predict_macs

    network = construct(model.adapter, model.fields, model.name)
    head = construct(loss.adapter, loss.fields, loss.name)
    work = Workload(network, head, classes, raw_shape(network.inputs(), seconds), recipe)
    try:
        found = within(work, limit)
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
    except WHAT_NETWORKS_RAISE as error:
        return Training(why=f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}")


def _embedding(model: record.Component, precision: str, limit: int) -> Embedding:
    from harness.data.front_end import raw_shape
    from harness.train.budgeting import embedding_step, largest_inference, prediction
    from harness.train.prediction import Workload

    network = construct(model.adapter, model.fields, model.name)
    work = Workload(network, None, 0, raw_shape(network.inputs(), ITEM_SECONDS))
    try:
        step = embedding_step(work, precision)
    except WHAT_NETWORKS_RAISE:  # what cannot be told beforehand among them
        return Embedding()
    batches = (2**power for power in range(TOLD.bit_length()))
    return Embedding(
        largest=largest_inference(step, limit),
        at={batch: prediction(step(batch)) for batch in batches},
    )


def _without_name(component: record.Component) -> dict[str, Any]:
    return component.model_dump(exclude={"name"})
