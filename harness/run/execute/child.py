"""One worker process as its caller sees it: messages, output, and its end.

Code of others runs in it: it may print without end, close or write to any descriptor, and leave
processes behind that hold its pipes open. So nothing here waits for the end of a pipe alone.
"""

from __future__ import annotations

import math
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

from harness.run.execute.fork_server import ForkServer
from harness.run.execute.messages import MessageParser, OutputTail
from harness.run.execute.supervisor import ENDING, end_descendants, end_marked

SUPERVISOR = "harness.run.execute.supervisor"
MARK = "TRIALBOARD_WORKER"
"""The variable that tells a worker's processes from those of others."""

SOON, TICK = 0.01, 0.5
"""Seconds between two looks at a process whose pipes somebody else may hold open."""

GRACE = 10.0
"""Seconds that a process has to end after its last message: libraries tidy up."""

LAST_WORDS = 1.0
"""Seconds in which the pipes of an ended process are read to their end."""

CHUNK = 2**20
"""At least as many bytes as a pipe holds: one read gives all that an ended process left there."""


class TimeIsUp(Exception):
    """No message came within the time that its receiver had."""


class Child:
    """A worker process, below a supervisor that ends all that it starts.

    Args:
        module: what it runs; its `main` opens the channel.
        environment: its environment.
        server: what it is forked by; None to start it from nothing.

    Attributes:
        mark: the value of the variable `MARK` of all its processes.
    """

    def __init__(
        self, module: str, environment: Mapping[str, str], server: ForkServer | None = None
    ) -> None:
        requests, self._requests = os.pipe()
        self._messages, messages = os.pipe()
        self._prints, prints = os.pipe()
        lifeline, self._lifeline = os.pipe()
        self.mark = uuid4().hex
        own, pipes = {**environment, MARK: self.mark}, (requests, messages)
        try:
            forked = server.start(module, own, (lifeline, prints), pipes) if server else None
            self._process = forked or subprocess.Popen(
                # -P: what lies in the folder of the call is not taken for a package of that name.
                [sys.executable, "-P", "-m", SUPERVISOR, module, *map(str, pipes)],
                stdin=lifeline,
                stdout=prints,
                stderr=prints,
                pass_fds=pipes,
                env=own,
                # A group of its own: Ctrl-C is the caller's to answer, and no death that is a row.
                process_group=0,
            )
        finally:
            for theirs in (requests, messages, prints, lifeline):
                os.close(theirs)
        self._parser, self._output = MessageParser(), OutputTail()
        self._finished = False
        self._status: int | None = None
        self._selector = selectors.DefaultSelector()
        for ours in (self._messages, self._prints):
            os.set_blocking(ours, False)
            self._selector.register(ours, selectors.EVENT_READ)

    def send(self, request: str) -> None:
        """Write a line to it; if it has died, its exit status says so later."""
        left = memoryview(request.encode() + b"\n")
        with suppress(BrokenPipeError):
            while left:
                left = left[os.write(self._requests, left) :]

    def receive(self, seconds: float = math.inf) -> dict[str, Any] | None:
        """Wait for its next message; return None if it ended or closed its channel.

        Args:
            seconds: how long is waited; a message that is there by then is received in any case.

        Raises:
            ProtocolError: it wrote bytes that are no message.
            TimeIsUp: nothing came.
        """
        deadline = time.monotonic() + seconds
        while True:
            # First, since this process itself may have stood still beyond the deadline.
            is_last = time.monotonic() >= deadline
            if is_last:
                self._read(0)
            message = self._parser.next()
            if message is not None:
                return message
            if self._messages not in {key.fd for key in self._selector.get_map().values()}:
                return None
            if self._has_ended:
                # Once more, since what it wrote before its end may not have been read yet.
                self._read(0)
                return self._parser.next()
            if is_last:
                raise TimeIsUp
            self._read(min(TICK, max(0.0, deadline - time.monotonic())))

    def kill(self) -> None:
        """End it and all that it started; another thread may be waiting for its message."""
        self._process.terminate()

    def finish(self, grace: float = GRACE) -> int | None:
        """Wait a little for its end, else end it; nothing that it started is left.

        Returns:
            Its exit status; None if it had to be killed.
        """
        if self._finished:
            return self._status
        try:
            ended = self._until(lambda: self._has_ended, grace)
            if not ended:
                self.kill()
                if not self._until(lambda: self._has_ended, 2 * ENDING):
                    # Its supervisor was stopped by what it supervises.
                    end_descendants(self._process.pid)
                    self._process.kill()
            self._until(lambda: not self._selector.get_map(), LAST_WORDS)
            status = self._process.wait()
            if status < 0:
                # Perhaps the supervisor's own: what it had adopted is found by its environment.
                end_marked(MARK, self.mark)
        finally:
            self._finished = True
            self._selector.close()
            for ours in (self._requests, self._messages, self._prints, self._lifeline):
                os.close(ours)
        self._status = status if ended else None
        return self._status

    @property
    def output(self) -> str:
        """The end of what it printed since `forget_output`."""
        return self._output.text

    def forget_output(self) -> None:
        """Drop its output so far: what follows belongs to another question."""
        self._output = OutputTail()

    @property
    def _has_ended(self) -> bool:
        """True if it has ended; it is not reaped yet."""
        with suppress(ChildProcessError):
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self._process.pid, options) is not None
        return True

    def _read(self, seconds: float) -> None:
        """Read what arrives within some seconds."""
        for key, _ in self._selector.select(seconds):
            chunk = os.read(key.fd, CHUNK)
            if not chunk:
                self._selector.unregister(key.fd)
            elif key.fd == self._prints:
                self._output.feed(chunk)
            else:
                self._parser.feed(chunk)

    def _until(self, is_over: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not is_over():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            # Where every pipe is closed, nothing wakes this up: a process is about to end.
            self._read(min(left, TICK if self._selector.get_map() else SOON))
        return True
