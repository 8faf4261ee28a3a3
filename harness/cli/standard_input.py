"""`-` for a file: what is piped into a command."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import RequestError

_ZIP = b"PK"


def check_standard_input(*paths: Path | None) -> None:
    """Refuse to read standard input for two files.

    Raises:
        RequestError: `-` is given more than once.
    """
    from harness.trials.text_lines import STANDARD_INPUT

    if paths.count(STANDARD_INPUT) > 1:
        raise RequestError(
            "- is given for several files, and standard input can be one; name the others"
        )


@contextmanager
def standard_input_kept(*paths: Path | None) -> Iterator[list[Path | None]]:
    """Give the paths with a file of what is piped in for `-`, as it is read more than once.

    Raises:
        RequestError: `-` is given more than once.
    """
    from harness.trials.text_lines import STANDARD_INPUT

    check_standard_input(*paths)
    if STANDARD_INPUT not in paths:
        yield list(paths)
        return
    with tempfile.TemporaryDirectory(prefix="harness-") as folder:
        kept = _kept(Path(folder))
        yield [kept if path == STANDARD_INPUT else path for path in paths]


def _kept(folder: Path) -> Path:
    kept = folder / "standard-input"
    with kept.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    with kept.open("rb") as file:
        packed = file.read(len(_ZIP)) == _ZIP
    return kept.rename(kept.with_suffix(".npz")) if packed else kept
