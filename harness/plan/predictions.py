"""Predictions of memory, each made once and kept beside the packed corpora."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import JobFailed, PathError, StorageError
from harness.job.spec import Embedding
from harness.measure.device import cores
from harness.plan.adapters import WORKERS, OutOfMemory
from harness.plan.questions import (
    EmbeddedBatch,
    EmbeddingWithin,
    Training,
    TrainingStep,
    TrainingWithin,
)
from harness.records.canonical import digest, readable_json
from harness.records.files import read_text, write_text

PREDICTION_VERSION = 3
"""Changes whenever the same step would be predicted otherwise."""

FEW = 4
"""Predictions that one process makes: another one takes seconds to load torch."""

MOST_PROCESSES = 8
"""Each holds torch, and a loss's head with all its classes."""

Question = TrainingStep | EmbeddedBatch
Answer = Training | Embedding
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
        self._failed: dict[Path, JobFailed] = {}
        self._unkept: dict[Path, Answer] = {}

    def training(self, asked: TrainingStep) -> Training:
        """How a recipe's batch is computed within the budget."""
        return self._kept(asked, Training)

    def embedding(self, asked: EmbeddedBatch) -> Embedding:
        """What embedding takes, and what of it fits the budget."""
        return self._kept(asked, Embedding)

    def make(self, asked: Iterable[Question]) -> None:
        """Make what is not kept yet in several processes at once, where that is much."""
        missing = {self._path(each): each for each in asked if not self._is_kept(each)}
        processes = min(cores(), len(missing), MOST_PROCESSES)
        if len(missing) <= FEW or processes == 1:
            return
        self._tell(f"memory: {len(missing)} predictions to make, {processes} at a time")
        pool = ThreadPoolExecutor(processes)
        try:
            waiting = {pool.submit(self._made, each): each for each in missing.values()}
            for done in as_completed(waiting):
                made, each = done.result(), waiting[done]
                if made is not None and isinstance(each, TrainingStep):
                    self._tell(f"{each.system}: memory of a training step predicted")
        except BaseException:
            WORKERS.close()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def _kept(self, asked: Question, kind: type[Kept]) -> Kept:
        path = self._path(asked)
        kept = self._unkept.get(path) or _read(path, kind)
        if kept is not None:
            return kind.model_validate(kept)
        if isinstance(asked, TrainingStep) and path not in self._failed:
            # The other takes no time to speak of.
            self._tell(f"{asked.system}: predicting the memory of a training step")
        made = self._made(asked)
        if made is not None:
            return kind.model_validate(made)
        failure = self._failed[path]
        if isinstance(failure, OutOfMemory):
            # A network that is planned with no prediction may be trained otherwise than with one.
            raise failure
        return kind.model_validate({"why": str(failure)} if kind is Training else {})

    def _made(self, asked: Question) -> Answer | None:
        """Predict and keep it; None where the adapter's code ended the process that it ran in."""
        path = self._path(asked)
        if path in self._failed:
            return None
        try:
            made = self._asked(asked)
        except JobFailed as error:
            self._failed[path] = error
            return None
        self._keep(asked, made)
        return made

    def _asked(self, asked: Question) -> Answer:
        if isinstance(asked, TrainingStep):
            return WORKERS.ask(TrainingWithin(asked, self.limit))
        return WORKERS.ask(EmbeddingWithin(asked, self.limit))

    def _is_kept(self, asked: Question) -> bool:
        path = self._path(asked)
        if path in self._unkept:
            return True
        if isinstance(asked, TrainingStep):
            return _read(path, Training) is not None
        return _read(path, Embedding) is not None

    def _keep(self, asked: Question, made: Answer) -> None:
        content = {"inputs": self._rests_on(asked), "predicted": made.model_dump(mode="json")}
        try:
            write_text(self._path(asked), readable_json(content))
        except (PathError, StorageError) as error:
            if not self._unkept:  # told once: that they are made anew only costs time
                self._tell(f"predictions of memory are not kept: {error}")
            self._unkept[self._path(asked)] = made

    def _path(self, asked: Question) -> Path:
        return self._folder / f"{digest(self._rests_on(asked))[:24]}.json"

    def _rests_on(self, asked: Question) -> dict[str, Any]:
        return {
            "version": PREDICTION_VERSION,
            "torch": version("torch"),
            "limit": self.limit,
            **asked.rests_on,
        }


def is_outdated(path: Path) -> bool:
    """Whether a file of predictions is of another version of the program or of torch, or broken."""
    try:
        inputs = _File.model_validate_json(path.read_bytes()).inputs
    except ValidationError:
        return True
    return (inputs.get("version"), inputs.get("torch")) != (PREDICTION_VERSION, version("torch"))


class _File(BaseModel):
    inputs: dict[str, Any]
    predicted: dict[str, Any]


def _read(path: Path, kind: type[Kept]) -> Kept | None:
    """What is kept; None where it is not there, or was written by another version."""
    try:
        document = read_text(path)
    except PathError:
        return None
    try:
        return kind.model_validate(_File.model_validate_json(document).predicted)
    except ValidationError:
        return None
