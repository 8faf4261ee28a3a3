"""How often a forecast's interval holds real curves' later part.

`python -m docs.simulation.health.real FOLDER ...` reads every `series.jsonl.gz` and `series.jsonl`
below the folders. Of each training that validated `FEWEST` times at least, the last third of its
validations is held back and forecast from what comes before.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from harness.health.forecast import forecast_curve
from harness.health.validation_curves import Curve, validation_curve
from harness.series.reading import read_series

FEWEST, ENOUGH = 15, 40
"""Validations that a training needs to count, and trainings that the page's figure needs."""


def find_curves(folders: Iterable[Path]) -> Iterator[Curve]:
    """Yield the curve of each training; one that is kept in two places counts once."""
    seen = set[bytes]()
    for folder in folders:
        for path in sorted(folder.rglob("*series.jsonl*")):
            for series in read_series(path):
                curve = validation_curve(series)
                if curve is None or len(curve) < FEWEST or curve.values.tobytes() in seen:
                    continue
                seen.add(curve.values.tobytes())
                yield curve


def coverage(curve: Curve) -> float:
    """Return the share of held-back values that their intervals hold; NaN if none is forecast."""
    known = len(curve) - len(curve) // 3
    forecasts = forecast_curve(curve.part(slice(known)), curve.times[known:].tolist())
    came = dict(zip(curve.times.tolist(), curve.values.tolist(), strict=True))
    held = [each.low <= came[each.at.number] <= each.high for each in forecasts]
    return float(np.mean(held)) if held else float("nan")


def summary(shares: Sequence[float]) -> str:
    """Return the mean share with its 95 % interval over trainings, whose values go together."""
    known = np.array([share for share in shares if np.isfinite(share)])
    left_out = len(shares) - len(known)
    if len(known) < 2:
        return f"{len(known)} trainings with a forecast: too few for a figure"
    mean, error = known.mean(), known.std(ddof=1) / np.sqrt(len(known))
    reach = student.isf(0.025, len(known) - 1) * error
    few = "" if len(known) >= ENOUGH else f"; fewer than {ENOUGH}, so no figure for the page"
    return (
        f"{len(known)} trainings, {100 * mean:.1f} % held "
        f"({100 * (mean - reach):.1f} to {100 * (mean + reach):.1f}), "
        f"{left_out} without a forecast{few}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the coverage over all trainings below some folders."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.simulation.health.real", description=__doc__
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    shares = [coverage(curve) for curve in find_curves(parser.parse_args(arguments).folders)]
    sys.stdout.write(f"{summary(shares)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
