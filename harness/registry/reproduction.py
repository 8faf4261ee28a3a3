"""Records made again: the job planned and run anew, its result compared, and attested."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.board.made_again import may_publish_these
from harness.board.record_paths import scores_path, signature_path
from harness.config.loader import LoadedBenchmark
from harness.datasets.dataset import open_dataset
from harness.datasets.listing import list_dataset
from harness.errors import ConfigError, JobFailed, LockError, RequestError
from harness.measure.device import choose_device, default_threads
from harness.records.attestation import Attestation, write_attestation
from harness.records.documents import canonical_json, sha256_file
from harness.records.files import keep_from_git, read_bytes, write_bytes
from harness.records.provenance import DIRTY
from harness.records.record import Record
from harness.records.record_files import read_record
from harness.records.signature import sign
from harness.registry.consistency import contradictions
from harness.registry.tolerance import Range, others_of, range_of, same_to_the_bit
from harness.registry.verify_record import verify
from harness.run.events import Watch, message_sender, reading_counter
from harness.run.execute.executor import make_executor, run_jobs
from harness.run.job.record_writing import RECORD
from harness.run.job.results import SCORES
from harness.run.job.spec import JobSpec
from harness.run.plan.adapter_workers import WORKERS
from harness.run.plan.jobs import plan_jobs
from harness.run.plan.request import DatasetState, RunRequest, listing_state, requested_suite

SHOWN = 5
"""Differences that a refusal names."""

LATER = ("loss", "left_out", "test_crops")
"""Parts of an evaluation's key that first records do not have."""


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
    within: Range
    made: Path
    attestation: Path | None
    scores: Path | None = None
    signature: Path | None = None


def reproduce(
    loaded: LoadedBenchmark,
    path: Path,
    runs: Path,
    *,
    settings: dict[str, Any],
    by: str = "",
    key: Path | None = None,
    watch: Watch,
) -> Reproduction:
    """Make a record again, and attest it with its new scores if it comes out alike.

    Args:
        loaded: the benchmark that the record was made with.
        path: a published record, or one of a run.
        runs: a folder that holds nothing made before: what is cached is not made again.
        settings: recipe keys that the record's run changed, as `--set` gave them.
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
    _check_fresh(runs, path)
    _check_honest(loaded, record, path)
    if key is not None:
        sign(b"", key)  # A key that signs nothing is told of before anything is trained.
    job = plan_record(loaded, record, runs, settings, watch)
    WORKERS.close()
    within = range_of(loaded, record, others_of(path, record))
    ((_, made),) = run_jobs([job], make_executor("local", job.device, 1), watch)
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


def check_reproducible(record: Record, where: Path) -> None:
    """Refuse a record of which there is nothing to make again.

    Raises:
        RequestError: why.
    """
    if record.state != "done":
        raise RequestError(f"{where}: it is {record.state} and holds no numbers")
    if record.submission is not None or record.trust in ("claimed", "rescored"):
        raise RequestError(
            f"{where}: computed elsewhere ({record.trust}), so that there is no job of it to run"
        )
    if record.track == "checkpoint":
        raise RequestError(
            f"{where}: its weights were made elsewhere; `harness evaluate` evaluates them again"
        )
    if "train" in record.stages and record.stages["train"].inputs.get("parent"):
        raise RequestError(
            f"{where}: goes on from another training; make that again, and `harness extend` its run"
        )
    if record.dataset.left_out:
        left = len(record.dataset.left_out)
        raise RequestError(f"{where}: {left} items were left out of its data")


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


def plan_record(
    loaded: LoadedBenchmark,
    record: Record,
    runs: Path,
    settings: dict[str, Any],
    watch: Watch,
    threads: int | None = None,
) -> JobSpec:
    """Plan the job of a record, first by its lists alone, then with its data opened.

    Args:
        loaded: the benchmark.
        record: the record.
        runs: the folder of the job's stages.
        settings: recipe keys that the record's run changed.
        watch: receives the progress of its data.
        threads: that it computes with; None for what a run takes.

    Raises:
        RequestError: this benchmark plans another job, its data are not here, or its code is in no
            commit.
    """
    trained = record.stages.get("train")
    device = choose_device(trained.inputs["device"] if trained else "cpu")
    request = RunRequest(
        suite=record.protocol.suite,
        profile="quick" if record.protocol.profile == "quick" else "full",
        datasets=(record.dataset.name,),
        runs=runs,
        device=device,
        threads=threads or default_threads(1),
        settings=settings,
    )
    request = request_for(loaded, record, request)
    try:
        listing = list_dataset(loaded, record.dataset.name, request.profile)
    except LockError as error:
        raise RequestError(f"{error}\nIt was made by {record.code[:12]}") from error
    keep_from_git(runs)
    # Before anything is decoded, as far as lists tell; then with all that the data tell.
    job = plan_again(loaded, request, record, listing_state(loaded, listing))
    if job.code.endswith(DIRTY):
        raise RequestError(
            f"{job.code}: code that is in no commit attests nothing; commit or stash your changes"
        )
    opened = open_dataset(
        loaded,
        listing,
        request.cache,
        advance=reading_counter(listing, watch),
        tell=message_sender(watch),
    )
    source = DatasetState(listing, opened.lock, opened.left_out, opened.pinned)
    return plan_again(loaded, request, record, source)


def request_for(loaded: LoadedBenchmark, record: Record, request: RunRequest) -> RunRequest:
    """Return a request for a record's job alone; a baseline is planned beside any system."""
    model, loss = record.model.name, record.loss.name if record.loss else ""
    if record.is_baseline:
        first = requested_suite(loaded, request).systems[0]
        model, loss = first.model, first.loss
    seeds = () if record.seed is None else (record.seed,)
    return replace(request, models=(model,), losses=(loss,), seeds=seeds)


