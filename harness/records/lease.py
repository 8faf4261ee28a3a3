"""Leases: the right to work in a folder, which lapses unless its holder renews it.

No lock of the file system is needed, as some network file systems have none. A lease is a small
file `lease-N` in the folder, and the highest N counts. Whoever takes, takes over, hands on or mends
a lease creates the file of the next number, which one process alone can do (a hard link, or
`O_EXCL`): so of two that take over the same lapsed lease one gets it. A listing may be older than
the folder, so whoever has created a file looks again before it counts as the holder. Numbers of a
free folder begin anew; a holder who was late for a whole lease therefore trusts no number.

The heartbeat is the file's time of change, which each renewal sets to the file system's own time;
its age is taken against a file just made in the same folder. The clocks of the machines that share
a folder may differ.
"""

from __future__ import annotations

import math
import os
import platform
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.errors import RequestError, naming
from harness.records.files import create_file

STEM = "lease-"

SECONDS = 120.0
"""Without a renewal after which a lease lapses, where `VARIABLE` names no other number."""

VARIABLE = "HARNESS_LEASE"
"""The variable with that number: more for a file system that is away for longer at times."""

BEATS = 8
"""Renewals within a lease."""

TRIES = 5
"""Looks at a folder whose leases change hands meanwhile, before the next beat looks again."""

POLL = 0.2
"""Seconds between two looks at a lease that somebody else holds."""

SOON = 0.01

WHOLE = 2**16
"""Bytes that are read of a lease at most: no more than this was written."""


class LeaseLost(Exception):
    """Another process has taken a lease over: what it guards is no longer this one's to write."""


class Holder(BaseModel):
    """A process that keeps a lease alive.

    Attributes:
        host: its machine's name.
        pid: its number there.
        place: whose numbers of processes these are; empty where the system does not tell.
        began: when the process began, in the system's own ticks.
    """

    model_config = ConfigDict(frozen=True)

    host: str
    pid: int
    place: str = ""
    began: str = ""

    @property
    def is_dead(self) -> bool:
        """True if it is known to have ended; what runs elsewhere is never known to."""
        return bool(self.place) and self.place == _place() and _began(self.pid) != self.began


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
    holders: tuple[Holder, ...]


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


class Lease:
    """A lease that this process holds, renewed in the background until it is released.

    Args:
        folder: where it holds.
        number: of its file.
        content: of its file.
        is_shared: True if it was handed on: whoever took it releases it.
    """

    def __init__(self, folder: Path, number: int, content: LeaseFile, is_shared: bool) -> None:
        self.folder, self.token = folder, content.token
        self._number, self._content, self._is_shared = number, content, is_shared
        self._lock, self._renewed = threading.RLock(), _clock()
        self._is_lost = self._is_released = False
        _HEART.add(self)

    @property
    def seconds(self) -> float:
        """Seconds without a renewal after which it lapses."""
        return self._content.seconds

    @property
    def is_late(self) -> bool:
        """True if it may have lapsed since it was last renewed here."""
        return _clock() - self._renewed >= self.seconds

    def check(self) -> None:
        """Check that it is still this process's.

        Raises:
            LeaseLost: somebody else has it, or it cannot be renewed and may have lapsed.
        """
        if self.is_late and not self._is_lost:
            with suppress(OSError):
                self.renew()
        if self._is_lost or self.is_late:
            raise LeaseLost(f"{self.folder}: another process has taken its work over")

    def renew(self) -> None:
        """Renew it, and mend its file; where somebody else has it, take note of that.

        Raises:
            OSError: the file system does not answer, or is full.
        """
        with self._lock:
            for _ in range(0 if self._is_released else TRIES):
                began, found = _clock(), find_lease(self.folder)
                if not self._is_own(found):
                    self._is_lost = True
                    return
                if found is not None and found.content and not (self.is_late and found.has_lapsed):
                    with suppress(FileNotFoundError):
                        os.utime(found.path)
                        self._number, self._content = found.number, found.content
                        self._renewed = began
                        return
                    continue  # it was handed on meanwhile
                number = found.number if found else self._number
                if _write_next(self.folder, number, self._content, found):
                    self._number, self._renewed = number + 1, began
                    return

    def release(self) -> None:
        """Give it up; one that was handed on stays its taker's."""
        _HEART.discard(self)
        with self._lock, suppress(OSError, LeaseLost):
            self.check()
            self._is_released = True
            if not self._is_shared and (found := find_lease(self.folder)) and self._is_own(found):
                for number in sorted(_numbers(self.folder)):  # the one that counts is the last
                    if number <= found.number:
                        _path(self.folder, number).unlink(missing_ok=True)

    def _is_own(self, found: FoundLease | None) -> bool:
        """Return whether it still holds by what the folder shows."""
        if found is not None and found.content is not None:
            return found.content.token == self.token
        # Deleted, or torn: nobody else can have it if it was renewed in time.
        return not self.is_late


