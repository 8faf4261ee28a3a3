"""The files that an evaluation leaves; naming them imports neither torch nor numpy."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DataError
from harness.records.files import atomic_path

if TYPE_CHECKING:
    from harness.tasks.task import Scores

SCORES = "scores.npz"


def save_scores(path: Path, scores: Scores) -> None:
    """Write the arrays of one evaluation as one file."""
    import numpy as np

    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **scores)  # type: ignore[arg-type]


def load_scores(path: Path) -> Scores:
    """Read the arrays of one evaluation.

    Raises:
        DataError: the file is absent or is none that an evaluation wrote.
    """
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: no file of scores ({error})") from error
