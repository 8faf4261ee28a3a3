"""The simulation's command: `python -m docs.simulation`, from the root of the repository."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from docs.simulation.cells import CELLS
from docs.simulation.runner import Plan, Result, run
from docs.simulation.tables import PAGE, markdown, write


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the cells asked for; tables or JSON to standard output, progress to standard error."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    names = asked.cell or [cell.name for cell in CELLS]
    if asked.write and asked.cell:
        parser.error("--write fills the page with all cells; leave --cell out")
    plan = Plan(asked.data_sets, asked.truth_speakers, asked.seed)
    results = _told(names, plan, asked.processes)
    if asked.write:
        write(results)
    documents = [asdict(result) for result in results]
    text = json.dumps({"cells": documents}, indent=1) if asked.json else markdown(results)
    sys.stdout.write(f"{text}\n")
    return 0


def _told(names: Sequence[str], plan: Plan, processes: int) -> list[Result]:
    began, results = time.monotonic(), []
    for result in run(names, plan, processes):
        results.append(result)
        sys.stderr.write(f"{result.name}: done after {time.monotonic() - began:.0f} s\n")
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m docs.simulation", description=__doc__)
    every = [cell.name for cell in CELLS]
    parser.add_argument("--cell", action="append", choices=every, help="may be given several times")
    parser.add_argument("--data-sets", type=_positive, default=Plan.data_sets)
    parser.add_argument("--truth-speakers", type=_positive, default=Plan.truth_speakers)
    parser.add_argument("--processes", type=_positive, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    parser.add_argument("--write", action="store_true", help=f"fill the tables of {PAGE.name}")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
