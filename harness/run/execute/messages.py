"""Messages between a worker and its caller, on descriptors that nothing else uses.

A message is a line: a mark, then JSON. Standard output and standard error of a worker are noise,
whoever writes there; so a message is told from noise by its descriptor, and bytes on that
descriptor which do not begin with the mark are an error of the code that the worker runs.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
from queue import SimpleQueue
from typing import Any, NoReturn

from harness.errors import printable

MARK = b"\x1etrialboard "
LONGEST = 2**28
"""Bytes of a message; one with a score of every speaker takes a few millions."""

HIDDEN = 100
"""Descriptors from here on: libraries that count through the small ones do not meet them."""

KEPT = 2**18
"""Bytes of a process's output that are kept: a traceback, and what led to it."""


class ProtocolError(Exception):
    """A worker wrote bytes that are no message."""


class OutputTail:
    """Keep the end of all that a process prints."""

    def __init__(self) -> None:
        self._tail, self._dropped = bytearray(), 0

    def feed(self, chunk: bytes) -> None:
        """Add bytes."""
        self._tail += chunk
        if len(self._tail) > 2 * KEPT:
            self._dropped += len(self._tail) - KEPT
            del self._tail[:-KEPT]

    @property
    def text(self) -> str:
        """The end of the output without control characters, and how much came before it."""
        said = printable(self._tail.decode("utf-8", errors="replace"))
        return f"[{self._dropped:,} bytes dropped]\n{said}" if self._dropped else said


class MessageParser:
    """Split a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Add bytes."""
        self._buffer += chunk

    def next(self) -> dict[str, Any] | None:
        """Return the next message; None if it is not complete yet.

        Raises:
            ProtocolError: the bytes are no message.
        """
        start = bytes(self._buffer[: len(MARK)])
        if start != MARK[: len(start)] or len(self._buffer) > LONGEST:
            raise ProtocolError
        line, end, _ = self._buffer.partition(b"\n")
        if not end:
            return None
        del self._buffer[: len(line) + 1]
        try:
            message = json.loads(line[len(MARK) :])
        except ValueError as error:
            raise ProtocolError from error
        if not isinstance(message, dict) or "event" not in message:
            raise ProtocolError
        return message


class WorkerChannel:
    """The worker's end of the pipes: requests in, messages out.

    When the requests end, whoever started the worker is gone, and the worker ends too.
    """

    def __init__(self, requests: int, messages: int) -> None:
        self._requests, self._messages = _hide(requests), _hide(messages)
        self._owner, self._lock = os.getpid(), threading.Lock()
        self._queue: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def receive(self) -> str:
        """Wait for the next request."""
        return self._queue.get()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; a process that foreign code forked off ends here instead."""
        if os.getpid() != self._owner:
            os._exit(1)
        left = memoryview(MARK + json.dumps(message).encode() + b"\n")
        with self._lock:
            while left:
                left = left[os.write(self._messages, left) :]

    def _listen(self) -> NoReturn:
        text = b""
        try:
            while chunk := os.read(self._requests, 2**16):
                *lines, text = (text + chunk).split(b"\n")
                for line in lines:
                    self._queue.put(line.decode())
        finally:
            os._exit(1)


def open_channel() -> WorkerChannel:
    """Open the channel whose two descriptors are on this process's command line."""
    requests, messages = sys.argv[1:3]
    return WorkerChannel(int(requests), int(messages))


def _hide(descriptor: int) -> int:
    """Move a pipe to a higher number, which programs that are started do not inherit."""
    hidden = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, HIDDEN)
    os.close(descriptor)
    return hidden
