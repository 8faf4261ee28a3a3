"""Predictions of memory, each made once and kept beside the packed corpora."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from harness.errors import JobFailed
from harness.measure.device import cores
from harness.records.documents import digest
from harness.run.job.spec import Embedding
from harness.run.plan.adapters import WORKERS, OutOfMemory
from harness.run.plan.kept import KeptAnswers, KeptFile
from harness.run.plan.questions import (
    EmbeddedBatch,
    EmbeddingWithin,
    Training,
    TrainingStep,
    TrainingWithin,
)

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
        self._answers = KeptAnswers("predictions of memory", tell)

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
        kept = self._answers.read(path, kind)
        if kept is not None:
            return kept
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
        self._answers.keep(path, self._rests_on(asked), made)
        return made

    def _asked(self, asked: Question) -> Answer:
        if isinstance(asked, TrainingStep):
            return WORKERS.ask(TrainingWithin(asked, self.limit))
        return WORKERS.ask(EmbeddingWithin(asked, self.limit))

    def _is_kept(self, asked: Question) -> bool:
        kind = Training if isinstance(asked, TrainingStep) else Embedding
        return self._answers.read(self._path(asked), kind) is not None

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
        inputs = KeptFile.model_validate_json(path.read_bytes()).inputs
    except ValidationError:
        return True
    return (inputs.get("version"), inputs.get("torch")) != (PREDICTION_VERSION, version("torch"))
