"""Predict memory, each prediction once, and fit recipes to the benchmark's budget by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.adapter import CHECKPOINTING
from harness.config.recipe_tables import in_parts
from harness.config.recipes import FineTune, Recipe
from harness.datasets.listing import Listing
from harness.errors import JobFailed
from harness.measure.device import cores
from harness.records.documents import digest
from harness.run.job.results import KeptAnswers, KeptFile
from harness.run.job.spec import Embedding
from harness.run.plan.adapter_workers import WORKERS, WorkerKilled
from harness.run.plan.memory_questions import EmbeddedBatch, Training, TrainingStep
from harness.run.plan.resolved import ResolvedEntry

PREDICTION_VERSION = 6
"""Changes whenever the same step would be predicted otherwise."""

FEW = 4
"""Predictions that one process makes: another one takes seconds to load torch."""

MOST_PROCESSES = 8
"""Each holds torch, and a loss's head with all its classes."""

Prediction = TrainingStep | EmbeddedBatch
Answer = TypeVar("Answer", bound=BaseModel)


class Predictions:
    """Predictions within one budget.

    Args:
        folder: a folder of their own is made there.
        limit: bytes that the allocator of a GPU may take.
        tell: receives messages for a person who waits.
    """

    def __init__(self, folder: Path, limit: int, tell: Callable[[str], None]) -> None:
        self._folder, self.limit, self._tell = folder / "predictions", limit, tell
        self._failed: dict[Path, JobFailed] = {}
        self._answers = KeptAnswers("predictions of memory", tell)

    def training(self, step: TrainingStep) -> Training:
        """Return how a recipe's batch is computed within the budget.

        Raises:
            WorkerKilled: the adapter's code has no prediction since its process was killed.
        """
        path = self._path(step)
        kept = self._answers.read(path, self._rests_on(step), Training)
        if kept is None and path not in self._failed:
            self._tell(f"{step.system}: predicting the memory of a training step")
        return kept or self._make(step, Training) or Training(why=self._failure(path))

    def embedding(self, batch: EmbeddedBatch) -> Embedding:
        """Return the memory of embedding; empty if the adapter's code failed.

        Raises:
            WorkerKilled: as in `training`.
        """
        path = self._path(batch)
        kept = self._answers.read(path, self._rests_on(batch), Embedding)
        made = kept or self._make(batch, Embedding)
        if made is None:
            self._failure(path)
        return made or Embedding()

    def make(self, questions: Iterable[Prediction]) -> None:
        """Make the missing predictions in several processes at once, if these are many."""
        missing = {
            self._path(each): each
            for each in questions
            if self._answers.read(self._path(each), self._rests_on(each), each.answers) is None
        }
        processes = min(cores(), len(missing), MOST_PROCESSES)
        if len(missing) <= FEW or processes == 1:
            return
        self._tell(f"memory: {len(missing)} predictions to make, {processes} at a time")
        pool = ThreadPoolExecutor(processes)
        try:
            waiting = {
                pool.submit(self._make, each, each.answers): each for each in missing.values()
            }
            for done in as_completed(waiting):
                made, each = done.result(), waiting[done]
                if made is not None and isinstance(each, TrainingStep):
                    self._tell(f"{each.system}: memory of a training step predicted")
        except BaseException:
            WORKERS.close()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _make(self, question: Prediction, kind: type[Answer]) -> Answer | None:
        """Make and keep a prediction; return None if the adapter's code ended its process."""
        path = self._path(question)
        if path in self._failed:
            return None
        try:
            made = kind.model_validate(WORKERS.ask(replace(question, limit=self.limit)))
        except JobFailed as error:
            self._failed[path] = error
            return None
        self._answers.keep(path, self._rests_on(question), made)
        return made

    def _failure(self, path: Path) -> str:
        failure = self._failed[path]
        if isinstance(failure, WorkerKilled):
            # A network that is planned with no prediction may be trained otherwise than with one.
            raise failure
        return str(failure)

    def _path(self, question: Prediction) -> Path:
        return self._folder / f"{digest(self._rests_on(question))[:24]}.json"

    def _rests_on(self, question: Prediction) -> dict[str, Any]:
        return {
            "version": PREDICTION_VERSION,
            "torch": _torch(),
            "limit": self.limit,
            **question.rests_on,
        }


@cache
def _torch() -> str:
    return version("torch")


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


def fit_entry(
    entry: ResolvedEntry, listing: Listing, predictions: Predictions, precision: str
) -> dict[str, Any]:
    """Fit an entry's recipe to the budget, changing as little of it as possible.

    Gradients are accumulated over parts of the batch if a training does not fit at once, and
    activations checkpointed if nothing else helps.

    Args:
        entry: the system and its recipe.
        listing: its dataset.
        predictions: of memory.
        precision: of embeddings, as a recipe names it.

    Returns:
        The fields of a `JobSpec` that rest on predictions.

    Raises:
        JobFailed: the adapters' code leaves nothing to plan with.
    """
    model, recipe = entry.model, entry.recipe
    found: list[Training] = []
    for phase in recipe.phases:
        step = _step(entry, phase, listing)
        unknown = "its lists do not tell how long a sound is, and the recipe crops none"
        found.append(predictions.training(step) if step else Training(why=unknown))
    if any(kept.checkpointing for kept in found):
        model = model.model_copy(update={"fields": {**model.fields, CHECKPOINTING: True}})
    known = [kept.prediction for kept in found if kept.prediction is not None]
    pairs = zip(recipe.phases, found, strict=True)
    return {
        "model": model,
        "recipe": _with_parts(recipe, found),
        "prediction": max(known, key=lambda each: each.reserved, default=None),
        "largest_training": found[0].largest,
        "embedding": predictions.embedding(EmbeddedBatch(model, precision)),
        "item_macs": found[0].macs,
        "notes": tuple(note for phase, kept in pairs for note in _notes(phase, kept)),
    }


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
    if kept.prediction is None and kept.why:
        yield f"the memory of a training step is not predicted: {kept.why}"
    if kept.part not in (None, phase.micro_batch):
        host = kept.prediction.host if kept.prediction else 0
        norm = (
            f"batch normalisation saw at most {kept.part} at a time"
            if phase.batch_norm == "parts"
            else f"batch normalisation too; {host / 2**30:.1f} GiB wait in main memory"
        )
        yield (
            f"batch {in_parts(phase.batch, kept.part)} to fit the memory budget: the loss is that "
            f"of {phase.batch} items, {norm}"
        )
    if kept.checkpointing:
        yield "activations were computed again in the backward pass to fit the memory budget"
    if not kept.fits:
        yield "predicted not to fit the memory budget, whatever is done"


def is_outdated(path: Path) -> bool:
    """Return whether another version of the program or of torch wrote a file, or it is broken."""
    try:
        inputs = KeptFile.model_validate_json(path.read_bytes()).inputs
    except ValidationError:
        return True
    return (inputs.get("version"), inputs.get("torch")) != (PREDICTION_VERSION, _torch())
