"""The error of an adapter that breaks the interface's promises."""

from __future__ import annotations

from typing import Any


class ConformanceError(AssertionError):
    """An adapter does not do what the interface promises; the message names what."""


def require(holds: bool, adapter: Any, message: str) -> None:
    """Refuse an adapter.

    Raises:
        ConformanceError: `holds` is False.
    """
    if not holds:
        raise ConformanceError(f"{type(adapter).__name__}: {message}")
