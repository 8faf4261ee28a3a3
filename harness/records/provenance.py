"""The code that makes a record: its commit, and if the work tree differs from it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from harness import __version__

DIRTY = "+dirty"
"""Ends a commit that the tree differs from."""

HARMLESS = ("leaderboards/", "docs/", "README.md", "benchmark.lock")
"""Paths that do not change what the code does: published tables, prose, and the lock, whose
content stands in every key that rests on it."""


def code_version(checkout: Path | None = None) -> str:
    """Return the commit of the code, `+dirty` if files differ from it; the release outside git.

    Args:
        checkout: the repository; None takes the one that this package lies in.
    """
    folder = checkout or Path(__file__).resolve().parent.parent.parent
    commit = _git(folder, "rev-parse", "HEAD") if (folder / ".git").exists() else None
    if commit is None:
        return f"release {__version__}"
    return commit + (DIRTY if dirty_files(folder) else "")


def dirty_files(checkout: Path) -> list[str]:
    """List the files that differ from the last commit, harmless ones apart."""
    # `-z` gives names as they are, and without renames each entry holds one name.
    options = ("--porcelain", "-z", "--untracked-files=all", "--no-renames")
    status = _git(checkout, "status", *options) or ""
    names = [entry[3:] for entry in status.split("\0") if entry]
    return [name for name in names if not name.startswith(HARMLESS)]


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.rstrip("\n")
