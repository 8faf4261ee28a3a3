"""How often a forecast's interval holds real curves' later part.

`python -m docs.simulation.health.real FOLDER ...` reads every `series.jsonl.gz` and `series.jsonl`
below the folders. Of each training that validated `FEWEST` times at least, the last third of its
validations is held back and forecast from what comes before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from harness.health.forecast import forecast_curve
from harness.health.validation_curves import Curve, validation_curve
from harness.series.reading import read_series
from harness.series.series import Series

FEWEST, ENOUGH = 15, 40
"""Validations that a training needs to count, and trainings that the page's figure needs."""


ROUNDED = 1e-5
"""Largest difference of a value from itself as it is published, relative."""


def find_curves(folders: Iterable[Path]) -> Iterator[tuple[str, Curve]]:
    """Yield the system and the curve of each training; one that is kept in two places counts once.

    What is published of a series is rounded.
    """
    seen = list[Curve]()
    for folder in folders:
        for path in sorted(folder.rglob("*series.jsonl*")):
            for series in read_series(path):
                curve = validation_curve(series)
                if curve is None or len(curve) < FEWEST:
                    continue
                if any(_is_same(curve, each) for each in seen):
                    continue
                seen.append(curve)
                yield _system(path, series), curve


def _system(path: Path, series: Series) -> str:
    """Return what trainings share that differ in the seed alone: dataset and entry."""
    dataset = path.parent.name
    for told in ("record.json", "inputs.json"):
        if (beside := path.with_name(told)).exists():
            dataset = json.loads(beside.read_text())["dataset"]["name"]
    return f"{dataset}/{series.facts.get('entry', '').rpartition('-seed')[0]}"


def _is_same(one: Curve, other: Curve) -> bool:
    return len(one) == len(other) and bool(np.allclose(one.values, other.values, rtol=ROUNDED))


def coverage(curve: Curve) -> float:
    """Return the share of held-back values that their intervals hold; NaN if none is forecast."""
    known = len(curve) - len(curve) // 3
    forecasts = forecast_curve(curve.part(slice(known)), curve.times[known:].tolist())
    came = dict(zip(curve.times.tolist(), curve.values.tolist(), strict=True))
    held = [each.low <= came[each.at.number] <= each.high for each in forecasts]
    return float(np.mean(held)) if held else float("nan")


def summary(shares: Sequence[tuple[str, float]]) -> str:
    """Return the mean share with its 95 % interval over systems.

    The trainings of a system are alike, and go together (Liang and Zeger, 1986).

    Args:
        shares: of each training, with its system.
    """
    known = [(system, share) for system, share in shares if np.isfinite(share)]
    systems = {system for system, _ in known}
    left_out = len(shares) - len(known)
    if len(systems) < 2:
        return f"{len(known)} trainings of {len(systems)} systems with a forecast: too few"
    mean = np.mean([share for _, share in known])
    off = [sum(share - mean for name, share in known if name == system) for system in systems]
    error = np.sqrt(np.square(off).sum() * len(systems) / (len(systems) - 1)) / len(known)
    reach = student.isf(0.025, len(systems) - 1) * error
    few = "" if len(known) >= ENOUGH else f"; fewer than {ENOUGH}, so no figure for the page"
    return (
        f"{len(known)} trainings of {len(systems)} systems, {100 * mean:.1f} % held "
        f"({100 * (mean - reach):.1f} to {100 * (mean + reach):.1f}), "
        f"{left_out} without a forecast{few}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the coverage over all trainings below some folders."""
    parser = argparse.ArgumentParser(
        prog="python -m docs.simulation.health.real", description=__doc__
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    found = find_curves(parser.parse_args(arguments).folders)
    shares = [(system, coverage(curve)) for system, curve in found]
    sys.stdout.write(f"{summary(shares)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
