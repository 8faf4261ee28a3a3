"""Computes the critical values of the trend's test: `python -m docs.simulation.health.critical`.

Of each length the statistic is drawn under every autocorrelation that the test allows for, and the
largest of their 95 % points is kept; it is written to harness/health/critical_values.py.
"""

from __future__ import annotations

import sys

import numpy as np

from docs.simulation.health.draws import noise
from harness.health import critical_values
from harness.health.critical_values import FEWEST, MOST
from harness.health.trend import AUTOCORRELATIONS, evidence_of_rise
from harness.records.files import write_text

CURVES = 50_000
LEVEL = 0.05
HEAD = '''"""Critical values of the trend's test, by the number of values of a curve.

Made by `python -m docs.simulation.health.critical`: the largest 95 % point of the statistic over
the autocorrelations that the test allows for, 50,000 curves each.
"""

FEWEST, MOST = 6, 60
"""Values of a curve at least, and at most; longer ones are averaged first."""

# fmt: off
CRITICAL = {
'''


def critical(count: int, curves: int = CURVES) -> float:
    """Return the largest 95 % point of the statistic over the autocorrelations."""
    random = np.random.default_rng([25, count])
    draws = (noise(random, curves, count, rho) for rho in AUTOCORRELATIONS)
    return max(float(np.quantile(evidence_of_rise(each), 1 - LEVEL)) for each in draws)


def main() -> None:
    """Compute all of them and write the module."""
    lines = []
    for count in range(FEWEST, MOST + 1):
        lines.append(f"    {count}: {critical(count):.3f},\n")
        sys.stderr.write(lines[-1])
    from pathlib import Path

    write_text(Path(critical_values.__file__), HEAD + "".join(lines) + "}\n")


if __name__ == "__main__":
    main()
