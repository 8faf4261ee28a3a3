"""The state of each job of a runs folder, as its files tell it; nothing here imports torch.

A job that a call asks for is noted in its folder until it has a record: it is `queued`, or
`running` while a process holds the folder's lease. Any other has the state of its record.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import PathError, RequestError, StorageError
from harness.records import record
from harness.records.damage import DamagedFile
from harness.records.documents import readable_json
from harness.records.files import read_bytes, write_text
from harness.records.lease_file import STEM, FoundLease, find_lease
from harness.records.record_files import read_record
from harness.run.events import ProgressEvent
from harness.run.job.record_writing import RECORD
from harness.run.job.spec import JobSpec
from harness.run.watching import IDLE_LOOKS

NOTE = "job.json"

OFTEN = 5.0
"""Seconds between two notes on how far a stage is."""

OPEN = ("running", "queued")

JobStateName = Literal["queued", "running", "damaged"] | record.State


class JobNote(BaseModel):
    """What is noted of a job without a record.

    Attributes:
        job: its title.
        stage: what is done, or was done last; empty if it did not begin.
        done, total: units of that stage.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    job: str
    stage: str = ""
    done: int = 0
    total: int = 0


class NoteWriter:
    """Notes in a job's folder that it is asked for, and how far it is.

    A disk that takes no note ends no job.

    Args:
        job: the job; one that leaves no record is not noted.
    """

    def __init__(self, job: JobSpec) -> None:
        self._path = job.folder / NOTE if job.only is None else None
        self._note, self._written = JobNote(job=job.title), 0.0

    def begin(self) -> None:
        """Note that the job is asked for; how far it was before stays noted."""
        if self._path and not self._path.exists():
            self._write()

    def hear(self, event: ProgressEvent) -> None:
        """Note how far the job is."""
        if event.kind == "stage":
            self._note = JobNote(job=self._note.job, stage=event.text, total=event.total)
            self._write()
        elif event.kind == "advance":
            self._note = self._note.model_copy(update={"done": event.done})
            if monotonic() - self._written >= OFTEN:
                self._write()

    def end(self) -> None:
        """Forget the note: the job has its record."""
        if self._path:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        self._written = monotonic()
        if self._path:
            with suppress(PathError, StorageError):
                write_text(self._path, readable_json(self._note.model_dump()))


@dataclass(frozen=True)
class JobState:
    """The state of one job.

    Attributes:
        run: its folder below that of runs.
        job: its title; where no note has it, its folder's name.
        state: what it is in.
        reason: of its record's state.
        host, pid, since: who runs it, and since when (UTC by that machine's clock).
        heartbeat: seconds since whoever runs it was last heard of.
        stage, done, total: what it does, or did last.
    """

    run: str
    job: str
    state: JobStateName
    reason: str = ""
    host: str = ""
    pid: int | None = None
    since: str = ""
    heartbeat: float | None = None
    stage: str = ""
    done: int = 0
    total: int = 0


class JobWatcher:
    """Looks at the jobs of a runs folder again and again; a record is read once.

    Args:
        runs: the folder.

    Raises:
        RequestError: there is no such folder.
    """

    def __init__(self, runs: Path) -> None:
        if not runs.is_dir():
            raise RequestError(f"{runs}: no such folder; --runs names another")
        self._runs = runs
        self._ended: dict[tuple[Path, int], JobState] = {}
        self._is_running, self._idle = False, 0

    def look(self) -> list[JobState]:
        """Return the state of every job: those that run, those that are asked for, all others."""
        names = (RECORD, NOTE, f"{STEM}*")
        folders = {path.parent for name in names for path in self._runs.glob(f"*/*/*/*/{name}")}
        found = [state for folder in sorted(folders) if (state := self._state(folder))]
        self._is_running = any(each.state == "running" for each in found)
        order = {name: place for place, name in enumerate(OPEN)}
        return sorted(found, key=lambda each: order.get(each.state, len(order)))

    def goes_on(self) -> bool:
        """Return whether a job runs, or ran a few looks ago: the next may be about to begin."""
        self._idle = 0 if self._is_running else self._idle + 1
        return self._idle < IDLE_LOOKS

    def _state(self, folder: Path) -> JobState | None:
        run, note, lease = str(folder.relative_to(self._runs)), _read_note(folder), None
        with suppress(OSError):
            lease = find_lease(folder)
        if lease is not None and not lease.has_lapsed:
            return _running(run, note or JobNote(job=run), lease)
        if note is not None:
            return JobState(run, state="queued", **note.model_dump())
        return self._of_record(run, folder / RECORD)

    def _of_record(self, run: str, path: Path) -> JobState | None:
        try:
            key = (path, path.stat().st_mtime_ns)
        except FileNotFoundError:  # a lease was left behind, or the job is being deleted
            return None
        if key not in self._ended:
            try:
                found = read_record(path)
                self._ended[key] = JobState(run, run, found.state, found.reason)
            except DamagedFile as error:
                self._ended[key] = JobState(run, run, "damaged", str(error))
        return self._ended[key]


def count_states(states: Iterable[JobState]) -> str:
    """Return how many jobs are in each state, for a person."""
    names = [each.state for each in states]
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))


def _running(run: str, note: JobNote, lease: FoundLease) -> JobState:
    state = JobState(run, state="running", heartbeat=max(0.0, lease.age), **note.model_dump())
    if lease.content is None:
        return state
    *_, holder = lease.content.holders
    return JobState(
        **{**vars(state), "host": holder.host, "pid": holder.pid, "since": lease.content.since}
    )


def _read_note(folder: Path) -> JobNote | None:
    """Read a job's note; None if there is none, or it is damaged."""
    with suppress(PathError, ValidationError):
        return JobNote.model_validate_json(read_bytes(folder / NOTE))
    return None