class _Heart:
    """Renews all leases of this process; one that is forked off has none, since its parent does."""

    def __init__(self) -> None:
        self.begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        """Begin without leases."""
        self._leases: set[Lease] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, lease: Lease) -> None:
        """Renew a lease from now on."""
        with self._lock:
            self._leases.add(lease)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, daemon=True)
                self._thread.start()

    def discard(self, lease: Lease) -> None:
        """Renew a lease no longer."""
        with self._lock:
            self._leases.discard(lease)

    @property
    def leases(self) -> list[Lease]:
        """All that are renewed."""
        with self._lock:
            return list(self._leases)

    def _beat(self) -> None:
        while True:
            time.sleep(min((each.seconds for each in self.leases), default=SECONDS) / BEATS)
            for each in self.leases:
                with suppress(OSError):  # once it is late, whoever works under it is told
                    each.renew()


_HEART = _Heart()


def take_lease(folder: Path) -> Lease | None:
    """Take the lease of a folder, which is made if it is not there.

    Returns:
        The lease; None if somebody else has it.

    Raises:
        PathError: the folder cannot be written.
        StorageError: the disk is full, or fails.
        RequestError: `VARIABLE` is no number of seconds.
    """
    with naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        found = find_lease(folder)
        if found is not None and not found.has_lapsed:
            return None
        now = datetime.now(UTC).isoformat(timespec="seconds")
        content = LeaseFile(
            token=uuid4().hex, since=now, seconds=_lease_seconds(), holders=(_this_process(),)
        )
        number = found.number if found else 0
        if not _write_next(folder, number, content, found):
            return None
        return Lease(folder, number + 1, content, is_shared=False)


def share_lease(folder: Path, token: str) -> Lease:
    """Hold, beside its taker, a lease that was handed on to this process.

    Raises:
        LeaseLost: somebody else has it by now.
        PathError, StorageError: as for `take_lease`.
    """
    with naming(folder):
        while (found := find_lease(folder)) is not None and not found.has_lapsed:
            if found.content is None:  # torn; its taker mends it at its next beat
                time.sleep(POLL)
                continue
            if found.content.token != token:
                break
            holders = (*found.content.holders, _this_process())
            content = found.content.model_copy(update={"holders": holders})
            if _write_next(folder, found.number, content, found):
                return Lease(folder, found.number + 1, content, is_shared=True)
    raise LeaseLost(f"{folder}: another process has taken its work over")


def confirm_lease(folder: Path) -> None:
    """Make sure that nobody else works in a folder, before a result is written there.

    A process that never took its lease may write: it does not run the folder's job.

    Raises:
        LeaseLost: this process had the lease, and somebody else has it now.
        PathError, StorageError: as for `take_lease`.
    """
    for each in _HEART.leases:
        if each.folder == folder:
            with naming(folder):
                each.renew()
            each.check()


def check_leases() -> None:
    """Check all leases of this process, between two steps of its work.

    Raises:
        LeaseLost: one is lost.
    """
    for each in _HEART.leases:
        each.check()


def is_leased(folder: Path) -> bool:
    """Return whether some process works in a folder."""
    with naming(folder):
        found = find_lease(folder)
        return found is not None and not found.has_lapsed


def find_lease(folder: Path) -> FoundLease | None:
    """Return the lease that counts in a folder; None if there is none."""
    while numbers := _numbers(folder):
        path = _path(folder, max(numbers))
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


def _write_next(folder: Path, number: int, content: LeaseFile, over: FoundLease | None) -> bool:
    """Create the lease's file of the next number; return False if somebody else was first.

    Args:
        folder: where it holds.
        number: the last.
        content: of the file.
        over: the lease that it takes the place of; None for a free folder.
    """
    path = _path(folder, number + 1)
    if not create_file(path, content.model_dump_json().encode()):
        return False
    numbers = _numbers(folder)
    is_new = numbers == {number + 1} if over is None else over.number in numbers
    if max(numbers, default=0) != number + 1 or not is_new:
        # The listing was old: others have come and perhaps gone since.
        path.unlink(missing_ok=True)
        return False
    for each in numbers - {number + 1}:
        _path(folder, each).unlink(missing_ok=True)
    return True


def _path(folder: Path, number: int) -> Path:
    return folder / f"{STEM}{number}"


def _numbers(folder: Path) -> set[int]:
    """Return the numbers of the leases in a folder; none if it is not there."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    ends = [name.removeprefix(STEM) for name in names if name.startswith(STEM)]
    return {int(end) for end in ends if end.isdecimal()}


def _lease_seconds() -> float:
    """Return the length of this process's leases."""
    text = os.environ.get(VARIABLE) or str(SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < math.inf:
        raise RequestError(f"{VARIABLE}={text}: give a number of seconds, as in {SECONDS:g}")
    return seconds


def _clock() -> float:
    """Return seconds that count on while the machine is suspended, where the system has them."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def _this_process() -> Holder:
    pid = os.getpid()
    return Holder(host=platform.node(), pid=pid, place=_place(), began=_began(pid))


@cache
def _place() -> str:
    """Return what two processes share if one sees the other's number; empty if that is unknown.

    Containers on one machine number their processes apart, and users may not see each other's.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')} {os.getuid()}"
    except OSError:
        return ""


def _began(pid: int) -> str:
    """Return when a process began (proc_pid_stat(5), field 22); empty if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
