"""Speeds are measured alone on a machine: jobs that work there stand still meanwhile.

Two files of the machine's own disk, locked as the system locks files, so that whoever is killed
holds none. Who works shares the room. Who measures closes the door first, then waits until the
room is empty; who works looks at the door between two steps, and stands outside while it is closed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if os.name == "posix":
    import fcntl

VARIABLE = "HARNESS_MACHINE"
"""The variable that names the folder of both files: one that containers of a machine share."""

Wait = Callable[[bool], None]
"""Called with True before waiting, with False after it; not at all if nobody waits."""


class AtWork:
    """This process among those that work on its machine; it does one job at a time.

    Where the machine's folder takes no files, or knows no locks, nobody waits for anybody.
    """

    def __init__(self) -> None:
        self._door = self._room = -1
        self._is_alone = False

    @contextmanager
    def begin(self) -> Iterator[None]:
        """Work from now on, as soon as nobody measures."""
        if self._is_there:  # a job that another one rests on
            yield
            return
        try:
            self._open()
            self.rejoin()
        except OSError:
            self._close()
        try:
            yield
        finally:
            self._close()

    def stand_aside(self, wait: Wait) -> None:
        """Let others measure between two steps of this process's work."""
        if not self._is_there or self._is_alone:
            return
        if not _take(self._door, shared=True):
            wait(True)
            self.leave()
            self.rejoin()
            wait(False)
        _give_back(self._door)

    def leave(self) -> None:
        """Let others measure while this process waits for something."""
        if self._is_there and not self._is_alone:
            _give_back(self._room)

    def rejoin(self) -> None:
        """Go on after `leave`, as soon as nobody measures."""
        if self._is_there and not self._is_alone:
            fcntl.flock(self._door, fcntl.LOCK_SH)
            fcntl.flock(self._room, fcntl.LOCK_SH)
            _give_back(self._door)

    @contextmanager
    def alone(self, wait: Wait) -> Iterator[None]:
        """Measure while nobody else works."""
        if not self._is_there or self._is_alone:
            yield
            return
        _give_back(self._room)
        if not (_take(self._door) and _take(self._room)):
            wait(True)
            for each in (self._door, self._room):
                fcntl.flock(each, fcntl.LOCK_EX)
            wait(False)
        self._is_alone = True
        try:
            yield
        finally:
            self._is_alone = False
            fcntl.flock(self._room, fcntl.LOCK_SH)
            _give_back(self._door)

    @property
    def _is_there(self) -> bool:
        return self._room >= 0

    def _open(self) -> None:
        if os.name != "posix":
            return
        folder = Path(os.environ.get(VARIABLE) or tempfile.gettempdir())
        place = folder / f"trialboard-{os.getuid()}"
        place.mkdir(mode=0o700, exist_ok=True)
        door = os.open(place / "door.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._door, self._room = door, os.open(place / "room.lock", os.O_RDWR | os.O_CREAT, 0o600)

    def _close(self) -> None:
        for each in (self._room, self._door):
            if each >= 0:
                with suppress(OSError):
                    _give_back(each)
                os.close(each)
        self._door = self._room = -1


AT_WORK = AtWork()


def _take(descriptor: int, *, shared: bool = False) -> bool:
    """Lock a file without waiting; return False if somebody holds it."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _give_back(descriptor: int) -> None:
    # Not left to the descriptor's end: a process that was forked off has it too.
    fcntl.flock(descriptor, fcntl.LOCK_UN)
