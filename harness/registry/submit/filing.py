"""From what was given of an entry to its record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.config.loader import LoadedBenchmark
from harness.errors import DataError, RequestError
from harness.metrics.errors import MetricError
from harness.records.canonical import digest
from harness.records.files import keep_from_git
from harness.records.record import Record, Stage, Submission, Trust
from harness.registry.submit.claims import read_claims
from harness.registry.submit.given import Entry, Given, check_given, scores_of, told
from harness.registry.submit.identical import check_new
from harness.registry.submit.place import Place, find_place
from harness.registry.submit.received import received
from harness.run.job.evaluate_stage import log_test_use
from harness.run.job.record_writing import RECORD, write_attempt
from harness.run.job.results import SCORES, save_scores, utc_now
from harness.run.job.spec import JobSpec
from harness.run.plan.request import RunRequest
from harness.tasks.task import Judgement, Scores
from harness.trials.cautions import distance_note

SUBMIT_VERSION = 1
"""Changes whenever the same files would give other scores."""


@dataclass(frozen=True)
class Filed:
    """A submission that was taken.

    Attributes:
        record: of the entry.
        path: its file; None where it was only checked.
    """

    record: Record
    path: Path | None


def submit(
    loaded: LoadedBenchmark,
    request: RunRequest,
    entry: Entry,
    given: Given,
    *,
    published: Path,
    check: bool = False,
) -> Filed:
    """Judge what was computed elsewhere, and file it as a record beside those of runs.

    Args:
        loaded: the benchmark.
        request: suite, profile, the one dataset, and the runs folder.
        entry: what is told of it.
        given: its files, or claims.
        published: the published tables; scores that stand there are not taken again.
        check: judge it and write nothing.

    Raises:
        RequestError: a file is not what it has to be, or holds the scores of another entry.
        LockError: data or rules are not the locked ones.
    """
    check_given(entry, given)
    place = find_place(loaded, request)
    if given.claims:
        return _claimed(place, entry, given, check=check)
    return _scored(place, entry, given, (published, request.runs), check=check)


def _claimed(place: Place, entry: Entry, given: Given, *, check: bool) -> Filed:
    metrics = read_claims(given.claims, place.common["protocol"].facts, place.task.primary)
    submission = told(entry, given)
    values = {name: metric.value for name, metric in metrics.items()}
    inputs = {"stage": "claim", "metrics": values, "source": entry.source}
    job = place.job(entry.name, digest(inputs))
    place.hold_protocol(job, pin=not check)
    record = _record(job, "claimed", inputs, submission)
    record = record.model_copy(update={"metrics": metrics, "test_looks": 0})
    return Filed(record, None) if check else _filed(job, record)


def _scored(
    place: Place, entry: Entry, given: Given, folders: Iterable[Path], *, check: bool
) -> Filed:
    files = {option: received(path) for option, path in given.files.items()}
    scores, notes = scores_of(place, given)
    submission = told(entry, given).model_copy(update={"files": files})
    hashes = {option: file.sha256 for option, file in files.items()}
    job = place.job(entry.name, digest(hashes))
    inputs = {
        "stage": "evaluate",
        "version": SUBMIT_VERSION,
        "model": job.model.model_dump(),
        "protocol": job.protocol.digest,
        "loss": None,
        "left_out": [],
        "received": hashes,
    }
    record = _record(job, "rescored", inputs, submission)
    check_new(scores, record, folders)
    place.hold_protocol(job, pin=not check)
    # Noted before its metrics are known, as a run's are. A check is no entry of a table.
    looks = None if check else log_test_use(job, f"evaluate-{digest(inputs)[:16]}")
    judgement = _judged(place, scores)
    made = f"its {given.made_from} were made elsewhere; whether its system had seen the test items "
    update: dict[str, Any] = {
        "metrics": judgement.metrics,
        "left_one_out": judgement.left_one_out,
        "notes": (f"{made}was not checked", *notes, *_cautions(given, judgement), *judgement.notes),
    }
    if looks is not None:
        update |= {"test_looks": looks.test, "searched": looks.configurations}
    record = record.model_copy(update=update)
    return Filed(record, None) if check else _filed(job, record, scores)


def _judged(place: Place, scores: Scores) -> Judgement:
    try:
        return place.task.judge(place.task.lists(place.listing, "test"), scores)
    except (DataError, MetricError) as error:
        raise RequestError(f"these scores cannot be judged: {error}") from error


def _cautions(given: Given, judgement: Judgement) -> tuple[str, ...]:
    """What to tell of scores that somebody else computed, and may have meant otherwise."""
    rate = judgement.metrics.get("eer")
    note = distance_note(rate.value) if rate and given.scores else ""
    return (note,) if note else ()


def _record(job: JobSpec, trust: Trust, inputs: dict[str, Any], submission: Submission) -> Record:
    stage = Stage(key=digest(inputs), inputs=inputs, finished=utc_now(), code=job.code)
    return Record(
        state="done",
        trust=trust,
        protocol=job.protocol,
        dataset=job.dataset,
        model=job.model,
        track=job.track,
        code=job.code,
        stages={inputs["stage"]: stage},
        submission=submission,
    )


def _filed(job: JobSpec, record: Record, scores: Scores | None = None) -> Filed:
    keep_from_git(job.runs)
    file = job.folder / SCORES
    if scores is not None:
        save_scores(file, scores)
        record = record.model_copy(update={"artefacts": {"scores": received(file)}})
    return Filed(write_attempt(job, record, None), job.folder / RECORD)
