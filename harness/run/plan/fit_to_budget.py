"""Fit an entry's recipe to the benchmark's memory budget, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.adapter import CHECKPOINTING
from harness.config.recipes import FineTune, Recipe
from harness.datasets.listing import Listing
from harness.records import record
from harness.records.parts import in_parts
from harness.run.plan.memory_questions import EmbeddedBatch, Training, TrainingStep
from harness.run.plan.predictions import Prediction, Predictions
from harness.run.plan.resolved import ResolvedEntry


@dataclass(frozen=True)
class FittedEntry:
    """An entry as it is trained within the budget.

    Attributes:
        model: with activation checkpointing if nothing else helps.
        recipe: with gradient accumulation for each of its trainings that does not fit at once.
        prediction: of the training that takes most; None if nothing can be predicted.
        largest: items of a step of the first training that fit at once.
        macs: multiply-adds of one training item's forward pass.
        notes: for its row.
    """

    model: record.Component
    recipe: Recipe
    prediction: record.Prediction | None
    largest: int | None = None
    macs: int | None = None
    notes: tuple[str, ...] = ()


def memory_questions(
    entry: ResolvedEntry, listing: Listing, precision: str
) -> Iterator[Prediction]:
    """Yield the predictions that an entry needs, as far as they are known before any is made.

    Args:
        entry: the system and its recipe.
        listing: its dataset.
        precision: of embeddings, as a recipe names it.
    """
    steps = (_step(entry, phase, listing) for phase in entry.recipe.phases)
    yield from (step for step in steps if step)
    yield EmbeddedBatch(entry.model, precision)


def fit_entry(entry: ResolvedEntry, listing: Listing, predictions: Predictions) -> FittedEntry:
    """Make an entry's recipe fit, changing as little of it as possible."""
    model, recipe = entry.model, entry.recipe
    found: list[Training] = []
    for phase in recipe.phases:
        step = _step(entry, phase, listing)
        unknown = "its lists do not tell how long a sound is, and the recipe crops none"
        found.append(predictions.training(step) if step else Training(why=unknown))
    if any(kept.checkpointing for kept in found):
        model = model.model_copy(update={"fields": {**model.fields, CHECKPOINTING: True}})
    known = [kept.prediction for kept in found if kept.prediction is not None]
    return FittedEntry(
        model,
        _with_parts(recipe, found),
        max(known, key=lambda each: each.reserved, default=None),
        found[0].largest,
        found[0].macs,
        tuple(
            note
            for phase, kept in zip(recipe.phases, found, strict=True)
            for note in _notes(phase, kept)
        ),
    )


def _step(entry: ResolvedEntry, phase: Recipe, listing: Listing) -> TrainingStep | None:
    """Return a step of one training; None if the length of its sounds is not known."""
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
