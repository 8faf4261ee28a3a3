"""The command `harness`: one file a command, each of which parses and calls."""

from __future__ import annotations

from harness.cli.app import main

__all__ = ["main"]
