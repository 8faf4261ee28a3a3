"""The folder by which a job on another machine and its caller talk: a disk is all they share.

| file | who writes it | what it holds |
|---|---|---|
| `request.json` | the caller | the job, and what its node needs to know |
| `events.jsonl` | the node | the job's progress, a line each |
| `answer.json` | the node | how the job ended |
| `caller` | the caller | nothing: it is touched for as long as somebody waits for the answer |
"""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, ConfigDict

from harness.errors import PathError, StorageError
from harness.records.files import append_text, read_text, write_text
from harness.run.events import ProgressEvent
from harness.run.execute.executor import Answer
from harness.run.job.spec import JobSpec

ELSEWHERE = "elsewhere"
"""Folder below that of runs, with a folder for each job that is on another machine."""

REQUEST, EVENTS, ANSWER, CALLER = "request.json", "events.jsonl", "answer.json", "caller"

FORGOTTEN = 24 * 3600.0
"""Seconds after which the folder of a caller that was killed is deleted."""


class NodeRequest(BaseModel):
    """A job for a node.

    Attributes:
        job: the job.
        folder: of the call: relative paths of the job lead from here.
        environment: variables that the node takes over; never a secret.
        orphan_seconds: without a sign of the caller, after which the node ends the job.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: JobSpec
    folder: Path
    environment: dict[str, str] = {}
    orphan_seconds: float


class Exchange:
    """One job's folder, from either side.

    Args:
        folder: as `open_exchange` made it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read = 0

    @property
    def request(self) -> NodeRequest:
        """What is asked of the node."""
        return NodeRequest.model_validate_json(read_text(self.folder / REQUEST))

    def tell(self, event: ProgressEvent) -> None:
        """Send an event to the caller; one that the disk does not take is lost."""
        known = {name: value for name, value in vars(event).items() if value is not None}
        for ours in ("job", "record"):
            known.pop(ours, None)
        if self.folder.exists():  # else the caller has gone, and nothing is made anew for it
            with suppress(PathError, StorageError):  # nothing but the display rests on it
                append_text(self.folder / EVENTS, json.dumps(known) + "\n")

    def events(self) -> list[ProgressEvent]:
        """Return the events that came since the last call."""
        path = self.folder / EVENTS
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self._read)
            whole, end, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(end)
        found = []
        for line in whole.splitlines():
            with suppress(ValueError):  # cut off by its node's death, before the next one began
                found.append(ProgressEvent(**json.loads(line)))
        return found

    def give(self, answer: Answer) -> None:
        """Send the answer to the caller."""
        if self.folder.exists():
            write_text(self.folder / ANSWER, json.dumps(vars(answer)))

    def answer(self) -> Answer | None:
        """Return the answer; None if there is none yet."""
        path = self.folder / ANSWER
        return Answer(**json.loads(read_text(path))) if path.exists() else None

    def beat(self) -> None:
        """Show the node that its caller is there."""
        (self.folder / CALLER).touch()

    def last_beat(self) -> int | None:
        """Return a number that changes while the caller is there; None once it has gone."""
        with suppress(FileNotFoundError):
            return (self.folder / CALLER).stat().st_mtime_ns
        return None

    def close(self) -> None:
        """Delete the folder; a node that still runs ends."""
        # A node may be writing its last words there: what stays is deleted some later day.
        shutil.rmtree(self.folder, ignore_errors=True)


def open_exchange(request: NodeRequest) -> Exchange:
    """Make the folder of a job, below the call's folder of runs, and write the request there."""
    place = (request.folder / request.job.runs / ELSEWHERE).absolute()
    for old in place.glob("*"):
        beaten = old / CALLER
        with suppress(FileNotFoundError):  # another caller deletes its own
            if time.time() - (beaten if beaten.exists() else old).stat().st_mtime > FORGOTTEN:
                Exchange(old).close()
    exchange = Exchange(place / f"{request.job.digest[:12]}-{uuid4().hex[:8]}")
    write_text(exchange.folder / REQUEST, request.model_dump_json())
    exchange.beat()
    return exchange
