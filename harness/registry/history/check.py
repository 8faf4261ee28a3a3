"""Whether a history is as it was written, and its page what its files give."""

from __future__ import annotations

from pathlib import Path

from harness.registry.history.page import differences
from harness.registry.history.store import broken, history_files


def check_history(folder: Path) -> list[str]:
    """Name every line that was edited or misplaced, and a page that is not what the files give.

    The hash that each line holds of the one before finds edits of all but the last line; the page
    holds the last one's.

    Args:
        folder: the published tables.

    Raises:
        RequestError: a file is not text.
    """
    names = [path.relative_to(folder).as_posix() for path in history_files(folder)]
    complaints = [line for name in names for line in broken(folder, name)]
    return complaints or differences(folder)
