"""Predictions of memory, each made once and kept beside the packed corpora."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.data.child_process import end_with_parent
from harness.errors import RequestError
from harness.job.spec import Embedding
from harness.measure.device import cores
from harness.plan.questions import EmbeddedBatch, Training, TrainingStep
from harness.records.canonical import digest, readable_json
from harness.records.files import write_text

PREDICTION_VERSION = 3
"""Changes whenever the same step would be predicted otherwise."""

FEW = 4
"""Predictions that are made in this process: another one takes seconds to load torch."""

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

    def training(self, asked: TrainingStep) -> Training:
        """How a recipe's batch is computed within the budget."""
        return self._kept(asked, Training)

    def embedding(self, asked: EmbeddedBatch) -> Embedding:
        """What embedding takes, and what of it fits the budget."""
        return self._kept(asked, Embedding)

    def make(self, asked: Iterable[Question]) -> None:
        """Make what is not kept yet in several processes at once, where that is much.

        Raises:
            RequestError: a process died meanwhile; what the others made is kept.
        """
        missing = {self._path(each): each for each in asked if not self._is_kept(each)}
        processes = min(cores(), len(missing), MOST_PROCESSES)
        if len(missing) > FEW and processes > 1:
            self._tell(f"memory: {len(missing)} predictions to make, {processes} at a time")
            for each, answer in _answered(missing.values(), self.limit, processes):
                self._keep(each, answer)
                if isinstance(each, TrainingStep):
                    self._tell(f"{each.system}: memory of a training step predicted")

    def _kept(self, asked: Question, kind: type[Kept]) -> Kept:
        kept = _read(self._path(asked), kind)
        if kept is not None:
            return kept
        if isinstance(asked, TrainingStep):  # the other takes no time to speak of
            self._tell(f"{asked.system}: predicting the memory of a training step")
        made = asked.predicted(self.limit)
        self._keep(asked, made)
        return kind.model_validate(made)

    def _is_kept(self, asked: Question) -> bool:
        path = self._path(asked)
        if isinstance(asked, TrainingStep):
            return _read(path, Training) is not None
        return _read(path, Embedding) is not None

    def _keep(self, asked: Question, made: Answer) -> None:
        content = {"inputs": self._rests_on(asked), "predicted": made.model_dump(mode="json")}
        write_text(self._path(asked), readable_json(content))

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
        document = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return kind.model_validate(_File.model_validate_json(document).predicted)
    except ValidationError:
        return None


def _answered(
    asked: Iterable[Question], limit: int, processes: int
) -> Iterator[tuple[Question, Answer]]:
    """Questions with their answers, each as soon as it is there."""
    context = get_context("spawn")  # what a fork would copy may hold locks
    with ProcessPoolExecutor(processes, mp_context=context, initializer=end_with_parent) as pool:
        try:
            waiting: dict[Future[Answer], Question] = {
                pool.submit(each.predicted, limit): each for each in asked
            }
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        except BrokenProcessPool as error:
            raise RequestError(
                "a process that predicted memory died: this machine ran out of memory; give the "
                "command again (what was predicted is kept), or fewer processors (taskset -c 0)"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
