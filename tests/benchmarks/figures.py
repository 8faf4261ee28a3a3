"""Measured figures, the bounds they must keep, and the table they are printed in."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness.measure.environment import processor_name

HEAD = ("| measured | figure | required |", "|---|---|---|")


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        what: what was measured, as a table says it.
        value: the number.
        unit: what it counts.
        least, most: the bounds it must keep; None where it is only reported.
    """

    what: str
    value: float
    unit: str
    least: float | None = None
    most: float | None = None

    @property
    def holds(self) -> bool:
        """True where no bound is broken."""
        low = -np.inf if self.least is None else self.least
        high = np.inf if self.most is None else self.most
        return bool(low <= self.value <= high)

    @property
    def required(self) -> str:
        """The bounds in words; empty where there are none."""
        least = "" if self.least is None else f"at least {self.least:g}"
        most = "" if self.most is None else f"at most {self.most:g}"
        return least or most

    def row(self) -> str:
        """A line of a Markdown table."""
        return f"| {self.what} | {_shown(self.value)} {self.unit} | {self.required} |"


def missed(figures: Iterable[Figure]) -> list[str]:
    """The rows of the figures that break a bound."""
    return [figure.row() for figure in figures if not figure.holds]


def machine() -> str:
    """The machine and its load, without which seconds say nothing."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    threads = os.environ.get("OMP_NUM_THREADS", "as many as there are cores")
    return (
        f"{processor_name()}, {os.cpu_count()} cores; OMP_NUM_THREADS {threads}; Python "
        f"{platform.python_version()}, NumPy {np.__version__}; load of the last 1, 5 and 15 "
        f"minutes {load}"
    )


def _shown(value: float) -> str:
    """Three digits, or whole where there are more before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