def plan_again(
    loaded: LoadedBenchmark, request: RunRequest, record: Record, source: DatasetState
) -> JobSpec:
    """Return the job that a record was made by, as the benchmark plans it now.

    Raises:
        RequestError: it plans no such job, or another one; what differs, and the commit that
            planned the record's.
    """
    back = f"check out {record.code[:12]} to make it again"
    try:
        jobs = plan_jobs(loaded, request, {source.listing.name: source})
    except ConfigError as error:
        raise RequestError(f"this benchmark plans no such job: {error}; {back}") from error
    alike = [job for job in jobs if _names(job) == _names(record)]
    named = [job for job in alike if job.recipe_name == record.recipe_name]
    if not alike:
        raise RequestError(f"this benchmark plans no job for {record.entry}; {back}")
    job = (named or alike)[0]
    if job.refused:
        raise RequestError(f"this benchmark cannot plan {record.entry}: {job.refused}; {back}")
    found = list(_differences(record, job, opened=source.opened))
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise RequestError(
            f"this benchmark plans another job for {record.entry}: {'; '.join(found[:SHOWN])}"
            f"{more}; {back}, or give what it was changed by with --set"
        )
    return job


def _differences(record: Record, job: JobSpec, *, opened: bool) -> Iterator[str]:
    """Name the differences of a job from a record's, in all that its weights and numbers rest on.

    Costs rest on the machine too, and are not compared.

    Args:
        record: a record.
        job: of the same names.
        opened: True if the job's data are read, so that it knows what noises are drawn from.
    """
    yield from _changes("protocol", _rules(record), _rules(job))
    yield from _changes("recipe_name", record.recipe_name, job.recipe_name)
    trained = record.stages.get("train")
    if (trained is None) != (job.train is None):
        yield "train: one of them trains nothing"
    elif trained is not None and job.train is not None:
        unread = () if opened else ("disturbances",)
        then, now = _without(trained.inputs, unread), _without(job.train.inputs, unread)
        yield from _changes("train", then, now)
    if "evaluate" in record.stages:
        then = record.stages["evaluate"].inputs
        older = [name for name in LATER if not isinstance(then.get(name), dict | list)]
        unknown = ("checkpoint", *older)
        now = job.evaluate("").inputs
        yield from _changes("evaluate", _without(then, unknown), _without(now, unknown))


def _rules(of: Record | JobSpec) -> dict[str, Any]:
    protocol, dataset = of.protocol, of.dataset
    return {
        "dataset": dataset.lock,
        "digest": protocol.digest,
        "parameters": protocol.parameters,
        "version": protocol.version,
    }


def _names(of: Record | JobSpec) -> tuple[str, str | None, int | None, bool]:
    return of.model.name, of.loss.name if of.loss else None, of.seed, of.is_baseline


def _without(inputs: Mapping[str, Any], unknown: tuple[str, ...]) -> dict[str, Any]:
    kept = {key: value for key, value in inputs.items() if key not in unknown}
    plain: dict[str, Any] = json.loads(canonical_json(kept))
    return plain


def _changes(where: str, then: Any, now: Any) -> Iterator[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in sorted(then.keys() | now.keys()):
            yield from _changes(f"{where}.{key}", then.get(key), now.get(key))
    elif then != now:
        yield f"{where}: recorded {_short(then)}, planned {_short(now)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else canonical_json(value)
    return f"{text[:12]}..." if isinstance(value, str) and len(text) == 64 else text[:60]


def _attestation(record: Record, content: str, made: Record, within: Range, by: str) -> Attestation:
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
