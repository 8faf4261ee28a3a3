"""Segments of a training run again from its kept states, for an audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from time import monotonic

from harness.config.recipes import Recipe
from harness.errors import naming
from harness.records.documents import sha256_file
from harness.records.files import lock
from harness.run.job.audit_answer import AuditedPart, AuditTask
from harness.run.job.context import JobContext
from harness.run.job.train_stage import make_fabric, make_plan, training_system
from harness.train.kept_states import DamagedStateError, go_back
from harness.train.loop import train
from harness.train.training_progress import FINAL

AUDITS = "audits"
"""Folder of answers below a runs folder; segments are run in its `work`."""


class _ReachedError(Exception):
    """A segment's last state is reached; its argument is the hash."""


def audit_training(
    context: JobContext, recipe: Recipe, task: AuditTask, trained: Path
) -> tuple[AuditedPart, ...]:
    """Run parts of a training again: its start, some segments, and its end.

    Args:
        context: the training's job.
        recipe: its recipe.
        task: the parts.
        trained: the folder of the training.
    """
    work = context.spec.runs / AUDITS / "work"
    steps = [step for step, _ in task.states]
    context.begin("audit", sum(steps[each + 1] - steps[each] for each in task.segments))
    with lock(work):
        audit = _Audit(context, recipe, trained, work)
        try:
            return tuple(audit.run(part) for part in _parts(task))
        finally:
            _clear(work)


def _parts(task: AuditTask) -> list[AuditedPart]:
    (first, start), (last, _) = task.states[0], task.states[-1]
    parts = [AuditedPart(kind="start", first=first, last=first, kept=start)]
    for each in task.segments:
        (begin, _), (end, kept) = task.states[each], task.states[each + 1]
        parts.append(AuditedPart(kind="segment", first=begin, last=end, kept=kept))
    return [*parts, AuditedPart(kind="checkpoint", first=last, last=last, kept=task.checkpoint)]


class _Audit:
    def __init__(self, context: JobContext, recipe: Recipe, trained: Path, work: Path) -> None:
        self._context, self._recipe = context, recipe
        self._trained, self._work = trained, work
        self._done = 0
        task = context.spec.audit
        self._states = dict(task.states) if task else {}

    def run(self, part: AuditedPart) -> AuditedPart:
        began = monotonic()
        _clear(self._work)
        with naming(self._work):
            self._work.mkdir(parents=True)
        try:
            if part.kind != "start":
                to_keep = (part.last,) if part.kind == "segment" else ()
                state = self._states[part.first]
                go_back(self._trained, part.first, state, self._work, to_keep)
            reached = self._train(part)
        except DamagedStateError as error:
            return part.model_copy(update={"damage": str(error)})
        spent = round(monotonic() - began, 3)
        return part.model_copy(update={"reached": reached, "seconds": spent})

    def _train(self, part: AuditedPart) -> str:
        plan = make_plan(self._context, self._recipe, self._work)
        plan = replace(plan, report=self._counter(), kept=_stop, keep_states=part.kind == "start")
        try:
            train(training_system(self._context), plan, make_fabric(self._context, self._recipe))
        except _ReachedError as reached:
            return str(reached)
        return sha256_file(self._work / FINAL)

    def _counter(self) -> Callable[[int, int, float], None]:
        def count(_done: int, _steps: int, loss: float) -> None:
            self._done += 1
            self._context.advance(self._done, loss)

        return count


def _stop(_step: int, digest: str) -> None:
    raise _ReachedError(digest)


def _clear(work: Path) -> None:
    """Delete what this audit, or one that was killed, left."""
    if work.exists():
        with naming(work):
            rmtree(work)
