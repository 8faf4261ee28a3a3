"""The errors that a user can mend: each says what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


class HarnessError(Exception):
    """Anything the harness refuses or fails at, with its mend in the message."""


class RequestError(HarnessError):
    """The request itself was wrong (configuration, arguments, absent data): exit code 2."""


class ConfigError(RequestError):
    """A benchmark file says something that cannot be."""


class CorpusAbsent(RequestError):
    """A corpus was asked for by name and is not on this machine."""


class DataError(RequestError):
    """Files of a corpus cannot be used; the message names each with its line."""


class LockError(RequestError):
    """What is on disk is not what `benchmark.lock` says."""


class JobFailed(HarnessError):
    """A job ended without a result; the message becomes its row's reason."""


_UNPRINTABLE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links, device strings
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def printable(text: str) -> str:
    r"""Remove terminal escape sequences and control characters; lines and tabs stay.

    >>> printable("\x1b[31mred\x1b[0m\tor\r\nnot\x07")
    'red\tor\nnot'
    """
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def raised(error: BaseException) -> str:
    r"""Name an exception and the first line of its message, for a row's reason.

    >>> raised(ValueError("first\nsecond"))
    'ValueError: first'
    """
    if isinstance(error, SystemExit):
        return printable(f"it ended its process by sys.exit({error.code!r})")[:500]
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    lines = printable(str(error)).strip().splitlines()
    return f"{name}: {lines[0]}"[:500] if lines else name


def nearest(name: str, known: Iterable[str]) -> str:
    """Name the closest known word, for the end of an error message.

    >>> nearest("ecapa-521", ["ecapa-512", "campplus"])
    "did you mean 'ecapa-512'?"
    >>> nearest("zzz", ["b", "a"])
    'known: a, b'
    >>> nearest("zzz", [])
    'none are defined'
    """
    words = sorted(known)
    close = difflib.get_close_matches(name, words, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(words) if words else "none are defined"
