"""Damaged files of our own: set aside, said in one line, and made again by whoever needs them.

A file that was set aside keeps its name with `.damaged-N` behind it. Nothing reads it again;
`harness runs gc` lists it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from harness.errors import PathError, RequestError, naming

Tell = Callable[[str], None]

MARK = re.compile(r"\.damaged-\d+$")


class DamagedFile(RequestError):
    """A file of ours does not hold what was written to it."""


def set_aside(path: Path, why: str, then: str = "it is made again") -> None:
    """Rename a damaged file or folder, and say so; where it cannot be renamed, say that.

    Args:
        path: it need not exist any more.
        why: the damage.
        then: the mend, for the message.
    """
    if not path.exists():
        return
    for number in count(1):
        aside = path.with_name(f"{path.name}.damaged-{number}")
        if not aside.exists():
            break
    try:
        with naming(path):
            path.rename(aside)
    except PathError as error:  # somebody else's folder: whoever may write there mends it
        tell_damage(f"{path}: damaged ({why}); left where it is: {error}")
        return
    tell_damage(f"{path}: damaged ({why}); set aside as {aside.name}, {then}")


def was_set_aside(path: Path) -> bool:
    """Return whether a path is a damaged one that was set aside."""
    return bool(MARK.search(path.name))


def tell_damage(message: str) -> None:
    """Say that something was damaged, and its mend, to whoever listens in this process."""
    _LISTENERS[-1](message)


@contextmanager
def hear_damage(tell: Tell) -> Iterator[None]:
    """Send messages about damage to a callback instead of to standard error."""
    _LISTENERS.append(tell)
    try:
        yield
    finally:
        _LISTENERS.remove(tell)


def _write(message: str) -> None:
    sys.stderr.write(f"{message}\n")


_LISTENERS: list[Tell] = [_write]
"""The last one hears; not of a context, since threads tell too."""
