"""A record's stored scores judged again: finds the scores, the lists and the task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.board.record_paths import scores_path
from harness.config.loader import LoadedBenchmark
from harness.datasets.listing import Listing, list_dataset
from harness.datasets.lock import dataset_pin
from harness.errors import ConfigError, CorpusAbsent, DataError, LockError
from harness.metrics.validation import MetricError
from harness.records.documents import sha256_file
from harness.records.provenance import short_code
from harness.records.record import Record
from harness.run.job.context import make_task
from harness.run.job.record_writing import RECORD
from harness.run.job.results import SCORES, load_scores
from harness.tasks.task import Detailing, Judgement, Lists, Task


class NotHereError(Exception):
    """The reason why a record cannot be judged again on this machine."""


class UnusableError(Exception):
    """The reason why a record's scores cannot be judged by its lists."""


@dataclass(frozen=True)
class Rescoring:
    """Scores that can be judged again.

    Attributes:
        path: their file.
        listing: of their dataset.
        lists: the lists that they are judged by.
        task: judges them.
    """

    path: Path
    listing: Listing
    lists: Lists
    task: Task

    def judge(self) -> Judgement:
        """Compute the metrics again.

        Raises:
            UnusableError: the scores are not such as the lists want.
        """
        with _usable():
            return self.task.judge(self.lists, load_scores(self.path))

    def detail(self) -> Detailing:
        """Compute the details again.

        Raises:
            UnusableError: the scores are not such as the lists want.
        """
        with _usable():
            return self.task.detail(self.lists, load_scores(self.path))


def find_rescoring(loaded: LoadedBenchmark, record: Record, path: Path) -> Rescoring:
    """Find scores, lists and task of a record.

    Args:
        loaded: the benchmark that the record was made with.
        record: the file's content.
        path: the record's file; its scores lie beside it.

    Raises:
        NotHereError: something of it is not on this machine, or is no longer what the record was
            made with.
        UnusableError: its lists are not such as its task wants.
    """
    if record.state != "done":
        raise NotHereError(f"it is {record.state} and holds no numbers")
    scores = path.with_name(SCORES if path.name == RECORD else scores_path(path.name))
    if not scores.is_file():
        raise NotHereError(f"its scores are not beside it ({scores.name})")
    listing, task = record_listing(loaded, record), record_task(loaded, record)
    with _usable():
        lists = task.lists(listing, "test", record.dataset.left_out)
    return Rescoring(scores, listing, lists, task)


def difference_from_artefact(file: Path, record: Record, name: str) -> str:
    """Say that a file is not the one that a record names; empty if it is, or none is named.

    Args:
        file: a file that is there.
        record: names it by its hash.
        name: of the artefact: `scores`, `checkpoint`.
    """
    named = record.artefacts.get(name)
    if named is None:
        return ""
    if file.stat().st_size == named.bytes and sha256_file(file) == named.sha256:
        return ""
    return f"{file}: not the {name} that the record names (sha256 {named.sha256[:12]})"


@contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except (DataError, MetricError, ConfigError, KeyError) as error:
        raise UnusableError(f"its scores cannot be judged by its lists: {error}") from error


def record_listing(loaded: LoadedBenchmark, record: Record) -> Listing:
    """Return the lists that a record was made with.

    Raises:
        NotHereError: they are not on this machine, or are no longer these.
    """
    name, profile = record.dataset.name, record.protocol.profile
    if name not in loaded.benchmark.datasets and loaded.fold(name) is None:
        raise NotHereError(f"{loaded.path} has no dataset {name!r}")
    pinned = dataset_pin(loaded.lock_path, f"{name}/{profile}", loaded.base_lock_paths)
    if pinned is None or pinned[0].digest != record.dataset.lock:
        raise NotHereError(
            f"it was made with lock {record.dataset.lock[:12]} of {name}, which is not this "
            f"benchmark's; check out {short_code(record.code)}"
        )
    try:
        return list_dataset(loaded, name, "quick" if profile == "quick" else "full")
    except (CorpusAbsent, DataError, LockError) as error:
        raise NotHereError(str(error)) from error


def record_task(loaded: LoadedBenchmark, record: Record) -> Task:
    """Return the task that a record was judged by.

    Raises:
        NotHereError: the benchmark has no such suite, or judges it otherwise.
    """
    protocol = record.protocol
    suite = loaded.benchmark.suites.get(protocol.suite)
    if suite is None:
        raise NotHereError(f"{loaded.path} has no suite {protocol.suite!r}")
    task = make_task(loaded, protocol.suite)
    if suite.protocol != protocol.version or task.parameters() != protocol.parameters:
        raise NotHereError(
            f"it was judged by version {protocol.version} of the protocol of {protocol.suite}, "
            f"this benchmark has {suite.protocol}; check out {short_code(record.code)}"
        )
    return task
