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


def short_code(code: str) -> str:
    """Return the code of a record as people read it: twelve digits of its commit.

    >>> short_code("c2103f29f22d4f0c9d7a" + DIRTY), short_code("release 0.1.0")
    ('c2103f29f22d+dirty', 'release 0.1.0')
    """
    commit, dirty = code.removesuffix(DIRTY), DIRTY * code.endswith(DIRTY)
    return code if code.startswith("release ") else commit[:12] + dirty


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
