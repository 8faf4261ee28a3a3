"""Leases: the right to work in a folder, which lapses unless its holder renews it.

No lock of the file system is needed, as some network file systems have none. A lease is a small
file `lease-N` in the folder, and the highest N counts. Whoever takes, takes over, hands on or mends
a lease creates the file of the next number, which one process alone can do (a hard link, or
`O_EXCL`): so of two that take over the same lapsed lease one gets it. A listing may be older than
the folder, so whoever has created a file looks again before it counts as the holder. Numbers of a
free folder begin anew; a holder who was late for a whole lease therefore trusts no number.
"""

from __future__ import annotations

import math
import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from harness.errors import RequestError, naming
from harness.records.lease_file import (
    SECONDS,
    FoundLease,
    LeaseFile,
    find_lease,
    lease_numbers,
    lease_path,
    write_next,
)
from harness.records.process_identity import this_process

VARIABLE = "HARNESS_LEASE"
"""The variable with the seconds of a lease: more for a file system that is away for longer."""

BEATS = 8
"""Renewals within a lease."""

TRIES = 5
"""Looks at a folder whose leases change hands meanwhile, before the next beat looks again."""

POLL = 0.2
"""Seconds between two looks at a lease that somebody else holds."""


class LeaseLost(Exception):
    """Another process has taken a lease over: what it guards is no longer this one's to write."""


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
                if write_next(self.folder, number, self._content, found):
                    self._number, self._renewed = number + 1, began
                    return

    def release(self) -> None:
        """Give it up; one that was handed on stays its taker's."""
        _HEART.discard(self)
        with self._lock, suppress(OSError, LeaseLost):
            self.check()
            self._is_released = True
            if not self._is_shared and (found := find_lease(self.folder)) and self._is_own(found):
                _remove(found)

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
            token=uuid4().hex, since=now, seconds=_lease_seconds(), holders=(this_process(),)
        )
        number = found.number if found else 0
        if not write_next(folder, number, content, found):
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
            holders = (*found.content.holders, this_process())
            content = found.content.model_copy(update={"holders": holders})
            if write_next(folder, found.number, content, found):
                return Lease(folder, found.number + 1, content, is_shared=True)
    raise LeaseLost(f"{folder}: another process has taken its work over")


def clear_lapsed(folder: Path) -> None:
    """Remove the lease of a holder that died behind its work, where that is done."""
    with suppress(OSError):
        if (found := find_lease(folder)) is not None and found.has_lapsed:
            _remove(found)


def _remove(found: FoundLease) -> None:
    """Remove a lease and those before it, the one that counts last."""
    folder = found.path.parent
    for number in sorted(lease_numbers(folder)):
        if number <= found.number:
            lease_path(folder, number).unlink(missing_ok=True)


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
