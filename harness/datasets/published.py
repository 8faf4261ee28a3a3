"""What others say of a corpus, held against what is found here."""

from __future__ import annotations

from harness.config.datasets import Published
from harness.errors import DataError


def check_published(
    published: Published, counts: dict[str, dict[str, int]], name: str, folder: str
) -> None:
    """Compare published counts with those of the lists.

    Args:
        published: counts of splits, or of several together (`train+validation`).
        counts: split -> number of units, items, trials and targets.
        name: the dataset, for the error.
        folder: where it lies, for the error.

    Raises:
        DataError: names every count that differs.
    """
    wrong = [
        f"  {splits}: {number:,} {what} are published, {found:,} are here"
        for splits, numbers in published.counts.items()
        for what, number in numbers.items()
        if (found := _sum(counts, splits, what)) != number
    ]
    if wrong:
        lines = "\n".join(wrong)
        raise DataError(
            f"{name}: {folder} is not the published corpus ({published.source}):\n{lines}\n"
            "Unpack its archives again (`harness data prepare --archive` checks their md5), or, "
            "if this is meant to be another corpus, give it a dataset of its own."
        )


def _sum(counts: dict[str, dict[str, int]], splits: str, what: str) -> int:
    return sum(counts.get(split, {}).get(what, 0) for split in splits.split("+"))
