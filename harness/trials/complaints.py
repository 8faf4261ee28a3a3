"""What is wrong with a file's lines: which, how many, and the mend."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import RequestError

EXAMPLES = 3
"""How many lines an error shows; it counts all of them."""

SHOWN = 80
"""How many characters of a line an error shows."""


class ScoreFileError(RequestError):
    """A trial, score or utt2spk file that cannot be used as the request wants it."""


@dataclass
class Complaints:
    """Unreadable lines, collected while a file is read, so that one error tells of them all.

    Attributes:
        path: the file.
        count: how many lines were complained of.
        examples: the first of them, in words.
    """

    path: Path
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, line: int, text: bytes, why: str) -> None:
        """Notes that a line, counted from 1, is unreadable."""
        self.count += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"line {line} ({quoted(text)}): {why}")

    def stop(self, lines: int, layout: str) -> None:
        """Raises ScoreFileError where there were any; `lines` is how many the file has."""
        if self.count:
            raise ScoreFileError(
                f"{self.path}: {self.count} of {lines} lines cannot be read as {layout!r}: "
                f"{listed(self.examples, self.count)}; mend or remove them"
            )


def listed(examples: Iterable[str], count: int) -> str:
    """Joins the first few examples, and says how many more there are.

    >>> listed(["line 1: no score", "line 7: no score"], 5)
    'line 1: no score; line 7: no score; and 3 more'
    """
    shown = list(examples)[:EXAMPLES]
    more = [f"and {count - len(shown)} more"] if count > len(shown) else []
    return "; ".join(shown + more)


def counted(count: int, noun: str) -> str:
    """Puts a number before a noun.

    >>> counted(1, "line"), counted(2, "line")
    ('1 line', '2 lines')
    """
    return f"{count} {noun}" + ("" if count == 1 else "s")


def quoted(text: bytes) -> str:
    r"""Shows the start of a line, with whatever is invisible or undecodable in it made visible.

    >>> quoted(b"caf" + bytes([233]) + b" 1")
    "'caf\\\\xe9 1'"
    """
    start = text[:SHOWN].decode("utf-8", errors="backslashreplace")
    return repr(start) + ("..." if len(text) > SHOWN else "")
