"""What a dataset of turns says of its classes: counts, imbalance, words a turn."""

from __future__ import annotations

from typing import Any

import pandas as pd

from harness.data.split import SPLITS
from harness.datasets.listing import Listing


def class_facts(listing: Listing) -> dict[str, Any]:
    """Return the facts of a dataset whose items are vectors; empty for any other.

    Returns:
        `classes` (name -> items, most frequent first), `imbalance` (items of the most frequent
        class over those of the rarest), both of all splits; `tokens` (words a turn, the mean), if
        the corpus counts them; `missing` (split -> classes that it lacks).
    """
    if listing.corpus.kind != "vectors":
        return {}
    items = listing.items
    counts = items["label"].value_counts()
    lacking = {
        split: sorted(set(counts.index) - set(items.loc[items["split"] == split, "label"]))
        for split in SPLITS
    }
    found: dict[str, Any] = {
        "classes": {str(name): int(count) for name, count in counts.items()},
        "imbalance": round(float(counts.max() / counts.min()), 2),
        "missing": {split: names for split, names in lacking.items() if names},
    }
    if "tokens" in items:
        words = pd.to_numeric(items["tokens"], errors="coerce")
        found["tokens"] = round(float(words.mean()), 2)
    return found
