"""The simulation's command: `python -m docs.simulation.health`, from the root of the repository."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tabulate import tabulate

from docs.marks import filled
from docs.simulation.health.cells import (
    Plan,
    Row,
    forecast_rows,
    leap_rows,
    noise_rows,
    straight_rows,
    trend_rows,
    verdict_rows,
)
from harness.records.files import write_text

PAGE = Path(__file__).resolve().parents[2] / "health.md"
TABLES: dict[str, Callable[[Plan], Iterator[Row]]] = {
    "trend": trend_rows,
    "verdicts": verdict_rows,
    "noise": noise_rows,
    "leaps": leap_rows,
    "forecast": forecast_rows,
    "straight": straight_rows,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulates the tables asked for, prints them, and fills the page with them if asked to."""
    parser = argparse.ArgumentParser(prog="python -m docs.simulation.health", description=__doc__)
    parser.add_argument("--table", action="append", choices=TABLES, help="may be given more often")
    parser.add_argument("--curves", type=int, default=Plan.curves, help="of the trend's table")
    parser.add_argument("--slow-curves", type=int, default=Plan.slow_curves, help="of the others")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--write", action="store_true", help="fill docs/health.md")
    asked = parser.parse_args(arguments)
    plan = Plan(asked.curves, asked.slow_curves, asked.seed)
    for name in asked.table or TABLES:
        table = tabulate(list(TABLES[name](plan)), headers="keys", tablefmt="github",
                         disable_numparse=True)  # fmt: skip
        sys.stdout.write(f"{name}\n\n{table}\n\n")
        sys.stdout.flush()
        if asked.write:
            write_text(PAGE, filled(PAGE.read_text(encoding="utf-8"), name, table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
