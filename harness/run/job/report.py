"""What a running job tells its executor."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Where a job's progress goes."""

    def stage(self, name: str, total: int) -> None:
        """A stage (or a part of one) begins; `total` units of it are to be done."""

    def advance(self, done: int, loss: float | None = None) -> None:
        """`done` units of the stage are done in all; the loss, where one is known."""
