"""Processes of a test, told by a mark in their environment."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psutil
import pytest

NAME = "TRIALBOARD_TEST"


@pytest.fixture
def mark() -> Iterator[str]:
    """A value of `NAME` for the processes of one test; those that it left are killed."""
    value = uuid4().hex
    yield value
    for each in marked(value):
        each.kill()


def marked(mark: str, name: str = NAME) -> list[psutil.Process]:
    """Living processes that began with a mark in their environment."""
    found = []
    for each in psutil.process_iter():
        try:
            if each.environ().get(name) == mark and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except psutil.Error:
            continue
    return found
