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

MARK = b"\x1etrialboard "
LONGEST = 2**28
"""Bytes of a message; one with a score of every speaker takes a few millions."""

HIDDEN = 100
"""Descriptors from here on: libraries that count through the small ones do not meet them."""


class ProtocolError(Exception):
    """Bytes came that are no message."""


class Messages:
    """Takes bytes as they come and gives whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Add bytes."""
        self._buffer += chunk

    def next(self) -> dict[str, Any] | None:
        """The next message; None where it is not whole yet.

        Raises:
            ProtocolError: what came is none.
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


class Channel:
    """A worker's end: requests in, messages out.

    When the requests end, whoever started the worker is gone, and so is the worker.
    """

    def __init__(self, requests: int, messages: int) -> None:
        self._requests, self._messages = _hidden(requests), _hidden(messages)
        self._owner, self._lock = os.getpid(), threading.Lock()
        self._queue: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def receive(self) -> str:
        """Wait for the next request."""
        return self._queue.get()

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; a copy of this process that foreign code forked off has none to send."""
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


def open_channel() -> Channel:
    """The channel that this process was started with: two descriptors on its command line."""
    requests, messages = sys.argv[1:3]
    return Channel(int(requests), int(messages))


def _hidden(descriptor: int) -> int:
    """The same pipe under a higher number, which programs that are started do not inherit."""
    hidden = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, HIDDEN)
    os.close(descriptor)
    return hidden
