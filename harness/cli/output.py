"""Where output goes: results to standard output, all else to standard error."""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType

from harness.records.documents import readable_json

NARROWEST = 100
"""Tables are laid out for so many columns where the terminal does not tell its width."""


_RESULTS: list[int] = []
"""Standard output, kept away from libraries while a command works."""


@contextmanager
def output_for_results() -> Iterator[None]:
    """Let nothing but results reach standard output: what libraries write there is a message.

    Compiled libraries write to the descriptor, past `sys.stdout`; so it is the descriptor that
    leads to standard error meanwhile.
    """
    if not _is_output():
        yield
        return
    kept = os.dup(1)
    _RESULTS.append(kept)
    try:
        _lead_output_to(2)
        yield
    finally:
        _lead_output_to(_RESULTS.pop())
        os.close(kept)


@contextmanager
def _given() -> Iterator[None]:
    """Standard output as it was when the command began, for a result."""
    if not _RESULTS:
        yield
        return
    _lead_output_to(_RESULTS[-1])
    try:
        yield
    finally:
        _lead_output_to(2)


def _is_output() -> bool:
    """False where a test or a closed stream stands in its place."""
    with suppress(OSError, ValueError, AttributeError):
        return sys.stdout.fileno() == 1 and os.fstat(1) is not None and os.fstat(2) is not None
    return False


def _lead_output_to(descriptor: int) -> None:
    sys.stdout.flush()
    os.dup2(descriptor, 1)


def result_console() -> Console:
    """Standard output."""
    console = Console(soft_wrap=False)
    return console if console.is_terminal else Console(width=NARROWEST + 40)


def message_console() -> Console:
    """Standard error."""
    return Console(stderr=True, highlight=False)


def complain(message: str) -> None:
    """Say what is wrong."""
    message_console().print(
        f"harness: {message}", style="red", markup=False, emoji=False, soft_wrap=True
    )


def say(message: str) -> None:
    """Say something that is not the result."""
    message_console().print(message, markup=False, emoji=False, soft_wrap=True)


def give_json(document: Any) -> None:
    """Print one JSON document, the only thing on standard output."""
    with _given():
        sys.stdout.write(_spelled(readable_json(document)))
        sys.stdout.flush()


def _spelled(document: str) -> str:
    """JSON as standard output can hold it: escapes where its encoding is not UTF-8.

    Halves of surrogate pairs, as in names of files that are not UTF-8, have no other spelling.
    """
    encoding = codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name
    unsafe = r"[\ud800-\udfff]" if encoding == "utf-8" else r"[^\x00-\x7f]"
    return re.sub(unsafe, lambda found: json.dumps(found[0])[1:-1], document)


def give(*parts: RenderableType) -> None:
    """Print a result for people."""
    with _given():
        console = result_console()
        for part in parts:
            # Text is left to the terminal to wrap, so that a path can be searched for.
            if isinstance(part, str):
                console.print(part, markup=False, emoji=False, soft_wrap=True)
            else:
                console.print(part)


@contextmanager
def changing_result() -> Iterator[Console]:
    """Give the console of results for a display that changes while the command works."""
    with _given():
        yield result_console()


def give_written(written: Sequence[Path], unchanged: str, *, json: bool) -> None:
    """Print which files a command wrote.

    Args:
        written: the files.
        unchanged: what is said where there are none.
        json: whether as a document.
    """
    names = [str(path) for path in written]
    if json:
        give_json({"schema": 1, "written": names})
    else:
        give("\n".join(names) or unchanged)


def give_differences(differences: Sequence[str], none: str, *, json: bool) -> None:
    """Print what is not as it should be, and end with 1 where something is not.

    Args:
        differences: what is not.
        none: what is said where all is.
        json: whether as a document.

    Raises:
        typer.Exit: there are differences.
    """
    if json:
        give_json({"schema": 1, "differences": list(differences)})
    elif differences:
        complain("\n".join(differences))
    else:
        give(none)
    if differences:
        raise typer.Exit(1)
