"""The locked lists as files, for whoever computes scores or embeddings of them elsewhere."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from harness.datasets.listing import HELD_OUT, Listing
from harness.records.files import write_text


def write_lists(listing: Listing, folder: Path) -> list[Path]:
    """Write what is to be scored, each line parted by tabs.

    Returns:
        `items.tsv`, with a header: every item's name, split, label and file. `test-trials.tsv` and
        `validation-trials.tsv`, without one: `enrol test target|nontarget`. `test-models.tsv`
        where trials enrol models of several items: `model item`.
    """
    columns = ["id", "split", "unit", "label", "source"]
    written = [_write(folder / "items.tsv", listing.items[columns], header=True)]
    for split in HELD_OUT:
        table = listing.trial_tables.get(split)
        if table is None:
            continue
        labels = table.trials["target"].map({True: "target", False: "nontarget"})
        trials = table.trials[["enrol", "test"]].assign(label=labels)
        written.append(_write(folder / f"{split}-trials.tsv", trials))
        if table.models is not None:
            written.append(_write(folder / f"{split}-models.tsv", table.models))
    return written


def _write(path: Path, table: pd.DataFrame, *, header: bool = False) -> Path:
    write_text(path, table.to_csv(sep="\t", index=False, header=header, lineterminator="\n"))
    return path
