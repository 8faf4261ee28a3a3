"""Finding a corpus on this machine, and saying where it was looked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.config.datasets import Dataset

ROOT_VARIABLE = "HARNESS_DATA"


@dataclass(frozen=True)
class Absence:
    """A corpus that is not here: where it was looked for and how it can be had."""

    dataset: str
    looked: tuple[str, ...]
    source: str
    mend: str = (
        f"Set ${ROOT_VARIABLE} to the folder that holds it, or give its path in the benchmark file."
    )

    def message(self) -> str:
        """One paragraph for a person."""
        looked = ", ".join(self.looked)
        source = f" Get it from {self.source}." if self.source else ""
        return f"{self.dataset} is not on this machine: looked for {looked}.{source} {self.mend}"


def absence_lines(absent: Sequence[Absence]) -> list[str]:
    """What is not on this machine: a line a dataset, each mend once; none where nothing is."""
    lines = [f"absent: {each.dataset}: {_whence(each)}" for each in absent]
    return lines + list(dict.fromkeys(each.mend for each in absent))


def _whence(absence: Absence) -> str:
    source = f"; get it from {absence.source}" if absence.source else ""
    return f"looked for {', '.join(absence.looked)}{source}"


def locate(name: str, dataset: Dataset, folder: Path) -> Path | Absence:
    """Find a dataset's folder.

    Args:
        name: the dataset's name.
        dataset: its table.
        folder: the benchmark file's folder.
    """
    places = _places(dataset, folder)
    for place in places:
        if place.is_dir():
            return place
    looked = [str(place) for place in places]
    if ROOT_VARIABLE not in os.environ and not Path(dataset.path).is_absolute():
        looked.append(f"${ROOT_VARIABLE}/{dataset.path} (${ROOT_VARIABLE} is not set)")
    return Absence(name, tuple(looked), dataset.source)


def _places(dataset: Dataset, folder: Path) -> list[Path]:
    path = Path(dataset.path).expanduser()
    if path.is_absolute():
        return [path]
    root = os.environ.get(ROOT_VARIABLE)
    first = [Path(root).resolve() / path] if root else []
    return [*first, folder / path]
