"""The errors that a user can mend: each says what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
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


def quoted(value: object, most: int = 80) -> str:
    r"""Quote a value of a file that somebody else wrote: on one line, bounded, nothing raw.

    Args:
        value: any object; its `repr` is shown, which spells out what cannot be printed.
        most: characters that are shown.

    >>> quoted("a\n\x1b[31m")
    "'a\\n\\x1b[31m'"
    >>> quoted("a" * 100, 8)
    "'aaaaaaa... (102 characters)"
    """
    text = repr(value)
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} characters)"
