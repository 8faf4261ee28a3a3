"""The files that an evaluation leaves; naming them imports neither torch nor numpy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DataError, RequestError
from harness.records.files import atomic_file

if TYPE_CHECKING:
    from harness.tasks.task import Scores

SCORES = "scores.npz"

PACKED = 64
"""How many times its own size a file's arrays may take; those of `save_scores` are not packed."""


def save_scores(path: Path, scores: Scores) -> None:
    """Write the arrays of one evaluation as one file."""
    import numpy as np

    with atomic_file(path) as file:
        np.savez(file, **scores)  # type: ignore[arg-type]


def load_scores(path: Path) -> Scores:
    """Read the arrays of one evaluation.

    Raises:
        DataError: the file is absent or is none that an evaluation wrote.
    """
    from harness.records.npz import read_arrays

    try:
        return read_arrays(path, None, PACKED * path.stat().st_size)
    except (OSError, RequestError) as error:
        raise DataError(f"{path}: no file of scores ({error})") from error
