"""The errors that a user can mend: each says what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class HarnessError(Exception):
    """Anything the harness refuses or fails at, with its mend in the message."""

    def __str__(self) -> str:
        """The message, with control characters of the files that it quotes made visible."""
        return visible(super().__str__())


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


def visible(text: str) -> str:
    r"""Spell out control characters, which a terminal would obey; line ends and tabs stay.

    >>> visible("a\x1b[31mb\n")
    'a\\x1b[31mb\n'
    """
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


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
