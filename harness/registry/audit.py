"""Trainings audited: random segments between kept states run again, and the states compared."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from harness.config.loader import LoadedBenchmark
from harness.errors import CorpusAbsent, JobFailed, RequestError
from harness.measure.environment import environment_digest
from harness.records.documents import digest
from harness.records.provenance import DIRTY
from harness.records.record import Record, Stage
from harness.records.record_files import read_record
from harness.registry.record_job import Rerun, check_reproducible, plan_record
from harness.run.events import Watch
from harness.run.execute.executor import LOCAL, audit_job, make_executor
from harness.run.job.audit_answer import AuditedPart, AuditTask
from harness.run.job.results import find_result, stage_folder
from harness.run.job.spec import JobSpec
from harness.run.plan.adapter_workers import WORKERS

Answer = Literal["audited", "differs", "not auditable here"]
States = tuple[tuple[int, str], ...]

STATES = TypeAdapter(States)


class NotAuditableError(Exception):
    """A record cannot be audited on this machine, from this folder or by this code."""


@dataclass(frozen=True)
class Audit:
    """An audit of one record.

    Attributes:
        record: its file.
        answer: `not auditable here` if something that is needed is not here, or is not what the
            record was made with.
        reasons: the differences, or what is needed.
        seed: repeats the choice of segments.
        steps: of the training.
        states: how many of its states are kept; 0 if that is not known.
        parts: what was run again.
    """

    record: Path
    answer: Answer
    reasons: tuple[str, ...] = ()
    seed: int = 0
    steps: int = 0
    states: int = 0
    parts: tuple[AuditedPart, ...] = field(default=())

    @property
    def segments(self) -> list[AuditedPart]:
        """The segments that were run again to their ends."""
        return [part for part in self.parts if part.kind == "segment" and part.reached]

    @property
    def share(self) -> float:
        """The share of the training's steps in them."""
        return sum(part.last - part.first for part in self.segments) / max(1, self.steps)


def audit(
    loaded: LoadedBenchmark,
    path: Path,
    rerun: Rerun,
    *,
    share: float,
    seed: int | None = None,
    watch: Watch,
) -> Audit:
    """Run random segments of a record's training again, and compare the states they reach.

    The first state is made from the seed and the final weights from the last state in any case.

    Args:
        loaded: the benchmark that the record was made with.
        path: the record.
        rerun: how it is run; the folder's stages hold its training.
        share: of the training's steps that the segments cover at least.
        seed: of the choice of segments; None takes one that nobody can foresee.
        watch: receives the audit's progress.

    Raises:
        RequestError: the file is no record, or the share is none.
        JobFailed: the training broke off, which it did not when its states were kept.
    """
    if not 0 < share <= 1:
        raise RequestError(f"--share {share:g}: give a share of the steps, over 0 and at most 1")
    record, seed = read_record(path), secrets.randbits(48) if seed is None else seed
    try:
        job, task = _prepare(loaded, record, path, rerun, share, seed, watch)
    except NotAuditableError as error:
        return Audit(path, "not auditable here", (str(error),), seed)
    found = audit_job(job, make_executor(LOCAL, job.device, 1), watch)
    if found.why:
        raise JobFailed(f"{job.title}: {found.why}")
    apart = tuple(_told(part) for part in found.parts if part.reached not in ("", part.kept))
    damaged = tuple(part.damage for part in found.parts if part.damage)
    answer: Answer = "differs" if apart else "not auditable here" if damaged else "audited"
    steps = task.states[-1][0]
    return Audit(path, answer, apart + damaged, seed, steps, len(task.states), found.parts)


def draw_segments(states: Sequence[tuple[int, str]], share: float, seed: int) -> tuple[int, ...]:
    """Draw whole segments between states until they cover a share of the steps.

    The order is that of hashes over the seed and every state, so that it can be drawn again
    anywhere, and cannot be known before both are.

    Returns:
        The states that the segments begin at, by index.
    """
    content = digest([list(state) for state in states])

    def place(index: int) -> str:
        return hashlib.sha256(f"{seed}:{content}:{index}".encode()).hexdigest()

    drawn: list[int] = []
    covered = 0
    for index in sorted(range(len(states) - 1), key=place):
        if covered >= share * states[-1][0]:
            break
        drawn.append(index)
        covered += states[index + 1][0] - states[index][0]
    return tuple(sorted(drawn))


