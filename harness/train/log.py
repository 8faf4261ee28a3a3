"""The log of a training, one line of JSON a resume point; reading it imports no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.records.files import append_text, read_text, write_text

LOG = "log.jsonl"
RESUME = "resume.pt"
FINAL = "weights.safetensors"


def append(
    folder: Path, step: int, values: Mapping[str, float], validation: Mapping[str, float]
) -> None:
    """Add the numbers of a step and, where it was judged, of the validation split."""
    line = {"step": step, "train": values, "validation": validation}
    append_text(folder / LOG, json.dumps(line) + "\n")


def keep_until(folder: Path, step: int) -> None:
    """Drop what was logged after a resume point, and any line that a kill cut short."""
    if (folder / LOG).exists():
        kept = (line for logged, line in _lines(folder) if logged <= step)
        write_text(folder / LOG, "".join(f"{line}\n" for line in kept))


def stopped_after(folder: Path) -> int | None:
    """The last step that was kept of a training that did not end; None where it would begin."""
    if not (folder / RESUME).exists() or not (folder / LOG).exists():
        return None
    return max((step for step, _ in _lines(folder)), default=None)


def _lines(folder: Path) -> Iterator[tuple[int, str]]:
    for line in read_text(folder / LOG).splitlines():
        try:
            step = json.loads(line)["step"]
        except json.JSONDecodeError:
            continue
        yield step, line
