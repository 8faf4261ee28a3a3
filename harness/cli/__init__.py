"""The command `harness`: one file a command, each of which parses and calls."""

from __future__ import annotations

import sys

from harness.cli.endings import run_command

__all__ = ["main"]


def main() -> None:
    """Run a command; 0 done, 1 something ran and failed, 2 the request was wrong."""
    sys.exit(run_command(_command))


def _command() -> None:
    from harness.cli.app import app  # here, so that Ctrl-C is answered while it is loaded, too

    app()
