"""The packages whose code a benchmark file may name, where the file itself is not trusted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from harness.errors import ConfigError

TRUSTED = "HARNESS_TRUSTED"
"""Variable with the packages of a safe call, divided by commas; its workers inherit it."""

OWN = ("harness", "adapters")
RUNS_CODE_OF_FILES = "adapters.upstream"
"""Ours, and it runs the checkout that a benchmark file names: trusted where it is listed itself."""


def trust_only(packages: Iterable[str]) -> None:
    """Let benchmark files name code of these packages and of ours alone, from now on."""
    os.environ[TRUSTED] = ",".join(dict.fromkeys([*OWN, *packages]))


def is_safe(variables: Mapping[str, str] = os.environ) -> bool:
    """Return whether only listed code runs, and nothing that lies beside a benchmark file."""
    return bool(variables.get(TRUSTED))


def check_trusted(module: str, where: str) -> None:
    """Refuse a module that is on no list, in a safe call.

    Args:
        module: its dotted name.
        where: the key that names it, for the error.

    Raises:
        ConfigError: it is neither ours nor of a listed package.
    """
    if not is_safe():
        return
    listed = os.environ[TRUSTED].split(",")
    parts = module.split(".")
    names = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    if RUNS_CODE_OF_FILES in names:
        names -= {*OWN}
    if not names & {*listed}:
        raise ConfigError(
            f"{where}: {module!r} is of no trusted package, and this call is --safe; "
            f"`harness --safe --trust {parts[0]}` lets it, where you trust it and it is installed"
        )
