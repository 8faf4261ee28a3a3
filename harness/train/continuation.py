"""A training that goes on from where a finished one stands, as a training of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import JobFailed
from harness.records.damage import DamagedFile
from harness.train.checkpoint import load_state
from harness.train.training_progress import RESUME, Progress

GONE = "the finished training's last state is not there any more (`harness runs gc` deletes it)"


def parent_state(folder: Path, step: int) -> dict[str, Any]:
    """Return the state that a continuation begins with: the last of the finished training.

    Network, optimiser and precision are as they were; what was chosen, and the times, are begun
    anew.

    Args:
        folder: of the finished training.
        step: its last.

    Raises:
        JobFailed: the state is absent, damaged, or of another step.
    """
    path = folder / RESUME
    mend = "train it again in a new --runs folder, and extend that"
    if not path.exists():
        raise JobFailed(f"{path}: {GONE}; {mend}")
    try:
        state = load_state(path)
    except DamagedFile as error:
        raise JobFailed(f"{path}: damaged ({error}); {mend}") from error
    progress = Progress.from_facts(state["progress"])
    if progress.step != step:
        raise JobFailed(f"{path}: the state after step {progress.step}, not after {step}; {mend}")
    return {**state, "progress": progress.continued().facts}
