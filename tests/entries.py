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


VARIANTS = ("eres2net-v2", "resnet34-astp", "simam-resnet34")
"""Networks that share the layers of another one: what holds of that one holds of them."""


def named(section: str, *, variants: bool = False, long: tuple[str, ...] = ()) -> list[Any]:
    """Every name of a section; the second of one adapter is `long`, and so are variants.

    Args:
        section: `models` or `losses`.
        variants: variants are not `long`.
        long: further names that are.
    """
    tables = getattr(BENCHMARK, section)
    first = {table.adapter: name for name, table in reversed(tables.items())}
    short = {name for name in first.values() if variants or name not in VARIANTS} - {*long}
    return [pytest.param(name, marks=[] if name in short else pytest.mark.long) for name in tables]
