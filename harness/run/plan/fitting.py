"""A recipe made to fit the benchmark's memory budget, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.adapter import CHECKPOINTING
from harness.config.recipe_tables import in_parts
from harness.config.recipes import FineTune, Recipe
from harness.records import record
from harness.run.plan.chosen import Chosen
from harness.run.plan.predictions import Predictions, Question
from harness.run.plan.questions import EmbeddedBatch, Training, TrainingStep
from harness.run.plan.request import Source


@dataclass(frozen=True)
class Fitted:
    """An entry as it is trained within the budget.

    Attributes:
        model: with activations made again where nothing else helps.
        recipe: with parts for each of its trainings that does not fit at once.
        prediction: of the training that takes most; None where nothing can be told.
        largest: items of a step of the first training that fit at once.
        macs: multiply-adds of one training item's forward pass.
        notes: what a reader of its row must know.
    """

    model: record.RecordedComponent
    recipe: Recipe
    prediction: record.Prediction | None
    largest: int | None = None
    macs: int | None = None
    notes: tuple[str, ...] = ()


def questions(entry: Chosen, source: Source, precision: str) -> Iterator[Question]:
    """What is predicted for an entry, as far as it is known before anything is.

    Args:
        entry: the system and its recipe.
        source: what it is trained on.
        precision: in which embeddings are computed, by a recipe's name of it.
    """
    steps = (_step(entry, phase, source) for phase in entry.recipe.phases)
    yield from (step for step in steps if step)
    yield EmbeddedBatch(entry.model, precision)


def fitted(entry: Chosen, source: Source, predictions: Predictions) -> Fitted:
    """Make an entry's recipe fit, changing as little of it as possible."""
    model, recipe = entry.model, entry.recipe
    found = [_within(entry, phase, source, predictions) for phase in recipe.phases]
    if any(kept.checkpointing for kept in found):
        model = model.model_copy(update={"fields": {**model.fields, CHECKPOINTING: True}})
    told = [kept.prediction for kept in found if kept.prediction is not None]
    return Fitted(
        model,
        _with_parts(recipe, found),
        max(told, key=lambda each: each.reserved, default=None),
        found[0].largest,
        found[0].macs,
        tuple(
            note
            for phase, kept in zip(recipe.phases, found, strict=True)
            for note in _notes(phase, kept)
        ),
    )


def _within(entry: Chosen, phase: Recipe, source: Source, predictions: Predictions) -> Training:
    step = _step(entry, phase, source)
    if step is None:
        return Training(why="its lists do not tell how long a sound is, and the recipe crops none")
    return predictions.training(step)


def _step(entry: Chosen, phase: Recipe, source: Source) -> TrainingStep | None:
    """A step of one training; None where nobody knows how long its sounds are."""
    listing = source.listing
    longest = float(listing.items["seconds"].max()) if len(listing.items) else 0.0
    seconds = phase.crop_seconds or longest
    if listing.corpus.kind == "audio" and not seconds:
        return None
    return TrainingStep(entry.model, entry.loss, phase, len(listing.classes), seconds)


def _with_parts(recipe: Recipe, found: list[Training]) -> Recipe:
    first, *second = found
    changed: dict[str, int | FineTune] = {}
    if first.part not in (None, recipe.micro_batch):
        changed["micro_batch"] = first.part
    if second and recipe.fine_tune and second[0].part not in (None, recipe.phases[1].micro_batch):
        tuned = recipe.fine_tune.model_copy(update={"micro_batch": second[0].part})
        changed["fine_tune"] = tuned
    return recipe.model_copy(update=changed)


def _notes(phase: Recipe, kept: Training) -> Iterator[str]:
    if kept.part not in (None, phase.micro_batch):
        yield (
            f"batch {in_parts(phase.batch, kept.part)} to fit the memory budget: the loss is that "
            f"of {phase.batch} items, batch normalisation saw at most {kept.part} at a time"
        )
    if kept.checkpointing:
        yield "activations were computed again in the backward pass to fit the memory budget"
    if not kept.fits:
        yield "predicted not to fit the memory budget, whatever is done"
