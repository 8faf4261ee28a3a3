"""Predictions of memory, each made once and kept on disk beside all that it rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import JobFailed, PathError, StorageError
from harness.measure.device import cores
from harness.records.canonical import digest, readable_json
from harness.records.files import read_text, write_text
from harness.run.job.spec import Embedding
from harness.run.plan.adapter_workers import WORKERS, WorkerKilled
from harness.run.plan.memory_questions import EmbeddedBatch, Training, TrainingStep

PREDICTION_VERSION = 3
"""Changes whenever the same step would be predicted otherwise."""

FEW = 4
"""Predictions that one process makes: another one takes seconds to load torch."""

MOST_PROCESSES = 8
"""Each holds torch, and a loss's head with all its classes."""

Prediction = TrainingStep | EmbeddedBatch
Answer = TypeVar("Answer", bound=BaseModel)


class KeptFile(BaseModel):
    """A file of one answer."""

    inputs: dict[str, Any]
    predicted: dict[str, Any]


class KeptAnswers:
    """Answers in files of a folder; in memory alone if the folder cannot be written.

    Args:
        what: the answers, in the plural, for the message that they are not kept.
        tell: receives that message, once.
    """

    def __init__(self, what: str, tell: Callable[[str], None]) -> None:
        self._what, self._tell = what, tell
        self._unkept: dict[Path, BaseModel] = {}

    def read(self, path: Path, kind: type[Answer]) -> Answer | None:
        """Return an answer; None if it is not there or another version wrote it."""
        unkept = self._unkept.get(path)
        if isinstance(unkept, kind):
            return unkept
        try:
            return kind.model_validate(KeptFile.model_validate_json(read_text(path)).predicted)
        except (PathError, ValidationError):
            return None

    def keep(self, path: Path, rests_on: dict[str, Any], answer: BaseModel) -> None:
        """Keep an answer; if the disk takes none, the next call makes it anew."""
        content = KeptFile(inputs=rests_on, predicted=answer.model_dump(mode="json"))
        try:
            write_text(path, readable_json(content.model_dump()))
        except (PathError, StorageError) as error:
            if not self._unkept:
                self._tell(f"{self._what} are not kept: {error}")
            self._unkept[path] = answer


class Predictions:
    """Predictions within one budget.

    Args:
        folder: a folder of their own is made there.
        limit: bytes that tensors may take.
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
        kept = self._answers.read(path, Training)
        if kept is None and path not in self._failed:
            self._tell(f"{step.system}: predicting the memory of a training step")
        return kept or self._make(step, Training) or Training(why=self._failure(path))

    def embedding(self, batch: EmbeddedBatch) -> Embedding:
        """Return the memory of embedding; empty if the adapter's code failed.

        Raises:
            WorkerKilled: as in `training`.
        """
        path = self._path(batch)
        made = self._answers.read(path, Embedding) or self._make(batch, Embedding)
        if made is None:
            self._failure(path)
        return made or Embedding()

    def make(self, questions: Iterable[Prediction]) -> None:
        """Make the missing predictions in several processes at once, if these are many."""
        missing = {
            self._path(each): each
            for each in questions
            if self._answers.read(self._path(each), each.answers) is None
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
            "torch": version("torch"),
            "limit": self.limit,
            **question.rests_on,
        }


def is_outdated(path: Path) -> bool:
    """Return whether another version of the program or of torch wrote a file, or it is broken."""
    try:
        inputs = KeptFile.model_validate_json(path.read_bytes()).inputs
    except ValidationError:
        return True
    return (inputs.get("version"), inputs.get("torch")) != (PREDICTION_VERSION, version("torch"))
