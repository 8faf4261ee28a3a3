"""Fills the tables after export of `use.md` from what `harness export --judge` wrote.

`python -m docs.after_export FOLDER/after-export.json ...`, from the root of the repository: one
table for each run, in the order of the files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from docs.marks import filled
from harness.errors import HarnessError
from harness.records.documents import check_schema, read_document
from harness.records.files import write_text
from harness.use.after_export import AfterExport
from harness.use.after_export_page import READING, made_on, table

PAGE = Path(__file__).with_name("use.md")
NAME = "after export"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the page."""
    parser = argparse.ArgumentParser(prog="python -m docs.after_export", description=__doc__)
    parser.add_argument("judged", nargs="+", type=Path, help="after-export.json of an export")
    parser.add_argument("--page", type=Path, default=PAGE, help="page to fill; its own")
    asked = parser.parse_args(arguments)
    try:
        tables = [section(read(path)) for path in asked.judged]
        text = asked.page.read_text(encoding="utf-8")
        text = filled(text, NAME, "\n\n".join([*tables, READING]))
    except (OSError, ValueError, HarnessError) as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 2
    write_text(asked.page, text)
    return 0


def read(path: Path) -> AfterExport:
    """What an export costs.

    Raises:
        HarnessError: the file is not what `harness export --judge` writes.
    """
    current = partial(check_schema, 1, "an after-export's")
    return read_document(path, AfterExport, "the table of an export", current)


def section(found: AfterExport) -> str:
    """The table of a run, with the test and the machine above it."""
    run = found.run
    seed = "" if run.seed is None else f", seed {run.seed}"
    return "\n".join(
        [
            f"`{run.entry}` ({run.recipe_name}{seed}) on {run.dataset.title}. {made_on(found)}",
            "",
            *table(found),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
