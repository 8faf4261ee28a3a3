"""Computes the critical values of the trend's test: `python -m docs.simulation.health.critical`.

Of each length both statistics are drawn of flat curves in white noise and at the autocorrelation
0.7. The lift's value is exceeded there 3 times in 1,000; the evidence's is the one with which both
together exceed 4.9 times in 100 (a tenth is left for the simulation's own error), the larger of the
two. They are written to
harness/health/critical_values.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from docs.simulation.health.draws import noise
from harness.health import critical_values
from harness.health.critical_values import FEWEST, MOST
from harness.health.trend import evidence_of_rise, lift
from harness.records.files import write_text

CURVES = 40_000
LEVEL, CLEAR = 0.049, 0.003
HEAD = '''"""Critical values of the trend's test, by the number of values of a curve.

Made by `python -m docs.simulation.health.critical`, of 40,000 curves each: for `evidence_of_rise`,
and for `lift`.
"""

FEWEST, MOST = 6, 60
"""Values of a curve at least, and at most; longer ones are averaged first."""

# fmt: off
CRITICAL = {
'''


def critical(count: int, curves: int = CURVES) -> tuple[float, float]:
    """Return the critical values of the evidence and of the lift for curves of some length."""
    random = np.random.default_rng([25, count])
    flat = [noise(random, curves, count, rho) for rho in (0.0, 0.7)]
    least_lift = max(float(np.quantile(lift(each), 1 - CLEAR)) for each in flat)
    evidence = [np.where(lift(each) > least_lift, np.inf, evidence_of_rise(each)) for each in flat]
    return max(float(np.quantile(each, 1 - LEVEL)) for each in evidence), least_lift


def main() -> None:
    """Compute all of them and write the module."""
    lines = []
    for count in range(FEWEST, MOST + 1):
        evidence, least_lift = critical(count)
        lines.append(f"    {count}: ({evidence:.3f}, {least_lift:.2f}),\n")
        sys.stderr.write(lines[-1])
    write_text(Path(critical_values.__file__), HEAD + "".join(lines) + "}\n")


if __name__ == "__main__":
    main()
