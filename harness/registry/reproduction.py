"""Records made again: the job run anew, its result compared, and attested."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from harness.board.made_again import may_publish_these
from harness.board.record_paths import scores_path, signature_path
from harness.config.loader import LoadedBenchmark
from harness.errors import JobFailed, RequestError
from harness.records.attestation import Attestation, write_attestation
from harness.records.documents import sha256_file
from harness.records.files import read_bytes, write_bytes
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.records.signature import sign
from harness.registry.consistency import contradictions
from harness.registry.record_job import Rerun, check_reproducible, plan_record
from harness.registry.tolerance import ToleratedRange, others_of, range_of, same_to_the_bit
from harness.registry.verify_record import verify
from harness.run.events import Watch
from harness.run.execute.executor import LOCAL, make_executor, run_jobs
from harness.run.job.record_writing import RECORD
from harness.run.job.results import SCORES
from harness.run.plan.adapter_workers import WORKERS


@dataclass(frozen=True)
class Reproduction:
    """A record and the result of making it again.

    Attributes:
        record: its file.
        metric: the primary one.
        recorded: its value in the record.
        reproduced: its value now.
        within: the values that count as made again.
        made: the new record's file.
        attestation: the file that says so beside the record; None if it is out of the range.
        scores: those of the new record, beside the attestation; None where they may not lie there.
        signature: of the attestation; None if no key was given.
    """

    record: Path
    metric: str
    recorded: float
    reproduced: float
    within: ToleratedRange
    made: Path
    attestation: Path | None
    scores: Path | None = None
    signature: Path | None = None


def reproduce(
    loaded: LoadedBenchmark,
    path: Path,
    rerun: Rerun,
    *,
    by: str = "",
    key: Path | None = None,
    watch: Watch,
) -> Reproduction:
    """Make a record again, and attest it with its new scores if it comes out alike.

    Args:
        loaded: the benchmark that the record was made with.
        path: a published record, or one of a run.
        rerun: how it is run; the folder holds nothing made before: what is cached is not made
            again.
        by: who makes it again.
        key: signs the attestation, as `harness.records.signature.sign` takes it; without one it
            lifts no record.
        watch: receives the progress of its data and of the job.

    Raises:
        RequestError: the folder is not fresh; the record cannot be made again, contradicts itself
            or its scores; this benchmark plans another job; or the key signs nothing.
        JobFailed: the job ended without a result.
    """
    record, content = read_record(path), sha256_file(path)
    check_reproducible(record, path)
    _check_fresh(rerun.runs, path)
    _check_honest(loaded, record, path)
    if key is not None:
        sign(b"", key)  # A key that signs nothing is told of before anything is trained.
    job = plan_record(loaded, record, rerun, watch)
    WORKERS.close()
    within = range_of(loaded, record, others_of(path, record))
    ((_, made),) = run_jobs([job], make_executor(LOCAL, job.device, 1), watch)
    if made.state != "done":
        raise JobFailed(f"{job.title}: {made.state}: {made.reason}")
    metric = record.protocol.primary
    recorded, value = record.metrics[metric].value, made.metrics[metric].value
    if value == recorded:
        within = same_to_the_bit(value)
    found = Reproduction(path, metric, recorded, value, within, job.folder / RECORD, None)
    if not within.low <= value <= within.high:
        return found
    return _attest(found, _attestation(record, content, made, within, by), key)


def _attest(found: Reproduction, told: Attestation, key: Path | None) -> Reproduction:
    """Write an attestation beside its record, with its scores and its signature."""
    attested = write_attestation(found.record, told)
    scores = signature = None
    if told.scores is not None:
        scores = attested.with_name(scores_path(attested.name))
        write_bytes(scores, read_bytes(found.made.with_name(SCORES)))
    if key is not None:
        signature = attested.with_name(signature_path(attested.name))
        write_bytes(signature, sign(told.chain, key).encode())
    return replace(found, attestation=attested, scores=scores, signature=signature)


def _check_fresh(runs: Path, path: Path) -> None:
    """Refuse a folder in which results are: what is found made is not made again."""
    if (runs / "stages").exists() or any(runs.glob(f"*/*/*/*/{RECORD}")):
        raise RequestError(
            f"{runs}: holds results already, and what is cached is not made again; give a new "
            "folder with --runs"
        )
    if path.resolve().is_relative_to(runs.resolve()):
        raise RequestError(f"{runs}: holds the record itself; give a new folder with --runs")


def _check_honest(loaded: LoadedBenchmark, record: Record, path: Path) -> None:
    """Refuse a record that does not say what its own keys and scores say."""
    wrong = contradictions(record)
    if not wrong:
        verdict = verify(loaded, path, path.parent)
        wrong = list(verdict.reasons) if verdict.answer == "differs" else []
    if wrong:
        raise RequestError(f"{path}: not as it was made: {'; '.join(wrong[:3])}; restore it")


def _attestation(
    record: Record, content: str, made: Record, within: ToleratedRange, by: str
) -> Attestation:
    metric = record.protocol.primary
    theirs, ours = (each.artefacts.get("checkpoint") for each in (record, made))
    scores = made.artefacts.get("scores")
    return Attestation(
        record=content,
        metric=metric,
        recorded=record.metrics[metric].value,
        reproduced=made.metrics[metric].value,
        low=within.low,
        high=within.high,
        rule=within.rule,
        told=within.told,
        same_checkpoint=theirs.sha256 == ours.sha256 if theirs and ours else None,
        by=by,
        code=made.code,
        environment=made.environment,
        same_environment=made.environment_digest == record.environment_digest != "",
        finished=made.finished,
        scores=scores if may_publish_these(record, scores) else None,
    )
