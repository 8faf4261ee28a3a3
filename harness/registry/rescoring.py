"""What it takes to judge a record's stored scores again: the scores, its lists, its task."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.board.names import scores_path
from harness.config.loader import LoadedBenchmark
from harness.datasets.listed import list_dataset
from harness.datasets.listing import Listing
from harness.datasets.lock import pinned_dataset
from harness.errors import ConfigError, CorpusAbsent, DataError, LockError
from harness.metrics.errors import MetricError
from harness.records.canonical import sha256_file
from harness.records.record import Artefact, Record
from harness.run.job.context import make_task
from harness.run.job.record_writing import RECORD
from harness.run.job.results import SCORES, load_scores
from harness.tasks.task import Detailing, Judgement, Lists, Scores, Task


class NotHereError(Exception):
    """Why a record cannot be judged again on this machine."""


class UnusableError(Exception):
    """Why a record's scores cannot be judged by its lists."""


@dataclass(frozen=True)
class Rejudging:
    """Scores that can be judged again.

    Attributes:
        path: their file.
        lists: what they are judged by.
        task: what judges them.
    """

    path: Path
    lists: Lists
    task: Task

    def judge(self) -> Judgement:
        """The metrics, computed again.

        Raises:
            UnusableError: the scores are not such as the lists want.
        """
        with _usable():
            return self.task.judge(self.lists, self._scores())

    def detail(self) -> Detailing:
        """What lies beside the record, computed again.

        Raises:
            UnusableError: the scores are not such as the lists want.
        """
        with _usable():
            return self.task.detail(self.lists, self._scores())

    def _scores(self) -> Scores:
        return load_scores(self.path)


def rejudging(loaded: LoadedBenchmark, record: Record, path: Path) -> Rejudging:
    """Find what judging a record again takes.

    Args:
        loaded: the benchmark that the record was made with.
        record: what the file says.
        path: the record's file; its scores lie beside it.

    Raises:
        NotHereError: something of it is not on this machine, or is no longer what the record was
            made with.
        UnusableError: its lists are not such as its task wants.
    """
    if record.state != "done":
        raise NotHereError(f"it is {record.state} and holds no numbers")
    scores = _scores_beside(path)
    if not scores.is_file():
        raise NotHereError(f"its scores are not beside it ({scores.name})")
    listing, task = _listing(loaded, record), _task(loaded, record)
    with _usable():
        lists = task.lists(listing, "test", record.dataset.left_out)
    return Rejudging(scores, lists, task)


def changed(file: Path, record: Record, name: str) -> str:
    """How a file is not the one that a record names; empty where it is, or none is named.

    Args:
        file: a file that is there.
        record: what names it.
        name: of the artefact: `scores`, `checkpoint`.
    """
    artefact = record.artefacts.get(name)
    if artefact is None or _is(file, artefact):
        return ""
    return f"{file}: not the {name} that the record names (sha256 {artefact.sha256[:12]})"


def _is(file: Path, artefact: Artefact) -> bool:
    return file.stat().st_size == artefact.bytes and sha256_file(file) == artefact.sha256


@contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except (DataError, MetricError, ConfigError, KeyError) as error:
        raise UnusableError(f"its scores cannot be judged by its lists: {error}") from error


def _scores_beside(path: Path) -> Path:
    return path.with_name(SCORES if path.name == RECORD else scores_path(path.name))


def _listing(loaded: LoadedBenchmark, record: Record) -> Listing:
    name, profile = record.dataset.name, record.protocol.profile
    if name not in loaded.benchmark.datasets and loaded.fold(name) is None:
        raise NotHereError(f"{loaded.path} has no dataset {name!r}")
    pinned = pinned_dataset(loaded.lock_path, f"{name}/{profile}", loaded.base_lock_paths)
    if pinned is None or pinned[0].digest != record.dataset.lock:
        raise NotHereError(
            f"it was made with lock {record.dataset.lock[:12]} of {name}, which is not this "
            f"benchmark's; check out {record.code[:12]}"
        )
    try:
        return list_dataset(loaded, name, "quick" if profile == "quick" else "full")
    except (CorpusAbsent, DataError, LockError) as error:
        raise NotHereError(str(error)) from error


def _task(loaded: LoadedBenchmark, record: Record) -> Task:
    protocol = record.protocol
    suite = loaded.benchmark.suites.get(protocol.suite)
    if suite is None:
        raise NotHereError(f"{loaded.path} has no suite {protocol.suite!r}")
    task = make_task(loaded, protocol.suite)
    if suite.protocol != protocol.version or task.parameters() != protocol.parameters:
        raise NotHereError(
            f"it was judged by version {protocol.version} of the protocol of {protocol.suite}, "
            f"this benchmark has {suite.protocol}; check out {record.code[:12]}"
        )
    return task
