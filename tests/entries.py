"""Models and losses of the shipped benchmark, as parameters of tests."""

from __future__ import annotations

from typing import Any

import pytest

from harness.config.imports import construct
from harness.config.loader import load
from harness.config.merging import builtin_benchmark

BENCHMARK = load(builtin_benchmark()).benchmark


def made(section: str, name: str) -> Any:
    """The adapter of an entry of `models` or `losses`."""
    table = getattr(BENCHMARK, section)[name]
    return construct(table.adapter, table.fields, f"{section}.{name}")


def named(section: str) -> list[Any]:
    """Every name of a section; the second of one adapter differs in size alone, and is `long`."""
    tables = getattr(BENCHMARK, section)
    first = {table.adapter: name for name, table in reversed(tables.items())}
    return [
        pytest.param(name, marks=[] if first[table.adapter] == name else pytest.mark.long)
        for name, table in tables.items()
    ]
