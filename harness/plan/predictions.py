"""Predictions of memory, each made once and kept beside the packed corpora.

Torch is imported only for one that is not kept yet.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.config.imports import construct
from harness.config.recipes import Recipe
from harness.errors import HarnessError
from harness.records import record
from harness.records.canonical import digest, readable_json
from harness.records.files import write_text

PREDICTION_VERSION = 1
"""Changes whenever the same step would be predicted otherwise."""

COUNTS = ("batch", "sampler", "micro_batch", "precision", "optimizer", "augment")
"""What of a recipe changes what a step holds."""


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


class Kept(BaseModel):
    """How a recipe is trained within a budget (see `harness.train.budgeting.Within`).

    Attributes:
        macs: multiply-adds of one item's forward pass.
        why: why nothing can be told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: int | None = None
    checkpointing: bool = False
    prediction: record.Prediction | None = None
    fits: bool = True
    macs: int | None = None
    why: str = ""


class Predictions:
    """Predictions within one budget.

    Args:
        folder: where they are kept.
        limit: bytes that tensors may take.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self.limit = folder / "predictions", limit

    def within(
        self,
        model: record.Component,
        loss: record.Component,
        recipe: Recipe,
        *,
        classes: int,
        seconds: float,
    ) -> Kept:
        """How a recipe's batch is computed within the budget.

        Args:
            model, loss: the system.
            recipe: one training; its fine-tuning is another.
            classes: labels of the training split.
            seconds: length of a sound in a batch.
        """
        asked = recipe.model_dump(mode="json")
        inputs = {
            "version": PREDICTION_VERSION,
            "torch": version("torch"),
            "model": _without_name(model),
            "loss": _without_name(loss),
            "recipe": {name: asked[name] for name in COUNTS if name in asked},
            "classes": classes,
            "seconds": seconds,
            "limit": self.limit,
        }
        path = self._folder / f"{digest(inputs)[:24]}.json"
        kept = _read(path)
        if kept is None:
            kept = _predicted(
                model, loss, recipe, classes=classes, seconds=seconds, limit=self.limit
            )
            write_text(path, readable_json({"inputs": inputs, **kept.model_dump()}))
        return kept


def _read(path: Path) -> Kept | None:
    """What is kept; None where it is not there, or was written by another version."""
    try:
        document = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return _File.model_validate_json(document).kept
    except ValidationError:
        return None


class _File(Kept):
    inputs: dict[str, Any]

    @property
    def kept(self) -> Kept:
        return Kept.model_validate(self.model_dump(exclude={"inputs"}))


def _predicted(
    model: record.Component,
    loss: record.Component,
    recipe: Recipe,
    *,
    classes: int,
    seconds: float,
    limit: int,
) -> Kept:
    from harness.data.front_end import raw_shape
    from harness.train.budgeting import within
    from harness.train.prediction import NotPredictable, Workload, predict_macs

    network = construct(model.adapter, model.fields, model.name)
    head = construct(loss.adapter, loss.fields, loss.name)
    item = raw_shape(network.inputs(), seconds)
    work = Workload(network, head, classes, item, recipe)
    try:
        found, macs = within(work, limit), predict_macs(work)
    except NotPredictable as error:
        return Kept(why=str(error))
    except WHAT_NETWORKS_RAISE as error:
        return Kept(why=f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}")
    return Kept(**vars(found), macs=macs)


def _without_name(component: record.Component) -> dict[str, Any]:
    return component.model_dump(exclude={"name"})
