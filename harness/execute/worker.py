"""The process that runs one job: `python -m harness.execute.worker`.

It reads the job's spec as one line of JSON on standard input and writes progress as lines of
JSON on standard output. When its standard input ends, whoever started it is gone, and so is it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, TextIO

from harness.job.spec import JobSpec


class LineReporter:
    """Progress as lines of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def stage(self, name: str, total: int) -> None:
        """A stage begins."""
        self.send({"event": "stage", "name": name, "total": total})

    def advance(self, done: int, loss: float | None = None) -> None:
        """Some of the stage is done."""
        self.send({"event": "advance", "done": done, "loss": loss})

    def send(self, message: dict[str, Any]) -> None:
        """Write one line."""
        self._stream.write(json.dumps(message) + "\n")
        self._stream.flush()


def main() -> None:
    """Run the job on standard input."""
    spec = JobSpec.model_validate_json(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    reporter = LineReporter(_own_output())
    from harness.job.run import run_asked

    reporter.send({"event": "result", "result": run_asked(spec, reporter)})


def _own_output() -> TextIO:
    """Standard output for events alone: what libraries print goes to standard error."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return events


def _end_with_parent() -> None:
    # The bare descriptor: a buffered reader would still be held when the interpreter ends.
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
