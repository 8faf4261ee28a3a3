"""A git work tree, asked and never changed: where it is, what is not committed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from harness.errors import RequestError


def changed_outside(repository: Path, folder: Path) -> list[str]:
    """Name the files changed, added or deleted anywhere but below `folder`.

    Args:
        repository: a folder of the work tree.
        folder: the folder whose changes do not count; it may lie outside the tree.

    Raises:
        RequestError: there is no git work tree.
    """
    top = top_of(repository)
    state = git(top, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    names = [os.fsdecode(entry)[3:] for entry in state.split(b"\0") if entry]
    own = folder.resolve()
    return sorted(name for name in names if not (top.resolve() / name).is_relative_to(own))


def top_of(repository: Path) -> Path:
    """The folder of the work tree that a folder is in.

    Raises:
        RequestError: there is no git work tree.
    """
    return Path(os.fsdecode(git(repository, "rev-parse", "--show-toplevel")).rstrip("\n"))


def git(repository: Path, *arguments: str, given: bytes = b"") -> bytes:
    """Run a reading git command; it takes no lock, as others may be using the tree.

    Args:
        repository: a folder of the work tree.
        arguments: the command.
        given: its standard input.

    Raises:
        RequestError: it failed, mostly as there is no work tree.
    """
    command = ["git", "--no-optional-locks", "-C", str(repository), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=True, input=given)
    except FileNotFoundError as error:
        raise RequestError("git is not installed; publishing needs it to name the code") from error
    except subprocess.CalledProcessError as error:
        said = os.fsdecode(error.stderr).strip()
        raise RequestError(f"{repository}: not a git work tree ({said})") from error
    return done.stdout
