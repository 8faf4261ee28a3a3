"""The file of a lease: who holds it, whether it has lapsed, and the file of the next number.

The heartbeat is the file's time of change, which each renewal sets to the file system's own time;
its age is taken against a file just made in the same folder. The clocks of the machines that share
a folder may differ.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.records.files import create_file
from harness.records.process_identity import ProcessIdentity

STEM = "lease-"

SECONDS = 120.0
"""Without a renewal after which a lease lapses, where its file tells no other number."""

SOON = 0.01
"""Seconds before a listing that was old is made anew."""

WHOLE = 2**16
"""Bytes that are read of a lease at most: no more than this was written."""


class LeaseFile(BaseModel):
    """Content of a lease's file.

    Attributes:
        token: names the lease, whoever it is handed on to.
        since: when it was taken: UTC by the holder's clock, ISO 8601.
        seconds: without a renewal after which it lapses.
        holders: who took it, then whoever it was handed on to.
    """

    model_config = ConfigDict(frozen=True)

    token: str
    since: str
    seconds: float
    holders: tuple[ProcessIdentity, ...]


@dataclass(frozen=True)
class FoundLease:
    """The lease that counts in a folder.

    Attributes:
        path, number: of its file.
        content: None if the file is torn; whoever wrote it may still work there.
        renewed: the file system's time of the last renewal, in seconds.
    """

    path: Path
    number: int
    content: LeaseFile | None
    renewed: float

    @property
    def age(self) -> float:
        """Seconds since its last renewal, by the file system's own time."""
        return file_system_time(self.path.parent) - self.renewed

    @property
    def has_lapsed(self) -> bool:
        """True if somebody else may take it over: its holders are dead, or late for a lease."""
        if self.content is not None and all(each.is_dead for each in self.content.holders):
            return True
        # A renewal in the far future was before the file system's clock was set back.
        return abs(self.age) >= (self.content.seconds if self.content else SECONDS)


def find_lease(folder: Path) -> FoundLease | None:
    """Return the lease that counts in a folder; None if there is none."""
    while numbers := lease_numbers(folder):
        path = lease_path(folder, max(numbers))
        try:
            # Through one descriptor: to open a file asks a network file system anew for its time.
            with path.open("rb") as file:
                text, status = file.read(WHOLE), os.fstat(file.fileno())
        except FileNotFoundError:  # it changed hands, or the listing is old
            time.sleep(SOON)
            continue
        try:
            content = LeaseFile.model_validate_json(text)
        except ValidationError:
            content = None
        return FoundLease(path, max(numbers), content, status.st_mtime)
    return None


def file_system_time(folder: Path) -> float:
    """Return the time of a folder's file system; this machine's if the folder takes no files."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            return os.fstat(probe.fileno()).st_mtime
    except OSError:
        return time.time()


def write_next(folder: Path, number: int, content: LeaseFile, over: FoundLease | None) -> bool:
    """Create the lease's file of the next number; return False if somebody else was first.

    Args:
        folder: where it holds.
        number: the last.
        content: of the file.
        over: the lease that it takes the place of; None for a free folder.
    """
    path = lease_path(folder, number + 1)
    if not create_file(path, content.model_dump_json().encode()):
        return False
    numbers = lease_numbers(folder)
    is_new = numbers == {number + 1} if over is None else over.number in numbers
    if max(numbers, default=0) != number + 1 or not is_new:
        # The listing was old: others have come and perhaps gone since.
        path.unlink(missing_ok=True)
        return False
    for each in numbers - {number + 1}:
        lease_path(folder, each).unlink(missing_ok=True)
    return True


def lease_path(folder: Path, number: int) -> Path:
    """Return the file of a number."""
    return folder / f"{STEM}{number}"


def lease_numbers(folder: Path) -> set[int]:
    """Return the numbers of the leases in a folder; none if it is not there."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    ends = [name.removeprefix(STEM) for name in names if name.startswith(STEM)]
    return {int(end) for end in ends if end.isdecimal()}