def _prepare(
    loaded: LoadedBenchmark,
    record: Record,
    path: Path,
    rerun: Rerun,
    share: float,
    seed: int,
    watch: Watch,
) -> tuple[JobSpec, AuditTask]:
    """Plan the audit of a record.

    Raises:
        NotAuditableError: why there can be none.
    """
    stage = record.stages.get("train")
    try:
        check_reproducible(record, path)
    except RequestError as error:
        raise NotAuditableError(str(error)) from error
    if stage is None:
        raise NotAuditableError("it trains nothing")
    if stage.inputs.get("device") != "cpu":
        raise NotAuditableError("it was trained on a GPU, of which no equal bits are promised")
    result = _find_training(stage_folder(rerun.runs, "train", stage.key))
    states = _bound_states(record, result)
    threads = record.environment.threads if record.environment else None
    try:
        job = plan_record(loaded, record, replace(rerun, threads=threads), watch)
    except (RequestError, CorpusAbsent) as error:
        raise NotAuditableError(str(error)) from error
    finally:
        WORKERS.close()
    _check_alike(record, stage, result, job)
    task = AuditTask(
        states=states,
        segments=draw_segments(states, share, seed),
        checkpoint=record.artefacts["checkpoint"].sha256,
    )
    return job.model_copy(update={"only": "audit", "audit": task}), task


def _find_training(folder: Path) -> dict[str, Any]:
    try:
        result = find_result(folder)
    except RequestError as error:
        raise NotAuditableError(str(error)) from error
    if result is None:
        raise NotAuditableError(f"{folder}: its training is not there; --runs names its folder")
    return result


def _bound_states(record: Record, result: dict[str, Any]) -> States:
    """Return the kept states of a training, if they are those that the record binds."""
    named = record.artefacts.get("states")
    if named is None or "checkpoint" not in record.artefacts:
        raise NotAuditableError("it names no kept states; `harness run --keep-states N` keeps them")
    found = result.get("states", [])
    if digest(found) != named.sha256:
        raise NotAuditableError("the kept states here are not those that the record names")
    try:
        states = STATES.validate_python(found)
    except ValidationError as error:
        raise NotAuditableError(
            "what the record names as its kept states is no such list"
        ) from error
    steps = [step for step, _ in states]
    if len(steps) < 2 or steps[0] != 0 or steps != sorted({*steps}):
        raise NotAuditableError("its kept states do not reach from its first step to its last")
    if steps[-1] != result.get("steps"):
        raise NotAuditableError("its last kept state is not that of its last step")
    return states


def _check_alike(record: Record, stage: Stage, result: dict[str, Any], job: JobSpec) -> None:
    """Refuse what promises no equal bits: another key, code or environment."""
    if job.train is None or job.train.key != stage.key or result["stage"]["key"] != stage.key:
        raise NotAuditableError("this benchmark plans a training with another key")
    if job.code != stage.code or job.code.endswith(DIRTY):
        raise NotAuditableError(
            f"it was trained by the code {stage.code[:12] or 'of no known commit'}, this is "
            f"{job.code[:12]}; check that out"
        )
    here = job.environment
    if here is None or environment_digest(here) == result.get("environment"):
        return
    then = record.environment if record.environment_digest == result.get("environment") else None
    if then is None:
        raise NotAuditableError(
            "it was trained in an environment that the record does not describe"
        )
    both = then.model_dump(), here.model_dump()
    apart = [
        f"{name}: then {both[0][name]}, here {both[1][name]}"
        for name in both[0]
        if both[0][name] != both[1][name]
    ]
    raise NotAuditableError(f"it was trained in another environment: {'; '.join(apart)}")


def _told(part: AuditedPart) -> str:
    """Name a part that came out otherwise."""
    if part.kind == "start":
        return f"the state before step 1 is not the one that its seed gives ({_hashes(part)})"
    if part.kind == "checkpoint":
        return f"its last state gives other weights than the record's ({_hashes(part)})"
    return (
        f"steps {part.first + 1} to {part.last}: they reach another state than the one kept at "
        f"step {part.last} ({_hashes(part)})"
    )


def _hashes(part: AuditedPart) -> str:
    return f"kept {part.kept[:12]}..., reached {part.reached[:12]}..."
