"""From a submission to its record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.board.record_store import record_files
from harness.config.loader import LoadedBenchmark
from harness.errors import DataError, RequestError
from harness.metrics.validation import MetricError
from harness.records.documents import digest, sha256_file
from harness.records.files import keep_from_git
from harness.records.record import Artefact, Record, Stage, Submission, Trust
from harness.records.record_files import read_record
from harness.registry.entry_names import own_names, taken_name
from harness.registry.submit.given import Given, SubmittedEntry, check_given, read_claims
from harness.registry.submit.identical import check_new, telling_arrays
from harness.registry.submit.likeness import told_labels
from harness.registry.submit.outputs import class_scores, embedding_scores
from harness.registry.submit.place import Place, find_place
from harness.run.job.evaluate_stage import log_test_use
from harness.run.job.record_writing import RECORD, write_attempt
from harness.run.job.results import SCORES, save_scores, utc_now
from harness.run.job.spec import JobSpec
from harness.run.plan.request import RunRequest
from harness.tasks.task import Scores, TaskOptions

SUBMIT_VERSION = 1
"""Changes whenever the same files would give other scores."""

NOT_DECIDED = (
    "nothing of the validation split was given: what a threshold and a calibration decide is not "
    "judged"
)


@dataclass(frozen=True)
class FiledSubmission:
    """A submission that was taken.

    Attributes:
        record: of the entry.
        path: its file; None if it was only checked.
    """

    record: Record
    path: Path | None


def submit(
    loaded: LoadedBenchmark,
    request: RunRequest,
    entry: SubmittedEntry,
    given: Given,
    *,
    published: Path,
    check: bool = False,
) -> FiledSubmission:
    """Judge what was computed elsewhere, and file it as a record beside those of runs.

    Args:
        loaded: the benchmark.
        request: suite, profile, the one dataset, and the runs folder.
        entry: its description.
        given: its files, or claims.
        published: the published tables; scores that stand there are not taken again.
        check: judge it and write nothing.

    Raises:
        RequestError: a file is not what it has to be, or holds the scores of another entry.
        LockError: data or rules are not the locked ones.
    """
    check_given(entry, given)
    place = find_place(loaded, request)
    _check_name(place, entry, given, published)
    if given.claims:
        return _file_claim(place, entry, given, check=check)
    return _file_scores(place, entry, given, (published, request.runs), check=check)


def _check_name(place: Place, entry: SubmittedEntry, given: Given, published: Path) -> None:
    """Refuse the name of an entry of somebody else, or one that looks like it.

    Raises:
        RequestError: it is; or a published file is no record.
    """
    job = place.job(entry.name, content="")
    record = _record(job, "claimed", {"stage": "claim"}, given.describe(entry))
    others = ((path, read_record(path)) for path in record_files(published))
    if reason := taken_name(record, others, own_names(place.loaded, record)):
        raise RequestError(f"--name: {reason}")


def _file_claim(
    place: Place, entry: SubmittedEntry, given: Given, *, check: bool
) -> FiledSubmission:
    task, facts = place.task, place.common["protocol"].facts
    metrics = read_claims(given.claims, facts, task.primary, TaskOptions.of(task).maxima)
    values = {name: metric.value for name, metric in metrics.items()}
    inputs = {"stage": "claim", "metrics": values, "source": entry.source}
    job = place.job(entry.name, digest(inputs))
    place.hold_protocol(job, pin=not check)
    record = _record(job, "claimed", inputs, given.describe(entry))
    record = record.model_copy(update={"metrics": metrics, "test_looks": 0})
    return FiledSubmission(record, None) if check else _keep(job, record)


def _file_scores(
    place: Place, entry: SubmittedEntry, given: Given, folders: Iterable[Path], *, check: bool
) -> FiledSubmission:
    task, options = place.task, TaskOptions.of(place.task)
    files = {option: _artefact(path) for option, path in given.files.items()}
    scores = _scores(place, given)
    submission = given.describe(entry).model_copy(update={"files": files})
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
    decided = options.decides or ()
    close = check_new(scores, decided, record, folders)
    place.hold_protocol(job, pin=not check)
    # Noted before its metrics are known, as a run's are. A check is no entry of a table.
    looks = None if check else log_test_use(job, f"evaluate-{digest(inputs)[:16]}")
    try:
        judgement = task.judge(task.lists(place.listing, "test"), scores)
    except (DataError, MetricError) as error:
        raise RequestError(f"these scores cannot be judged: {error}") from error
    made = f"its {given.made_from} were made elsewhere; whether its system had seen the test items "
    notes = [f"{made}was not checked"]
    notes += [NOT_DECIDED] if decided and not set(decided) & scores.keys() else []
    notes += options.cautions(judgement) if given.scores else ()
    record = record.model_copy(update={"metrics": judgement.metrics})
    notes += [*close, *told_labels(scores, telling_arrays(scores, decided), record)]
    update: dict[str, Any] = {
        "left_one_out": judgement.left_one_out,
        "notes": (*notes, *judgement.notes),
    }
    if looks is not None:
        update |= {"test_looks": looks.test, "searched": looks.configurations}
    record = record.model_copy(update=update)
    return FiledSubmission(record, None) if check else _keep(job, record, scores)


def _scores(place: Place, given: Given) -> Scores:
    """Read the arrays that the suite's task judges.

    Raises:
        RequestError: a file is not such as the task judges.
    """
    listing, task = place.listing, place.task
    if given.embeddings is not None:
        if task.output == "logits":
            raise RequestError("this suite judges decisions, not embeddings; give --scores")
        return embedding_scores(given.embeddings, listing, task)
    if given.scores is None:
        raise TypeError("a claim has no scores")
    files = {"test": given.scores}
    if given.validation_scores is not None:
        files["validation"] = given.validation_scores
    if (read_scores := TaskOptions.of(task).read_scores) is not None:
        return read_scores(files, listing)
    if task.output == "embedding":
        raise RequestError("this suite's task reads no files of scores; give --embeddings")
    if "validation" in files:
        raise RequestError("--validation-scores: this suite decides nothing on validation")
    return {"logits": class_scores(given.scores, listing)}


def _artefact(path: Path) -> Artefact:
    if not path.is_file():
        raise RequestError(f"{path}: no such file; check the path")
    return Artefact(sha256=sha256_file(path), bytes=path.stat().st_size)


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


def _keep(job: JobSpec, record: Record, scores: Scores | None = None) -> FiledSubmission:
    keep_from_git(job.runs)
    file = job.folder / SCORES
    if scores is not None:
        save_scores(file, scores)
        record = record.model_copy(update={"artefacts": {"scores": _artefact(file)}})
    return FiledSubmission(write_attempt(job, record, None), job.folder / RECORD)
