"""One worker process as its caller sees it: messages, noise, and its end.

Code of others runs in it: it may print without end, close or write to any descriptor, and leave
processes behind that hold its pipes open. So nothing here waits for the end of a pipe alone.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from harness.run.execute.channel import Messages
from harness.run.execute.noise import Noise

SOON, TICK = 0.01, 0.5
"""Seconds between two looks at a process whose pipes somebody else may hold open."""

GRACE = 10.0
"""Seconds that a process has to end after its last message: libraries tidy up."""

LEFT_BEHIND = 1.0
"""Seconds that processes which it started have to end after it."""

CHUNK = 2**20
"""At least as many bytes as a pipe holds: one read gives all that an ended process left there."""


class Child:
    """A worker process.

    Args:
        module: what it runs; its `main` opens the channel.
        environment: its environment.
    """

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        requests, self._requests = os.pipe()
        self._messages, messages = os.pipe()
        self._noise, noise = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(requests), str(messages)],
                stdin=subprocess.DEVNULL,
                stdout=noise,
                stderr=noise,
                pass_fds=(requests, messages),
                env=environment,
                # A group of its own: Ctrl-C is the caller's to answer, not a death that makes a
                # row; and what it leaves behind can be ended with it.
                process_group=0,
            )
        finally:
            for theirs in (requests, messages, noise):
                os.close(theirs)
        self._parsed, self._printed = Messages(), Noise()
        self._finished = False
        self._status: int | None = None
        self._selector = selectors.DefaultSelector()
        for ours in (self._messages, self._noise):
            os.set_blocking(ours, False)
            self._selector.register(ours, selectors.EVENT_READ)

    def send(self, request: str) -> None:
        """Hand it a line; one that has died says so by its exit status."""
        left = memoryview(request.encode() + b"\n")
        with suppress(BrokenPipeError):
            while left:
                left = left[os.write(self._requests, left) :]

    def receive(self) -> dict[str, Any] | None:
        """Wait for its next message; None where it ended, or closed its channel.

        Raises:
            ProtocolError: it wrote bytes that are no message.
        """
        while True:
            message = self._parsed.next()
            if message is not None:
                return message
            if not self._is_open:
                return None
            if self._has_ended:
                # Once more, since what it wrote before its end may not have been read yet.
                self._read(0)
                return self._parsed.next()
            self._read(TICK)

    def kill(self) -> None:
        """End it now; another thread may be waiting for its message."""
        self._process.kill()

    def finish(self, grace: float = GRACE) -> int | None:
        """Wait a little for its end, else end it, and all that it left behind.

        Returns:
            Its exit status; None where it had to be ended.
        """
        if self._finished:
            return self._status
        try:
            ended = self._until(lambda: self._has_ended, grace)
            if ended:
                self._until(lambda: not self._selector.get_map(), LEFT_BEHIND)
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            status = self._process.wait()
        finally:
            self._close()
        self._status = status if ended else None
        return self._status

    @property
    def printed(self) -> str:
        """The end of what it printed since `forget_noise`."""
        return self._printed.text

    def forget_noise(self) -> None:
        """What it prints from now on belongs to something else."""
        self._printed = Noise()

    @property
    def _is_open(self) -> bool:
        return self._messages in {key.fd for key in self._selector.get_map().values()}

    @property
    def _has_ended(self) -> bool:
        """Whether it has ended; it is not waited for yet, so that its group keeps its number."""
        with suppress(ChildProcessError):
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self._process.pid, options) is not None
        return True

    def _read(self, seconds: float) -> None:
        """Take what is there, waiting for it so long."""
        for key, _ in self._selector.select(seconds):
            chunk = os.read(key.fd, CHUNK)
            if not chunk:
                self._selector.unregister(key.fd)
            elif key.fd == self._noise:
                self._printed.feed(chunk)
            else:
                self._parsed.feed(chunk)

    def _until(self, is_over: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not is_over():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            # Where every pipe is closed, nothing wakes this up: a process is about to end.
            self._read(min(left, TICK if self._selector.get_map() else SOON))
        return True

    def _close(self) -> None:
        self._finished = True
        self._selector.close()
        for ours in (self._requests, self._messages, self._noise):
            os.close(ours)
