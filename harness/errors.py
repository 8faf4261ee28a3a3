"""Errors that a user can mend: each names the fault, its place, and the remedy."""

from __future__ import annotations

import difflib
import errno
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class HarnessError(Exception):
    """Anything the harness refuses or fails at, with its mend in the message."""

    def __str__(self) -> str:
        """Return the message, with control characters of the files that it quotes made visible."""
        return visible(super().__str__())


class RequestError(HarnessError):
    """The request itself was wrong (configuration, arguments, absent data): exit code 2."""


class ConfigError(RequestError):
    """A benchmark file holds a wrong key or value."""


class CorpusAbsent(RequestError):
    """A corpus was asked for by name and is not on this machine."""


class DataError(RequestError):
    """Files of a corpus cannot be used; the message names each with its line."""


class LockError(RequestError):
    """The data on disk differ from `benchmark.lock`."""


class PathError(RequestError):
    """A path cannot be read or written as it was asked for."""


class StorageError(HarnessError):
    """A disk, or a limit of the system, ended what had begun; the same command goes on."""


class JobFailed(HarnessError):
    """A job ended without a result; the message becomes its row's reason."""


class OutOfMemory(JobFailed):
    """An allocator had no memory left; the message says what was tried."""


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


def visible(text: str) -> str:
    r"""Spell out control characters, which a terminal would obey; line ends and tabs stay.

    >>> visible("a\x1b[31mb\n")
    'a\\x1b[31mb\n'
    """
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def in_one_line(text: str) -> str:
    r"""Spell out control characters and line ends: a log may obey a line of its own.

    >>> in_one_line("a\n::error::b\x1b[31m")
    'a\\n::error::b\\x1b[31m'
    """
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


ADAPTER_ERRORS = (
    RuntimeError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    ImportError,
    OSError,
    AssertionError,
    HarnessError,
)
"""Errors of an adapter's own code, which its job's row reports wherever they occur first."""


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


_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ENOTCONN})
"""Errors of reading that come from the machine, not from the file."""

_GOES_ON = "and give the same command again: it goes on from what is done"

_REFUSED = {
    errno.ENOENT: ("no such file or folder", "check the path"),
    errno.ENOTDIR: ("a part of this path is a file, not a folder", "check the path"),
    errno.EISDIR: ("is a folder", "give a file"),
    errno.EEXIST: ("a file is in the way", "move it, or choose another place"),
    errno.ENOTEMPTY: ("a folder is in the way", "move it, or choose another place"),
    errno.ENAMETOOLONG: ("its name is too long for the file system", "choose a shorter one"),
    errno.ELOOP: ("its symbolic links lead in a circle", "mend them, or give the file itself"),
    errno.EACCES: ("permission denied", "change its rights (chmod), or choose another place"),
    errno.EPERM: ("not permitted", "change its owner or rights, or choose another place"),
    errno.EROFS: (
        "the file system is read-only",
        "mount it for writing, or choose another place (--runs names that of results)",
    ),
    errno.ETXTBSY: ("is a program that runs", "end it, or choose another place"),
}
"""Faults of a path in the request: error number -> fault and remedy."""

_FAILED = {
    errno.ENOSPC: ("disk full", f"free some room {_GOES_ON}"),
    errno.EDQUOT: ("disk quota used up", f"free some room {_GOES_ON}"),
    errno.EFBIG: ("file size limit reached", f"raise it (`ulimit -f`) {_GOES_ON}"),
    errno.EIO: ("input/output error", f"check the disk {_GOES_ON}"),
    errno.EMFILE: (
        "too many open files",
        f"raise the limit (`ulimit -n`) or give fewer --workers {_GOES_ON}",
    ),
    errno.ENFILE: ("too many open files on this machine", f"end other programs {_GOES_ON}"),
    errno.ENOMEM: ("no memory left", f"end other programs {_GOES_ON}"),
    errno.EBUSY: ("in use", f"end the program that uses it {_GOES_ON}"),
    errno.ESTALE: ("network file system lost", f"mount it again {_GOES_ON}"),
    errno.ETIMEDOUT: ("network file system does not answer", f"check the network {_GOES_ON}"),
    errno.ENOTCONN: ("file system is not connected", f"mount it again {_GOES_ON}"),
}
"""Faults of the machine: error number -> fault and remedy."""


def file_error(error: OSError, path: Path | str | None = None) -> HarnessError | None:
    """Turn an error of the operating system into one that names the path and the mend.

    Args:
        error: as it was raised; a file of its own that it names goes before `path`.
        path: the file or folder that was in use.

    Returns:
        None if the error names nothing that a user could mend.

    >>> str(file_error(OSError(errno.ENOSPC, "No space left on device"), "runs/x.json"))
    'disk full at runs/x.json: free some room and give the same command again: it goes on from \
what is done'
    >>> str(file_error(FileNotFoundError(errno.ENOENT, "No such file or directory", "a.txt")))
    'a.txt: no such file or folder; check the path'
    """
    number, place = error.errno, _place(error, path)
    if number in _FAILED:
        what, mend = _FAILED[number]
        return StorageError(f"{what}{f' at {place}' if place else ''}: {mend}")
    if number is None or not place:
        return None
    if number in _REFUSED:
        what, mend = _REFUSED[number]
        return PathError(f"{place}: {what}; {mend}")
    return StorageError(f"{place}: {error.strerror}; check the path {_GOES_ON}")


def unreadable(path: Path, error: OSError) -> str:
    """Return the message about a file that the operating system refuses to read."""
    return f"{path}: cannot be read: {error.strerror}; check its path and rights"


def raise_limit(error: Exception, path: Path) -> None:
    """Raise an error of the machine, which has nothing to do with the file that was read.

    Raises:
        StorageError: too many files are open, memory ran out, or a file system is lost.
    """
    if isinstance(error, OSError) and error.errno in _LIMITS:
        named = file_error(error, path)
        if named is not None:
            raise named from error


def check_spelled(path: Path) -> None:
    """Refuse a path that JSON has no spelling for: jobs and records name it there.

    Raises:
        PathError: it holds bytes that are not UTF-8, or that the locale does not know.
    """
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError as error:
        shown = error.object.encode("utf-8", "backslashreplace").decode()
        known = sys.getfilesystemencoding()
        raise PathError(
            f"{shown}: holds bytes that are no {known} text; "
            + ("choose another place" if known == "utf-8" else "set PYTHONUTF8=1")
        ) from error


@contextmanager
def naming(path: Path | str) -> Iterator[None]:
    """Raise errors of the operating system in a block as ones that name a path and the mend.

    Raises:
        PathError: the path cannot be used as it was asked for.
        StorageError: the disk or a limit of the system ended it.
    """
    try:
        yield
    except OSError as error:
        named = file_error(error, path)
        if named is None:
            raise
        raise named from error


def _place(error: OSError, path: Path | str | None) -> str:
    """Return the path to name: `path` for a temporary file beside it, else the file that failed."""
    named = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    if path is None:
        return named
    own = not named or Path(named).parent == Path(path).parent or Path(named).is_relative_to(path)
    return str(path) if own else named
