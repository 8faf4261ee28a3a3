"""The last of what a process printed."""

from __future__ import annotations

from harness.errors import printable

KEPT = 2**18
"""Bytes of the end that are kept: a traceback, and what led to it."""


class Noise:
    """Takes all that a process prints and keeps the end of it."""

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
        """The end of it, without control characters; it says how much came before."""
        said = printable(self._tail.decode("utf-8", errors="replace"))
        return f"[{self._dropped:,} bytes dropped]\n{said}" if self._dropped else said
